//! Many rows of faults, after each of which the server behaves.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use crate::support::drive::{Outcome as Download, finish};
use crate::support::fault::Fault;
use crate::support::scene::{Facts, Files, Scene, hurried, published};
use crate::support::server::Server;
use crate::{N_BYTES, Outcome};

/// Downloads at the same time.
const N_AT_ONCE: usize = 6;

/// What a client may have to fetch again, beside a fiftieth of the file.
const BLOCK_BYTES: u64 = 256 << 10;

pub(crate) async fn run(n_schedules: u64) -> Outcome<()> {
    let begun = Instant::now();
    let files = Arc::new(published(N_BYTES, 1));
    let n_bytes: u64 = files.values().map(|bytes| bytes.len() as u64).sum();
    let mut running = tokio::task::JoinSet::new();
    let mut done: Vec<(u64, bool, Vec<Fault>, Download)> = Vec::new();
    for seed in 0..n_schedules {
        running.spawn(one(seed, Arc::clone(&files), n_bytes));
        if running.len() >= N_AT_ONCE
            && let Some(result) = running.join_next().await
        {
            done.push(result?);
        }
    }
    while let Some(result) = running.join_next().await {
        done.push(result?);
    }
    let n_wrong: usize = done.iter().map(|(.., download)| download.wrong_files.len()).sum();
    let n_finished = done.iter().filter(|(.., download)| download.is_finished).count();
    let n_in_one_call = done.iter().filter(|(.., download)| download.n_calls == 1).count();
    let again = |download: &Download| download.fetched_bytes.saturating_sub(n_bytes);
    let unspoiled: Vec<u64> = done.iter().filter(|it| !it.1).map(|it| again(&it.3)).collect();
    let most = unspoiled.iter().copied().max().unwrap_or(0);
    let percent = |bytes: u64, of: u64| 100.0 * bytes as f64 / of.max(1) as f64;
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for fault in done.iter().flat_map(|(_, _, faults, _)| faults) {
        let name = format!("{fault:?}");
        *kinds.entry(name.split(' ').next().unwrap_or_default().to_owned()).or_default() += 1;
    }
    println!(
        "schedules           {n_schedules} of {:.1} MB each, {:.0} s",
        n_bytes as f64 / 1e6,
        begun.elapsed().as_secs_f64()
    );
    println!("  faults            {kinds:?}");
    println!("  wrong files       {n_wrong}");
    println!("  finished          {n_finished}, {n_in_one_call} of them without being asked to go on");
    println!(
        "  fetched again     {:.2} % at most, {:.3} % on average, over {} schedules that spoil nothing",
        percent(most, n_bytes),
        percent(unspoiled.iter().sum(), n_bytes * unspoiled.len() as u64),
        unspoiled.len()
    );
    for (seed, _, faults, download) in done.iter().filter(|(.., it)| !it.is_finished || !it.wrong_files.is_empty()) {
        println!("  seed {seed}: {download:?} {faults:?}");
    }
    let n_missing = n_schedules.saturating_sub(n_finished as u64);
    if n_wrong > 0 || n_missing > 0 || most > n_bytes / 50 + BLOCK_BYTES {
        return Err(format!("{n_wrong} wrong files, {n_missing} unfinished, {most} bytes fetched again at most").into());
    }
    Ok(())
}

async fn one(seed: u64, files: Arc<Files>, n_bytes: u64) -> (u64, bool, Vec<Fault>, Download) {
    let server = Server::start(files.as_ref().clone()).await;
    let faults = Fault::schedule(seed, n_bytes);
    server.schedule(faults.clone());
    let facts = if seed.is_multiple_of(2) { Facts::All } else { Facts::None };
    let scene = Scene::new(files.as_ref().clone(), facts);
    let download = finish(&scene, &scene.catalog(), &hurried(&server.origin, seed)).await;
    (seed, Fault::spoil(&faults), faults, download)
}
