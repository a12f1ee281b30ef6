//! How much memory a download takes.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use catalog::Catalog;
use tokio::process::Command;

use crate::Outcome;
use crate::support::scene::{Facts, Scene, hurried, id, published};
use crate::support::server::Server;

/// Anonymous memory that the downloading process may hold.
const MAX_BYTES: u64 = 32 << 20;

pub(crate) async fn run() -> Outcome<()> {
    let scene = Scene::new(published(256 << 20, 6), Facts::All);
    let server = Server::start(scene.files.clone()).await;
    let output = Command::new(std::env::current_exe()?).arg("fetch").arg(&scene.folder).arg(&server.origin).output();
    let output = output.await?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() || !scene.is_whole() {
        return Err(format!("the download failed: {text}").into());
    }
    let peak_bytes: u64 = text.trim().parse()?;
    println!("memory              at most {:.1} MB for 256 MiB", peak_bytes as f64 / 1e6);
    if peak_bytes > MAX_BYTES { Err(format!("{peak_bytes} bytes").into()) } else { Ok(()) }
}

/// Downloads, and prints the peak of anonymous memory in bytes.
pub(crate) async fn fetch(folder: &Path, origin: &str) -> Outcome<()> {
    let catalog = Catalog::open(folder.join("models"), Some(folder.join("models.toml")), None)?;
    let mut peak_bytes = 0;
    let (small, mut options) = (id("small"), hurried(origin, 1));
    // The server hashes a large file before it answers.
    options.timeouts.stall = Duration::from_secs(20);
    let download = catalog.download(&small, &options, |_| {
        peak_bytes = peak_bytes.max(anonymous_bytes());
        ControlFlow::Continue(())
    });
    download.await?;
    println!("{peak_bytes}");
    Ok(())
}

/// Memory of this process without mapped files; 0 where the system does not report it.
fn anonymous_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("RssAnon:"));
    line.and_then(|it| it.split_whitespace().nth(1)?.parse::<u64>().ok()).map_or(0, |kib| kib * 1024)
}
