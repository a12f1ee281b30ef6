//! Expected durations on this machine, from past runs.

use protocol::{Job, Kind, ModelDescription, Size, Statistics, Thinking};
use serde::{Deserialize, Serialize};

/// Past runs that an expectation is taken from.
const MAX_RUNS: usize = 8;

/// What is the same for runs that can be compared.
pub(crate) fn key(model: &ModelDescription, kind: Kind) -> String {
    let kind = kind.name();
    format!("{kind}/{}/{}/{}", model.device, model.quantization, model.hash)
}

/// What decides how long a request takes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Workload {
    /// Pixels of the image; 0 for an answer.
    pixels: f64,
    /// Points of the schedule; 0 for an answer.
    steps: u32,
    /// Branches of guidance that a step computes.
    branches: u32,
    /// Images that are read.
    images: u32,
    /// Whether text is written.
    writes: bool,
}

/// A run that ended well.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Run {
    work: Workload,
    context_secs: f64,
    text_secs: f64,
    denoise_secs: f64,
    decode_secs: f64,
}

impl Workload {
    pub(crate) fn of(job: &Job, size: Option<Size>) -> Self {
        let is_image = job.kind != Kind::Chat;
        let size = size.filter(|_| is_image);
        let image = &job.parameters;
        let has_image_branch = job.kind == Kind::Edit && image.image_guidance > 1.0;
        Self {
            pixels: size.map_or(0.0, |size| f64::from(size.width) * f64::from(size.height)),
            steps: if is_image { image.steps } else { 0 },
            branches: 1 + u32::from(image.text_guidance > 1.0) + u32::from(has_image_branch),
            images: u32::try_from(job.references.len()).unwrap_or(u32::MAX) + u32::from(job.image.is_some()),
            writes: !is_image || job.thinking == Thinking::On,
        }
    }
}

impl Run {
    pub(crate) fn new(work: Workload, statistics: &Statistics) -> Self {
        let Statistics { context_secs, text_secs, denoise_secs, decode_secs, .. } = *statistics;
        Self { work, context_secs, text_secs, denoise_secs, decode_secs }
    }

    /// What other work would have taken, stage by stage.
    fn scaled_to(&self, work: &Workload) -> Option<f64> {
        let text_secs = match (work.writes, self.work.writes) {
            (true, true) => self.text_secs,
            (false, _) => 0.0,
            (true, false) => return None,
        };
        let context_secs = self.context_secs * f64::from(work.images + 1) / f64::from(self.work.images + 1);
        if work.steps == 0 {
            return Some(context_secs + text_secs);
        }
        if self.work.pixels <= 0.0 || self.work.steps < 2 {
            return None;
        }
        let size = work.pixels / self.work.pixels;
        let forwards = f64::from(work.steps.saturating_sub(1) * work.branches)
            / f64::from((self.work.steps - 1) * self.work.branches.max(1));
        Some(context_secs + text_secs + self.denoise_secs * size * forwards + self.decode_secs * size)
    }
}

/// Seconds that work is expected to take, from runs with the newest first; none without the like of it.
pub(crate) fn expect(runs: &[Run], work: &Workload) -> Option<f64> {
    let mut seconds: Vec<f64> = runs.iter().filter_map(|run| run.scaled_to(work)).take(MAX_RUNS).collect();
    seconds.sort_by(f64::total_cmp);
    seconds.get(seconds.len() / 2).copied().filter(|seconds| seconds.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(side: f64, steps: u32) -> Workload {
        Workload { pixels: side * side, steps, branches: 2, images: 0, writes: false }
    }

    fn run(side: f64, steps: u32, denoise_secs: f64) -> Run {
        Run { work: work(side, steps), context_secs: 1.0, text_secs: 0.0, denoise_secs, decode_secs: 2.0 }
    }

    #[test]
    fn time_grows_with_steps_and_pixels() {
        let runs = [run(512.0, 11, 10.0)];
        assert_eq!(expect(&runs, &work(512.0, 11)), Some(13.0));
        assert_eq!(expect(&runs, &work(512.0, 21)), Some(23.0));
        assert_eq!(expect(&runs, &work(1024.0, 11)), Some(49.0));
    }

    #[test]
    fn one_slow_run_does_not_decide() {
        let runs = [run(512.0, 11, 10.0), run(512.0, 11, 500.0), run(512.0, 11, 11.0)];
        assert_eq!(expect(&runs, &work(512.0, 11)), Some(14.0));
    }

    #[test]
    fn what_was_never_done_is_not_guessed() {
        assert_eq!(expect(&[], &work(512.0, 11)), None);
        let writes = Workload { writes: true, ..work(512.0, 11) };
        assert_eq!(expect(&[run(512.0, 11, 10.0)], &writes), None);
    }
}
