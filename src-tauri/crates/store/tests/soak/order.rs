//! Checks with strace that writes, syncs and renames are in the order that survives a power loss.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Outcome;

/// Whether strace works here; containers may forbid it.
pub(crate) fn can_trace() -> bool {
    Command::new("strace").args(["-o", "/dev/null", "true"]).output().is_ok_and(|output| output.status.success())
}

/// A system call that decides what is on disk, or a line that the process printed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Call {
    Write(PathBuf),
    Sync(PathBuf),
    Rename(PathBuf, PathBuf),
    Unlink(PathBuf),
    Started(String),
    Acknowledged(String),
}

pub(crate) fn run() -> Outcome<()> {
    if !can_trace() {
        return Err("order needs strace, which cannot be used here".into());
    }
    let folder = tempfile::tempdir()?;
    let trace = folder.path().join("trace");
    let library = folder.path().join("library");
    let output = Command::new("strace")
        .args(["-f", "-y", "-s", "200", "-o"])
        .arg(&trace)
        .args(["-e", "trace=write,pwrite64,fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,unlinkat"])
        .arg(std::env::current_exe()?)
        .args(["once".as_ref(), library.as_os_str()])
        .output()?;
    if !output.status.success() {
        return Err(format!("the traced program failed: {}", String::from_utf8_lossy(&output.stdout)).into());
    }
    let calls: Vec<Call> = std::fs::read_to_string(&trace)?.lines().filter_map(parse).collect();
    let n_acknowledged = check(&calls, &library)?;
    if n_acknowledged != 4 {
        return Err(format!("{n_acknowledged} changes were acknowledged instead of 4").into());
    }
    let n_syncs = calls.iter().filter(|call| matches!(call, Call::Sync(_))).count();
    println!("order: {n_acknowledged} changes, {} calls, {n_syncs} syncs, all in order", calls.len());
    Ok(())
}

/// Checks the calls against the rules and returns the number of acknowledged changes.
fn check(calls: &[Call], library: &Path) -> Outcome<usize> {
    let log = library.join("library.db-wal");
    let is_image = |path: &Path| path.starts_with(library.join("images"));
    let mut n_acknowledged = 0;
    let mut started_at = 0;
    for (idx, call) in calls.iter().enumerate() {
        let since_started = calls.get(started_at..idx).unwrap_or_default();
        let fail = |what: &str| Err(format!("{what}: {call:?} after {since_started:#?}").into());
        match call {
            Call::Started(_) => started_at = idx,
            Call::Rename(from, to) => {
                let last = calls.get(..idx).unwrap_or_default().iter().rev().find(|call| touches(call, from));
                if last != Some(&Call::Sync(from.clone())) {
                    return fail("renamed before it was synced");
                }
                let behind = calls.get(idx + 1..).unwrap_or_default();
                let folder = to.parent().map(Path::to_owned).unwrap_or_default();
                let next = behind.iter().find(|call| matches!(call, Call::Write(_) | Call::Sync(_)));
                if next != Some(&Call::Sync(folder)) {
                    return fail("the folder was not synced next");
                }
            }
            Call::Write(path) if *path == log => {
                let is_image_rename = |call: &&Call| matches!(call, Call::Rename(_, to) if is_image(to));
                let last_rename = since_started.iter().rposition(|call| is_image_rename(&call));
                if let Some(renamed) = last_rename {
                    let folder_synced = since_started
                        .iter()
                        .skip(renamed)
                        .any(|call| matches!(call, Call::Sync(path) if is_image(path) && path.extension().is_none()));
                    if !folder_synced {
                        return fail("inserted before its file was on disk");
                    }
                }
            }
            Call::Unlink(path) if is_image(path) && path.extension().is_some_and(|kind| kind != "part") => {
                let last = since_started.iter().rev().find(|call| touches(call, &log));
                if last != Some(&Call::Sync(log.clone())) {
                    return fail("removed before the deletion of its row was on disk");
                }
            }
            Call::Acknowledged(_) => {
                // The cleanup of pending deletes comes after the removal of files and is not waited for.
                let written = since_started.iter().position(|call| *call == Call::Write(log.clone()));
                let synced = since_started.iter().rposition(|call| *call == Call::Sync(log.clone()));
                if written.is_none() || synced < written {
                    return fail("acknowledged before it was on disk");
                }
                n_acknowledged += 1;
            }
            Call::Write(_) | Call::Sync(_) | Call::Unlink(_) => {}
        }
    }
    Ok(n_acknowledged)
}

fn touches(call: &Call, path: &Path) -> bool {
    matches!(call, Call::Write(other) | Call::Sync(other) if other == path)
}

/// Parses a line of strace.
fn parse(line: &str) -> Option<Call> {
    let line = line.split_once(' ').map(|(_process, rest)| rest.trim_start())?;
    let (name, arguments) = line.split_once('(')?;
    if arguments.contains(") = -1") {
        return None;
    }
    let of_descriptor = || Some(PathBuf::from(arguments.split_once('<')?.1.split_once('>')?.0));
    let mut quoted = arguments.split('"').skip(1).step_by(2).map(PathBuf::from);
    match name {
        "write" if arguments.starts_with("1<") => {
            let text = arguments.split_once('"')?.1.to_owned();
            if text.starts_with("{\\\"Finished") {
                Some(Call::Acknowledged(text))
            } else if text.starts_with("{\\\"Started") {
                Some(Call::Started(text))
            } else {
                None
            }
        }
        "write" | "pwrite64" => Some(Call::Write(of_descriptor()?)),
        "fsync" | "fdatasync" => Some(Call::Sync(of_descriptor()?)),
        "rename" | "renameat" | "renameat2" => Some(Call::Rename(quoted.next()?, quoted.next()?)),
        "unlink" | "unlinkat" => Some(Call::Unlink(quoted.next()?)),
        _ => None,
    }
}
