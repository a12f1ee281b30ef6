//! Kills a process during its download, again and again.

use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::process::Command;

use crate::support::drive::finish;
use crate::support::scene::{Facts, Numbers, Scene, hurried, published};
use crate::support::server::Server;
use crate::{N_BYTES, Outcome};

/// Slow enough that most kills hit the middle of the download.
const BYTES_PER_SEC: u64 = 20_000_000;

pub(crate) async fn run(n_kills: u64) -> Outcome<()> {
    let started = Instant::now();
    let scene = Scene::new(published(N_BYTES, 2), Facts::All);
    let n_bytes: u64 = scene.files.values().map(|bytes| bytes.len() as u64).sum();
    let server = Server::start(scene.files.clone()).await;
    server.limit_rate(BYTES_PER_SEC);
    let mut numbers = Numbers(3);
    let (mut n_killed, mut n_completed, mut n_wrong) = (0, 0, 0);
    while n_killed < n_kills {
        let program = std::env::current_exe()?;
        let mut child = Command::new(program)
            .arg("fetch")
            .arg(&scene.folder)
            .arg(&server.origin)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let life = Duration::from_millis(5 + numbers.below(295));
        match tokio::time::timeout(life, child.wait()).await {
            Ok(status) => {
                if !status?.success() || !scene.is_whole() {
                    return Err("a download that was not killed did not complete".into());
                }
                n_completed += 1;
                std::fs::remove_dir_all(scene.models())?;
            }
            Err(_) => {
                child.kill().await?;
                n_killed += 1;
            }
        }
        n_wrong += scene.wrong_files().len();
    }
    server.limit_rate(0);
    let last = finish(&scene, &scene.catalog(), &hurried(&server.origin, 1)).await;
    let n_downloads = n_completed + u64::from(last.is_finished);
    let repeated_bytes = server.sent_bytes().saturating_sub(n_downloads * n_bytes);
    let percent = 100.0 * repeated_bytes as f64 / (n_downloads * n_bytes).max(1) as f64;
    println!("kills               {n_killed}, {:.0} s", started.elapsed().as_secs_f64());
    println!("  wrong files       {n_wrong}");
    println!("  downloads         {n_downloads} completed, the last one resumed after a kill: {}", last.is_finished);
    println!(
        "  sent again        {percent:.2} %, {:.0} kB per kill, including bytes that the process had not read yet",
        repeated_bytes as f64 / 1e3 / n_killed.max(1) as f64
    );
    if n_wrong > 0 || !last.is_finished {
        return Err(format!("{n_wrong} wrong files; finished: {}", last.is_finished).into());
    }
    Ok(())
}
