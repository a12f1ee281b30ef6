//! Lets writes, syncs and renames fail one at a time; the store must not acknowledge a change that is not saved.

use std::process::Command;

use store::Store;

use crate::Outcome;
use crate::model::{Line, Model, parse_lines};
use crate::order::can_trace;

/// System calls, and the error that strace injects into them.
const FAULTS: [(&str, &str); 6] = [
    ("fsync,fdatasync", "EIO"),
    ("pwrite64", "EIO"),
    ("pwrite64", "ENOSPC"),
    ("rename,renameat,renameat2", "EIO"),
    ("openat", "ENOSPC"),
    ("unlink", "EIO"),
];

/// Enough for every kind of change.
const N_STEPS: &str = "40";

pub(crate) fn run(n_faults: usize) -> Outcome<()> {
    if !can_trace() {
        return Err("faults needs strace, which cannot be used here".into());
    }
    let (mut n_failed, mut n_acknowledged, mut n_refused) = (0, 0, 0);
    for number in 0..n_faults {
        let (calls, error) = FAULTS.get(number % FAULTS.len()).copied().unwrap_or(("fsync", "EIO"));
        let when = 1 + number / FAULTS.len();
        let folder = tempfile::tempdir()?;
        // Creates the library before any call fails.
        drop(Store::open(folder.path(), 1)?);
        let output = Command::new("strace")
            .args(["-f", "-o", "/dev/null", "-e", &format!("trace={calls}")])
            .args(["-e", &format!("inject={calls}:error={error}:when={}", 3 * when)])
            .arg(std::env::current_exe()?)
            .args(["some".as_ref(), folder.path().as_os_str(), (number + 1).to_string().as_ref(), N_STEPS.as_ref()])
            .output()?;
        let mut model = Model::default();
        let mut open = None;
        for line in parse_lines(&output.stdout)? {
            match line {
                Line::Started(change) => open = Some(change),
                Line::Finished(change) => {
                    model.apply(&change);
                    n_acknowledged += 1;
                    open = None;
                }
                Line::Failed(change, error) => {
                    if error.contains('\n') {
                        return Err(format!("the error has more than one line: {error}").into());
                    }
                    model.mark_uncertain(&change);
                    if let Some(open) = open.take() {
                        model.mark_uncertain(&open);
                    }
                    n_failed += 1;
                }
            }
        }
        if let Some(open) = open {
            model.mark_uncertain(&open);
        }
        n_refused += usize::from(!output.status.success());
        let fail = |what: String| format!("{calls} failing with {error}, call {}: {what}", 3 * when);
        let opened = Store::open(folder.path(), 2).map_err(|error| fail(error.to_string()))?;
        if !opened.recovery.missing.is_empty() || opened.recovery.set_aside.is_some() {
            return Err(fail(format!("{:?}", opened.recovery)).into());
        }
        opened.store.run_maintenance(u64::MAX / 4).map_err(|error| fail(error.to_string()))?;
        let found = Model::read(&opened.store).map_err(|error| fail(error.to_string()))?;
        if let Some(missing) = model.find_missing(&found, None) {
            return Err(fail(missing).into());
        }
    }
    println!(
        "faults: {n_faults} runs with a failing call, {n_acknowledged} changes acknowledged, {n_failed} failed with an \
         error, {n_refused} runs ended early, 0 lost, 0 rows without a file, 0 damaged databases"
    );
    Ok(())
}
