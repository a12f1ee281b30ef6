//! The short forms of what `store-soak` does.

use std::path::Path;
use std::process::Command;

/// Runs the tool and gives back what it said; in memory where the system has a disk there, because a killed program
/// leaves the same behind.
fn soak(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_store-soak"));
    command.args(arguments);
    let memory = Path::new("/dev/shm");
    if tempfile::tempfile_in(memory).is_ok() {
        command.env("TMPDIR", memory);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    println!("{said}");
    said
}

/// Whether the system lets a program's calls be looked at; containers may forbid it.
fn can_trace() -> bool {
    let traced = Command::new("strace").args(["-o", "/dev/null", "true"]).output();
    let can = traced.is_ok_and(|output| output.status.success());
    if !can {
        println!("skipped: strace cannot be used here");
    }
    can
}

#[test]
fn nothing_acknowledged_is_lost_when_the_program_is_killed() {
    assert!(soak(&["kills", "50"]).contains("0 lost"));
}

#[test]
fn damaged_databases_are_noticed_and_mended() {
    assert!(soak(&["flips", "30"]).contains("0 images lost"));
}

#[test]
fn a_change_is_on_the_disk_before_it_is_acknowledged() {
    if can_trace() {
        let said = soak(&["order"]);
        assert!(said.contains("all in order"), "{said}");
    }
}

#[test]
fn failing_calls_lose_nothing() {
    if can_trace() {
        let said = soak(&["faults", "12"]);
        assert!(said.contains("0 lost"), "{said}");
    }
}
