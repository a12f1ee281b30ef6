//! Cancels downloads at random moments, also while the server sends nothing.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::support::fault::Fault;
use crate::support::scene::{Facts, Numbers, Scene, hurried, id, published};
use crate::support::server::Server;
use crate::{N_BYTES, Outcome};

/// A cancelled download must return within this time.
const MAX_RESPONSE_MS: u128 = 500;

pub(crate) async fn run(n_stops: u64) -> Outcome<()> {
    let scene = Scene::new(published(N_BYTES, 4), Facts::All);
    let server = Server::start(scene.files.clone()).await;
    server.limit_rate(15_000_000);
    let mut numbers = Numbers(5);
    let mut millis: Vec<u128> = Vec::new();
    while (millis.len() as u64) < n_stops {
        // In half of the downloads the server stalls, is silent or is busy.
        match numbers.below(6) {
            0 => server.schedule([Fault::Stall { after: numbers.below(N_BYTES as u64) }]),
            1 => server.schedule([Fault::Silent]),
            2 => server.schedule([Fault::Busy { status: 503, retry_after: Some(60) }]),
            _ => {}
        }
        let mut options = hurried(&server.origin, 1);
        options.timeouts.stall = Duration::from_secs(60);
        options.timeouts.longest_wait = Duration::from_secs(60);
        let is_cancelled = Arc::new(AtomicBool::new(false));
        let timer = {
            let is_cancelled = Arc::clone(&is_cancelled);
            let life = Duration::from_millis(1 + numbers.below(400));
            tokio::spawn(async move {
                tokio::time::sleep(life).await;
                is_cancelled.store(true, Ordering::SeqCst);
                Instant::now()
            })
        };
        let (catalog, small) = (scene.catalog(), id("small"));
        let result = catalog.download(&small, &options, |_| {
            if is_cancelled.load(Ordering::SeqCst) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let result = result.await;
        let ended = Instant::now();
        if matches!(result, Err(catalog::Error::Cancelled)) {
            millis.push(ended.saturating_duration_since(timer.await?).as_millis());
        } else {
            // The download ended first.
            timer.abort();
            std::fs::remove_dir_all(scene.models())?;
        }
    }
    millis.sort_unstable();
    let most = millis.last().copied().unwrap_or(0);
    println!("stops               {}", millis.len());
    println!("  answered in       at most {most} ms, {} ms in the median", millis.get(millis.len() / 2).unwrap_or(&0));
    if most > MAX_RESPONSE_MS { Err(format!("a download took {most} ms to cancel").into()) } else { Ok(()) }
}
