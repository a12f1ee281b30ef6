//! Disks that are full, cannot be written, or go away.
#![cfg_attr(not(target_os = "linux"), allow(unused_imports, reason = "only Linux lends small disks"))]

use std::path::Path;
#[cfg(target_os = "linux")]
use std::process::Command;

use protocol::{ErrorCode, Image, ProjectId};
use store::{Error, Store};

use crate::support::*;

/// A small disk of its own, where the system lets us have one.
#[cfg(target_os = "linux")]
struct SmallDisk {
    folder: tempfile::TempDir,
}

#[cfg(target_os = "linux")]
impl SmallDisk {
    fn new(options: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let is_mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(folder.path())
            .output()
            .is_ok_and(|output| output.status.success());
        if !is_mounted {
            println!("skipped: no disk can be mounted here");
            return None;
        }
        Some(Self { folder })
    }

    fn remount(&self, options: &str) {
        let status = Command::new("mount").args(["-o", options]).arg(self.folder.path()).status().unwrap();
        assert!(status.success());
    }
}

#[cfg(target_os = "linux")]
impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.folder.path()).status();
    }
}

/// An image that does not shrink.
fn noise(seed: u32, side: u32) -> Image {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let rgb = (0..side * side * 3)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state as u8
        })
        .collect();
    Image::new(side, side, rgb).unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_shows_nothing_as_saved_that_is_not() {
    // The last has room and runs out of files.
    for options in ["size=1500k", "size=2m", "size=3m", "size=6m", "size=64m,nr_inodes=330"] {
        let Some(disk) = SmallDisk::new(options) else { return };
        let folder = disk.folder.path().join("library");
        let store = Store::open(&folder, 1).unwrap().store;
        let project = ProjectId::new();
        let mut saved = Vec::new();
        let mut n_refused = 0;
        for number in 0..400 {
            let new = new_node(project, None, &format!("{number}"));
            let image = noise(number, 96);
            match store.add_result(&new, &image, None, 1) {
                Ok(added) => saved.push((added.node, image)),
                Err(error) => {
                    assert_eq!(error.code(), ErrorCode::DiskFull, "{options}: {error}");
                    let line = error.to_string();
                    assert!(line.contains("library") && line.contains("free some space"), "{line}");
                    n_refused += 1;
                    if n_refused == 5 {
                        break;
                    }
                }
            }
        }
        assert!(n_refused > 0 && !saved.is_empty(), "{options}: {n_refused} refused, {} saved", saved.len());
        for (node, image) in &saved {
            assert_eq!(&store.node(node.id).unwrap(), node);
            assert_eq!(&imagefile::read(&store.path(node.id).unwrap()).unwrap().image, image);
        }
        assert_eq!(store.counts().unwrap().n_nodes, saved.len() as u64, "{options}");

        // Room, and it goes on without a restart.
        disk.remount("remount,size=64m,nr_inodes=4000");
        store.add_result(&new_node(project, None, "after"), &noise(9_999, 96), None, 1).unwrap();
        drop(store);
        let opened = Store::open(&folder, 2).unwrap();
        assert!(opened.recovery.missing.is_empty() && opened.recovery.set_aside.is_none(), "{:?}", opened.recovery);
        let n_nodes = opened.store.counts().unwrap().n_nodes - opened.recovery.adopted.len() as u64;
        assert_eq!(n_nodes, saved.len() as u64 + 1, "{options}");
        opened.store.run_maintenance(u64::MAX / 4).unwrap();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_cannot_be_written_can_be_read() {
    let Some(disk) = SmallDisk::new("size=32m") else { return };
    let folder = disk.folder.path().join("library");
    let store = Store::open(&folder, 1).unwrap().store;
    let project = ProjectId::new();
    let node = store.add_result(&new_node(project, None, "a"), &image("a"), None, 1).unwrap().node;
    // Not closed: the newest is in the log only.
    drop(store);
    disk.remount("remount,ro");
    let opened = Store::open(&folder, 2).unwrap();
    assert!(opened.store.is_read_only());
    assert_eq!(opened.store.node(node.id).unwrap(), node);
    assert!(opened.store.path(node.id).unwrap().is_file());
    assert!(opened.store.thumbnail(node.id).unwrap().is_file());
    let error = opened.store.add_result(&new_node(project, None, "b"), &image("b"), None, 1).unwrap_err();
    assert!(matches!(error, Error::ReadOnly { .. }));
    assert!(error.to_string().contains("can only be read"));
    assert!(matches!(opened.store.set_starred(&[node.id], true), Err(Error::ReadOnly { .. })));
    opened.store.run_maintenance(u64::MAX / 4).unwrap();
    opened.store.close(3).unwrap();
    drop(opened);
    assert!(Store::open(&disk.folder.path().join("new"), 1).is_err());

    disk.remount("remount,rw");
    let opened = Store::open(&folder, 4).unwrap();
    assert!(!opened.store.is_read_only());
    opened.store.add_result(&new_node(project, None, "b"), &image("b"), None, 1).unwrap();
}

#[test]
fn a_library_that_goes_away_and_comes_back_loses_nothing() {
    let outside = Library::outside();
    let (here, away) = (outside.path().join("library"), outside.path().join("away"));
    let store = Store::open(&here, 1).unwrap().store;
    let project = ProjectId::new();
    let node = store.add_result(&new_node(project, None, "a"), &image("a"), None, 1).unwrap().node;
    std::fs::rename(&here, &away).unwrap();
    let error = store.add_result(&new_node(project, None, "b"), &image("b"), None, 1).unwrap_err();
    assert_eq!(error.to_string().lines().count(), 1);
    assert!(store.thumbnail(node.id).is_err());
    std::fs::rename(&away, &here).unwrap();
    store.add_result(&new_node(project, None, "c"), &image("c"), None, 1).unwrap();
    assert!(store.thumbnail(node.id).is_ok());
    drop(store);
    let opened = Store::open(&here, 2).unwrap();
    let prompts: Vec<_> = opened.store.project(project).unwrap().nodes.into_iter().map(|node| node.prompt).collect();
    assert_eq!(prompts, ["a", "c"]);
    assert!(opened.recovery.missing.is_empty() && opened.recovery.unknown.is_empty());
}

#[test]
fn what_is_no_folder_is_refused_with_a_line() {
    let outside = Library::outside();
    let file = outside.path().join("file");
    std::fs::write(&file, b"mine").unwrap();
    for path in [file.as_path(), Path::new("/dev/null"), Path::new("/proc/none")] {
        let Err(error) = Store::open(path, 1) else { panic!("{} was opened", path.display()) };
        assert_eq!(error.to_string().lines().count(), 1, "{error}");
    }
    assert_eq!(std::fs::read(&file).unwrap(), b"mine");
    assert!(noise(1, 4) != noise(2, 4));
}
