//! A disk that fills up during a download, and has free space again later.
//!
//! Needs permission to mount a file system in memory; is skipped without it.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use protocol::ErrorCode;

use crate::support::drive::{fetch, finish};
use crate::support::scene::{Facts, Scene, hurried, published};
use crate::support::server::Server;
use crate::{N_BYTES, Outcome};

pub(crate) async fn run() -> Outcome<()> {
    let scene = Scene::new(published(N_BYTES, 8), Facts::All);
    let models = scene.models();
    fs::create_dir_all(&models)?;
    let Some(_disk) = Mounted::new(&models, "1100m")? else {
        println!("full disk           skipped: no file system can be mounted here");
        return Ok(());
    };
    let server = Server::start(scene.files.clone()).await;
    server.limit_rate(4_000_000);
    let filler = models.join("filler");
    let (catalog, options) = (scene.catalog(), hurried(&server.origin, 1));
    let fill = async {
        tokio::time::sleep(std::time::Duration::from_millis(700)).await;
        fill_up(&filler);
    };
    let (result, ()) = tokio::join!(fetch(&catalog, &options), fill);
    let Err(error) = result else { return Err("the download succeeded on a full disk".into()) };
    let kept_bytes = fs::metadata(scene.source().join("model.safetensors.part")).map_or(0, |about| about.len());
    fs::remove_file(&filler)?;
    server.limit_rate(0);
    let after = finish(&scene, &catalog, &options).await;
    println!("full disk           \"{error}\"");
    println!("  kept              {:.1} MB", kept_bytes as f64 / 1e6);
    println!("  with free space   finished: {}, {:.1} MB fetched", after.is_finished, after.fetched_bytes as f64 / 1e6);
    let is_right = error.code() == ErrorCode::DiskFull && kept_bytes > 0 && after.is_finished;
    if is_right && after.wrong_files.is_empty() { Ok(()) } else { Err(format!("{error}; {after:?}").into()) }
}

/// Writes until the disk is full.
fn fill_up(path: &Path) {
    let Ok(mut file) = File::create(path) else { return };
    let block = vec![7; 1 << 20];
    while file.write_all(&block).is_ok() {}
}

/// A file system in memory, until it is dropped.
struct Mounted<'a>(&'a Path);

impl<'a> Mounted<'a> {
    fn new(folder: &'a Path, size: &str) -> Outcome<Option<Self>> {
        let options = format!("size={size}");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(folder).output();
        Ok(mount.is_ok_and(|output| output.status.success()).then_some(Self(folder)))
    }
}

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        drop(Command::new("umount").arg(self.0).output());
    }
}
