//! Pictures of steps, held in memory while their job runs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use protocol::{JobId, Picture};

use crate::PreviewId;

/// A window that was told of a preview may ask for it when the next one is already there.
const KEPT: usize = 2;

/// The newest previews of each running job.
#[derive(Debug, Default)]
pub struct Previews {
    by_job: Mutex<HashMap<JobId, Vec<Named>>>,
}

type Named = (PreviewId, Arc<Picture>);

impl Previews {
    /// Keeps the newest preview of a job and names it.
    pub fn put(&self, job: &JobId, picture: Picture) -> PreviewId {
        let id = PreviewId::new();
        let mut by_job = self.by_job.lock().unwrap_or_else(PoisonError::into_inner);
        let previews = by_job.entry(job.clone()).or_default();
        if previews.len() == KEPT {
            previews.remove(0);
        }
        previews.push((id, Arc::new(picture)));
        id
    }

    /// The preview of this name, while it is kept.
    pub fn get(&self, id: PreviewId) -> Option<Arc<Picture>> {
        let by_job = self.by_job.lock().unwrap_or_else(PoisonError::into_inner);
        by_job.values().flatten().find(|(preview, _)| *preview == id).map(|(_, picture)| Arc::clone(picture))
    }

    /// Forgets the previews of a job.
    pub fn forget(&self, job: &JobId) {
        self.by_job.lock().unwrap_or_else(PoisonError::into_inner).remove(job);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_two_previews_of_a_job_are_kept() {
        let previews = Previews::default();
        let job = JobId("a".to_owned());
        let picture = || Picture::new(1, 1, vec![1, 2, 3]).unwrap();
        let ids: Vec<PreviewId> = (0..3).map(|_| previews.put(&job, picture())).collect();
        let kept: Vec<bool> = ids.iter().map(|id| previews.get(*id).is_some()).collect();
        assert_eq!(kept, [false, true, true]);
        previews.forget(&job);
        assert!(previews.get(ids[2]).is_none());
    }
}
