//! Events for a window, fewer and larger.
//!
//! Tokens and steps can come faster than a window should be woken. Between two
//! deliveries, text is joined and only the newest preview and status of a job
//! are kept; everything else passes in order.

use protocol::{JobId, StudioEvent, TextChannel};

/// Events that wait for the next delivery.
#[derive(Debug, Default)]
pub struct Feed {
    waiting: Vec<StudioEvent>,
}

impl Feed {
    /// Adds an event, or merges it into one that waits.
    pub fn push(&mut self, event: StudioEvent) {
        if let StudioEvent::Text { job, channel, delta } = &event
            && self.append(*job, *channel, delta)
        {
            return;
        }
        self.waiting.retain(|waiting| !replaces(&event, waiting));
        self.waiting.push(event);
    }

    /// Joins text to what waits of it, if nothing stands between.
    fn append(&mut self, job: JobId, channel: TextChannel, delta: &str) -> bool {
        for waiting in self.waiting.iter_mut().rev() {
            match waiting {
                StudioEvent::Text { job: j, channel: c, delta: text } if *j == job && *c == channel => {
                    text.push_str(delta);
                    return true;
                }
                // What ends a text or begins it anew seals the texts before it.
                StudioEvent::JobChanged { job: j, status } if *j == job && status.is_over() => return false,
                StudioEvent::PlanChanged { job: j, .. } | StudioEvent::JobDismissed { job: j } if *j == job => {
                    return false;
                }
                _ => {}
            }
        }
        false
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

/// Whether a newer event makes one that waits stale.
fn replaces(newer: &StudioEvent, waiting: &StudioEvent) -> bool {
    use StudioEvent as E;
    match (newer, waiting) {
        (E::Preview { job: a, .. }, E::Preview { job: b, .. })
        | (E::JobChanged { job: a, .. }, E::JobChanged { job: b, .. }) => a == b,
        (E::ProjectChanged { project: a }, E::ProjectChanged { project: b }) => a.id == b.id,
        (E::Install { model: a, .. }, E::Install { model: b, .. }) => a == b,
        (E::Engine { .. }, E::Engine { .. })
        | (E::Counts { .. }, E::Counts { .. })
        | (E::Models { .. }, E::Models { .. })
        | (E::Settings { .. }, E::Settings { .. })
        | (E::JobsOrdered { .. }, E::JobsOrdered { .. })
        | (E::Dragging { .. }, E::Dragging { .. }) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use protocol::{JobStatus, Phase, PreviewId};

    use super::*;
    use crate::fixtures::id;

    fn text(job: &str, delta: &str) -> StudioEvent {
        StudioEvent::Text { job: id(job), channel: TextChannel::Answer, delta: delta.to_owned() }
    }

    fn painting(step: u32) -> StudioEvent {
        let phase = Phase::Painting { step, steps: 9 };
        StudioEvent::JobChanged { job: id("a"), status: JobStatus::Running { phase } }
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
        let preview = |preview| StudioEvent::Preview { job: id("a"), preview };
        let (old, new) = (PreviewId::new(), PreviewId::new());
        check(vec![painting(1), preview(old), painting(2), preview(new)], &[painting(2), preview(new)]);
    }

    #[test]
    fn the_end_of_a_job_stays_behind_its_text() {
        let over = StudioEvent::JobChanged { job: id("a"), status: JobStatus::Done { node: None } };
        check(vec![text("a", "x"), painting(1), text("a", "y"), over.clone()], &[text("a", "xy"), over]);
    }

    #[test]
    fn a_plan_that_begins_anew_is_not_joined_to_the_old_one() {
        let cleared = StudioEvent::PlanChanged { job: id("a"), plan: String::new() };
        check(
            vec![text("a", "old"), cleared.clone(), text("a", "new")],
            &[text("a", "old"), cleared, text("a", "new")],
        );
    }
}
