//! The order of writes and syncs, as the system sees it: what survives a loss of power.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Outcome;

/// Whether the system's calls can be looked at here.
pub(crate) fn can_trace() -> bool {
    Command::new("strace").args(["-o", "/dev/null", "true"]).output().is_ok_and(|output| output.status.success())
}

/// A call that decides what is on the disk, or a line that says what is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Call {
    Write(PathBuf),
    Sync(PathBuf),
    Rename(PathBuf, PathBuf),
    Unlink(PathBuf),
    Begun(String),
    Acknowledged(String),
}

pub(crate) fn run() -> Outcome<()> {
    if !can_trace() {
        return Err("order: strace cannot be used here".into());
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
        return Err(format!("{n_acknowledged} changes were acknowledged in place of 4").into());
    }
    let n_syncs = calls.iter().filter(|call| matches!(call, Call::Sync(_))).count();
    println!("order: {n_acknowledged} changes, {} calls, {n_syncs} syncs, all in order", calls.len());
    Ok(())
}

/// Holds the calls against the rules; gives back how many changes were acknowledged.
fn check(calls: &[Call], library: &Path) -> Outcome<usize> {
    let log = library.join("library.db-wal");
    let is_image = |path: &Path| path.starts_with(library.join("images"));
    let mut n_acknowledged = 0;
    let mut begun_at = 0;
    for (place, call) in calls.iter().enumerate() {
        let since_begun = calls.get(begun_at..place).unwrap_or_default();
        let fail = |what: &str| Err(format!("{what}: {call:?} after {since_begun:#?}").into());
        match call {
            Call::Begun(_) => begun_at = place,
            Call::Rename(from, to) => {
                // Written, synced, and only then named.
                let last = calls.get(..place).unwrap_or_default().iter().rev().find(|call| touches(call, from));
                if last != Some(&Call::Sync(from.clone())) {
                    return fail("named before it was synced");
                }
                let behind = calls.get(place + 1..).unwrap_or_default();
                let folder = to.parent().map(Path::to_owned).unwrap_or_default();
                let next = behind.iter().find(|call| matches!(call, Call::Write(_) | Call::Sync(_)));
                if next != Some(&Call::Sync(folder)) {
                    return fail("its folder was not synced next");
                }
            }
            Call::Write(path) if *path == log => {
                let is_open = |call: &&Call| matches!(call, Call::Rename(_, to) if is_image(to));
                let last_rename = since_begun.iter().rposition(|call| is_open(&call));
                if let Some(renamed) = last_rename {
                    let folder_synced = since_begun
                        .iter()
                        .skip(renamed)
                        .any(|call| matches!(call, Call::Sync(path) if is_image(path) && path.extension().is_none()));
                    if !folder_synced {
                        return fail("entered before its file was there for good");
                    }
                }
            }
            Call::Unlink(path) if is_image(path) && path.extension().is_some_and(|kind| kind != "part") => {
                let last = since_begun.iter().rev().find(|call| touches(call, &log));
                if last != Some(&Call::Sync(log.clone())) {
                    return fail("removed before its entry was gone for good");
                }
            }
            Call::Acknowledged(_) => {
                // What follows the removal of files is the list of what is still to be removed: not waited for.
                let written = since_begun.iter().position(|call| *call == Call::Write(log.clone()));
                let synced = since_begun.iter().rposition(|call| *call == Call::Sync(log.clone()));
                if written.is_none() || synced < written {
                    return fail("acknowledged before it was on the disk");
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

/// A line of strace.
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
            if text.starts_with("{\\\"Did") {
                Some(Call::Acknowledged(text))
            } else if text.starts_with("{\\\"Will") {
                Some(Call::Begun(text))
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
