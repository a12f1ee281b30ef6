//! Fifty schedules of faults; the soak runs a thousand of the same.

use crate::support::drive::finish;
use crate::support::fault::Fault;
use crate::support::scene::{Facts, Scene, hurried, published};
use crate::support::server::Server;

const N_SEEDS: u64 = 50;
const N_BYTES: usize = 1 << 20;
const BLOCK_BYTES: u64 = 256 << 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_the_server_does_no_wrong_file_is_taken_and_the_right_one_comes() {
    let mut running = tokio::task::JoinSet::new();
    for seed in 0..N_SEEDS {
        running.spawn(async move {
            let files = published(N_BYTES, seed);
            let n_bytes: u64 = files.values().map(|bytes| bytes.len() as u64).sum();
            let server = Server::start(files.clone()).await;
            let faults = Fault::schedule(seed, n_bytes);
            let is_spoiled = Fault::spoil(&faults);
            server.schedule(faults.clone());
            let facts = if seed % 2 == 0 { Facts::All } else { Facts::None };
            let scene = Scene::new(files, facts);
            let outcome = finish(&scene, &scene.catalog(), &hurried(&server.origin, seed)).await;
            assert_eq!(outcome.wrong_files, [""; 0], "seed {seed}: {faults:?}");
            assert!(outcome.is_finished, "seed {seed}: {outcome:?} {faults:?}");
            let again = outcome.fetched_bytes.saturating_sub(n_bytes);
            let allowed = n_bytes / 50 + BLOCK_BYTES;
            assert!(is_spoiled || again <= allowed, "seed {seed}: {again} bytes twice: {faults:?}");
        });
        while running.len() >= 8 {
            running.join_next().await.unwrap().unwrap();
        }
    }
    while let Some(done) = running.join_next().await {
        done.unwrap();
    }
}
