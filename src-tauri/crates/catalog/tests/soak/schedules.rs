//! Many schedules of faults, after each of which the server behaves.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::support::drive::{Outcome as Download, finish};
use crate::support::fault::Fault;
use crate::support::scene::{Facts, Files, Scene, hurried, published};
use crate::support::server::Server;
use crate::{N_BYTES, Outcome};

/// Downloads at the same time.
const N_PARALLEL: usize = 6;

/// A client may fetch this much again, in addition to a fiftieth of the files.
const BLOCK_BYTES: u64 = 256 << 10;

pub(crate) async fn run(n_schedules: u64) -> Outcome<()> {
    let started = Instant::now();
    let files = Arc::new(published(N_BYTES, 1));
    let n_bytes: u64 = files.values().map(|bytes| bytes.len() as u64).sum();
    let mut running = tokio::task::JoinSet::new();
    let mut done = Vec::new();
    for seed in 0..n_schedules {
        running.spawn(run_schedule(seed, Arc::clone(&files), n_bytes));
        if running.len() >= N_PARALLEL
            && let Some(result) = running.join_next().await
        {
            done.push(result?);
        }
    }
    while let Some(result) = running.join_next().await {
        done.push(result?);
    }
    report(&done, n_bytes, started.elapsed())
}

/// A schedule, and how the download went.
struct Run {
    seed: u64,
    faults: Vec<Fault>,
    /// Whether the faults alter bytes, so that a client must fetch whole files again.
    spoils_files: bool,
    download: Download,
}

async fn run_schedule(seed: u64, files: Arc<Files>, n_bytes: u64) -> Run {
    let server = Server::start(files.as_ref().clone()).await;
    let faults = Fault::schedule(seed, n_bytes);
    server.schedule(faults.clone());
    let facts = if seed.is_multiple_of(2) { Facts::All } else { Facts::None };
    let scene = Scene::new(files.as_ref().clone(), facts);
    let download = finish(&scene, &scene.catalog(), &hurried(&server.origin, seed)).await;
    Run { seed, spoils_files: Fault::spoil(&faults), faults, download }
}

fn report(runs: &[Run], n_bytes: u64, elapsed: Duration) -> Outcome<()> {
    let n_wrong: usize = runs.iter().map(|run| run.download.wrong_files.len()).sum();
    let n_finished = runs.iter().filter(|run| run.download.is_finished).count();
    let n_in_one_call = runs.iter().filter(|run| run.download.n_calls == 1).count();
    let repeated: Vec<u64> = runs
        .iter()
        .filter(|run| !run.spoils_files)
        .map(|run| run.download.fetched_bytes.saturating_sub(n_bytes))
        .collect();
    let max_repeated = repeated.iter().copied().max().unwrap_or(0);
    let percent = |bytes: u64, total: u64| 100.0 * bytes as f64 / total.max(1) as f64;
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for fault in runs.iter().flat_map(|run| &run.faults) {
        let name = format!("{fault:?}");
        *kinds.entry(name.split(' ').next().unwrap_or_default().to_owned()).or_default() += 1;
    }
    println!(
        "schedules           {} of {:.1} MB each, {:.0} s",
        runs.len(),
        n_bytes as f64 / 1e6,
        elapsed.as_secs_f64()
    );
    println!("  faults            {kinds:?}");
    println!("  wrong files       {n_wrong}");
    println!("  finished          {n_finished}, {n_in_one_call} of them in one call");
    println!(
        "  fetched again     at most {:.2} %, {:.3} % on average, in {} schedules that alter no bytes",
        percent(max_repeated, n_bytes),
        percent(repeated.iter().sum(), n_bytes * repeated.len() as u64),
        repeated.len()
    );
    for run in runs.iter().filter(|run| !run.download.is_finished || !run.download.wrong_files.is_empty()) {
        println!("  seed {}: {:?} {:?}", run.seed, run.download, run.faults);
    }
    let n_unfinished = runs.len() - n_finished;
    if n_wrong > 0 || n_unfinished > 0 || max_repeated > n_bytes / 50 + BLOCK_BYTES {
        let message = format!("{n_wrong} wrong files, {n_unfinished} unfinished, {max_repeated} bytes fetched again");
        return Err(message.into());
    }
    Ok(())
}
