//! Events for a window, fewer and larger.
//!
//! Tokens and steps can come faster than a window should be woken. Between two
//! deliveries, text is joined and only the newest preview and status of a job
//! are kept; everything else passes in order.

use crate::StudioEvent;

/// Events that wait for the next delivery.
#[derive(Debug, Default)]
pub struct Feed {
    waiting: Vec<StudioEvent>,
}

impl Feed {
    /// Adds an event, or merges it into one that waits.
    pub fn push(&mut self, event: StudioEvent) {
        match &event {
            StudioEvent::Text { job, channel, delta } => {
                for waiting in self.waiting.iter_mut().rev() {
                    match waiting {
                        StudioEvent::Text { job: j, channel: c, delta: text } if j == job && c == channel => {
                            text.push_str(delta);
                            return;
                        }
                        // An end seals the texts before it.
                        StudioEvent::JobChanged { job: j, status } if j == job && status.is_over() => break,
                        _ => {}
                    }
                }
            }
            StudioEvent::Preview { job, .. } => {
                self.waiting.retain(|waiting| !matches!(waiting, StudioEvent::Preview { job: j, .. } if j == job))
            }
            StudioEvent::JobChanged { job, .. } => {
                self.waiting.retain(|waiting| !matches!(waiting, StudioEvent::JobChanged { job: j, .. } if j == job))
            }
            StudioEvent::Engine { .. } => {
                self.waiting.retain(|waiting| !matches!(waiting, StudioEvent::Engine { .. }));
            }
            StudioEvent::Dragging { .. } => {
                self.waiting.retain(|waiting| !matches!(waiting, StudioEvent::Dragging { .. }));
            }
            _ => {}
        }
        self.waiting.push(event);
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Everything that waits, in order.
    pub fn take(&mut self) -> Vec<StudioEvent> {
        std::mem::take(&mut self.waiting)
    }
}

#[cfg(test)]
mod tests {
    use protocol::{JobId, TextChannel};

    use super::*;
    use crate::{JobStatus, Phase, PreviewId};

    fn text(job: &str, delta: &str) -> StudioEvent {
        StudioEvent::Text { job: JobId(job.to_owned()), channel: TextChannel::Answer, delta: delta.to_owned() }
    }

    fn painting(step: u32) -> StudioEvent {
        let phase = Phase::Painting { step, steps: 9 };
        StudioEvent::JobChanged { job: JobId("a".to_owned()), status: JobStatus::Running { phase } }
    }

    fn check(pushed: Vec<StudioEvent>, expected: &[StudioEvent]) {
        let mut feed = Feed::default();
        for event in pushed {
            feed.push(event);
        }
        assert_eq!(feed.take(), expected);
        assert!(feed.is_empty());
    }

    #[test]
    fn text_of_one_job_is_joined_and_jobs_are_kept_apart() {
        check(vec![text("a", "一只"), text("b", "x"), text("a", "猫")], &[text("a", "一只猫"), text("b", "x")]);
    }

    #[test]
    fn only_the_newest_step_and_preview_arrive() {
        let preview = |id| StudioEvent::Preview { job: JobId("a".to_owned()), preview: id };
        let (old, new) = (PreviewId::new(), PreviewId::new());
        check(vec![painting(1), preview(old), painting(2), preview(new)], &[painting(2), preview(new)]);
    }

    #[test]
    fn the_end_of_a_job_stays_behind_its_text() {
        let over = StudioEvent::JobChanged { job: JobId("a".to_owned()), status: JobStatus::Done { node: None } };
        check(vec![text("a", "x"), painting(1), text("a", "y"), over.clone()], &[text("a", "xy"), over]);
    }
}
