//! What changes, on its way to the web view.

use std::time::Duration;

use protocol::StudioEvent;
use studio::Feed;
use tauri::ipc::Channel;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::sync::watch;
use tokio::time::{self, MissedTickBehavior};

/// Between two messages to the web view: twenty a second are smooth and leave it time to draw.
const INTERVAL: Duration = Duration::from_millis(50);

/// Where files hover over the window.
#[derive(Debug)]
pub(crate) struct Dragging(watch::Sender<Option<[f64; 2]>>);

impl Default for Dragging {
    fn default() -> Self {
        Self(watch::channel(None).0)
    }
}

impl Dragging {
    pub(crate) fn set(&self, position: Option<[f64; 2]>) {
        self.0.send_if_modified(|current| {
            let changes = *current != position;
            *current = position;
            changes
        });
    }

    pub(crate) fn listen(&self) -> watch::Receiver<Option<[f64; 2]>> {
        self.0.subscribe()
    }
}

/// Whether a page listens.
#[derive(Debug)]
pub(crate) struct Audience(watch::Sender<bool>);

impl Default for Audience {
    fn default() -> Self {
        Self(watch::channel(false).0)
    }
}

impl Audience {
    /// A page has begun to listen.
    pub(crate) fn has_come(&self) {
        self.0.send_replace(true);
    }

    /// Waits for a page that listens, for as long as `timeouts`: one that never comes keeps nothing from being done.
    pub(crate) async fn wait(&self, timeouts: Duration) {
        let mut listens = self.0.subscribe();
        let _ = time::timeout(timeouts, listens.wait_for(|listens| *listens)).await;
    }
}

/// Sends every event until the web view is gone, merged to at most twenty messages a second.
pub(crate) async fn stream(
    mut events: Receiver<StudioEvent>,
    mut dragging: watch::Receiver<Option<[f64; 2]>>,
    channel: Channel<Vec<StudioEvent>>,
) {
    let mut feed = Feed::default();
    let mut ticks = time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            event = events.recv() => match event {
                Ok(event) => feed.push(event),
                Err(RecvError::Lagged(n_lost)) => {
                    tracing::warn!(n_lost, "the window did not keep up");
                    feed.push(StudioEvent::Lagged);
                }
                Err(RecvError::Closed) => return,
            },
            Ok(()) = dragging.changed() => {
                let position = *dragging.borrow_and_update();
                feed.push(StudioEvent::Dragging { position });
            }
            _ = ticks.tick(), if !feed.is_empty() => {
                if channel.send(feed.take()).is_err() {
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn what_is_told_waits_for_the_first_page() {
        let audience = Arc::new(Audience::default());
        let waiting = Arc::clone(&audience);
        let told = tokio::spawn(async move { waiting.wait(Duration::from_secs(600)).await });
        time::sleep(Duration::from_millis(50)).await;
        assert!(!told.is_finished());
        audience.has_come();
        told.await.unwrap();
        // From then on nothing waits.
        audience.wait(Duration::from_secs(600)).await;
    }

    #[tokio::test]
    async fn a_page_that_never_comes_is_not_waited_for_any_longer() {
        Audience::default().wait(Duration::from_millis(10)).await;
    }
}
