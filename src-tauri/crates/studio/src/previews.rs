//! Images of steps, held in memory: while their job runs, and after it for as long as there is room.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use protocol::{Image, JobId, NodeId, PreviewId};

/// Bytes that all steps together may take.
const MAX_BYTES: usize = 96 << 20;

/// Steps of running jobs and of the images that were made last.
#[derive(Debug, Default)]
pub struct Previews {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    // The one that was added to last is last.
    strips: VecDeque<Strip>,
    bytes: usize,
}

/// The steps of one job.
#[derive(Debug)]
struct Strip {
    owner: Owner,
    steps: VecDeque<(PreviewId, Arc<Image>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    Job(JobId),
    Node(NodeId),
}

impl Previews {
    /// Keeps the newest preview of a job and names it.
    pub fn put(&self, job: JobId, image: Image) -> PreviewId {
        let id = PreviewId::new();
        let owner = Owner::Job(job);
        let mut kept = self.kept();
        let mut strip = kept.take(&owner).unwrap_or_else(|| Strip { owner, steps: VecDeque::new() });
        kept.bytes += image.rgb().len();
        strip.steps.push_back((id, Arc::new(image)));
        kept.strips.push_back(strip);
        kept.shrink(MAX_BYTES);
        id
    }

    /// The preview of this name, while it is kept.
    pub fn get(&self, id: PreviewId) -> Option<Arc<Image>> {
        let kept = self.kept();
        let mut steps = kept.strips.iter().flat_map(|strip| &strip.steps);
        steps.find(|(preview, _)| *preview == id).map(|(_, image)| Arc::clone(image))
    }

    /// Forgets the steps of a job.
    pub fn forget(&self, job: JobId) {
        let mut kept = self.kept();
        if let Some(strip) = kept.take(&Owner::Job(job)) {
            kept.bytes -= strip.bytes();
        }
    }

    /// Keeps the steps of a job as those of the image that it made.
    pub fn hand_over(&self, job: JobId, node: NodeId) {
        let mut kept = self.kept();
        if let Some(mut strip) = kept.take(&Owner::Job(job)) {
            strip.owner = Owner::Node(node);
            kept.strips.push_back(strip);
        }
    }

    /// The steps of an image, the last one last, while they are kept.
    pub fn steps(&self, node: NodeId) -> Vec<PreviewId> {
        let kept = self.kept();
        let strip = kept.strips.iter().find(|strip| strip.owner == Owner::Node(node));
        strip.map(|strip| strip.steps.iter().map(|(id, _)| *id).collect()).unwrap_or_default()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn take(&mut self, owner: &Owner) -> Option<Strip> {
        let position = self.strips.iter().position(|strip| strip.owner == *owner)?;
        self.strips.remove(position)
    }

    /// Makes room: whole strips go, the oldest first; of the last one the oldest steps but two.
    fn shrink(&mut self, max_bytes: usize) {
        while self.bytes > max_bytes {
            if self.strips.len() > 1 {
                self.bytes -= self.strips.pop_front().map_or(0, |strip| strip.bytes());
                continue;
            }
            let Some(strip) = self.strips.front_mut().filter(|strip| strip.steps.len() > 2) else { return };
            self.bytes -= strip.steps.pop_front().map_or(0, |(_, image)| image.rgb().len());
        }
    }
}

impl Strip {
    fn bytes(&self) -> usize {
        self.steps.iter().map(|(_, image)| image.rgb().len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOB: JobId = JobId::from_u128(1);

    fn image(side: u32) -> Image {
        Image::new(side, side, vec![7; (side * side * 3) as usize]).unwrap()
    }

    #[test]
    fn steps_outlive_their_job_with_its_image() {
        let previews = Previews::default();
        let ids: Vec<PreviewId> = (0..3).map(|_| previews.put(JOB, image(2))).collect();
        let node = NodeId::new();
        previews.hand_over(JOB, node);
        previews.forget(JOB);
        assert_eq!(previews.steps(node), ids);
        assert!(previews.get(ids[0]).is_some());
        assert!(previews.steps(NodeId::new()).is_empty());
    }

    #[test]
    fn a_stopped_jobs_steps_are_forgotten() {
        let previews = Previews::default();
        let id = previews.put(JOB, image(2));
        previews.forget(JOB);
        assert!(previews.get(id).is_none());
        assert_eq!(previews.kept().bytes, 0);
    }

    #[test]
    fn memory_is_bounded_and_the_newest_steps_stay() {
        let previews = Previews::default();
        let side = 2048;
        let old = previews.put(JobId::from_u128(2), image(side));
        let ids: Vec<PreviewId> = (0..12).map(|_| previews.put(JOB, image(side))).collect();
        assert!(previews.kept().bytes <= MAX_BYTES);
        assert!(previews.get(old).is_none());
        assert!(previews.get(ids[11]).is_some() && previews.get(ids[0]).is_none());
    }
}
