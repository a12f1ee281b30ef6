//! Commit subjects: an area, what the commit does, and no more than a line of `git log --oneline`.

use crate::sources::git;

/// Since this file is here, the rule holds.
const SINCE: &str = "src-tauri/crates/xtask/tests/house/commits.rs";

const MAX_CHARACTERS: usize = 72;

/// What is wrong with a subject.
fn find_fault(subject: &str) -> Option<&'static str> {
    let Some((area, rest)) = subject.split_once(": ") else { return Some("begin with an area, as `engine: `") };
    let is_area = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_,/. ".contains(c);
    if area.is_empty() || !area.chars().all(is_area) {
        return Some("write the area in lower case");
    }
    if subject.chars().count() > MAX_CHARACTERS {
        return Some("72 characters are the limit; reasons belong in the body");
    }
    if rest.ends_with('.') {
        return Some("leave the full stop out");
    }
    let first = rest.split_whitespace().next().unwrap_or_default();
    let is_past_or_present =
        ["ed", "ing"].iter().any(|end| first.len() > 5 && first.ends_with(end) && !first.ends_with("eed"));
    is_past_or_present.then_some("begin with an imperative: add, not added or adding")
}

#[test]
fn commit_subjects_name_the_area_and_the_change() {
    let is_shallow = git(&["rev-parse", "--is-shallow-repository"]).is_none_or(|answer| answer.trim() != "false");
    if is_shallow {
        return;
    }
    let start = git(&["log", "--diff-filter=A", "--format=%H", "--", SINCE]).unwrap_or_default();
    let Some(start) = start.lines().last() else { return };
    // Released commits cannot change any more.
    let tag = git(&["describe", "--tags", "--abbrev=0"]).unwrap_or_default();
    let mut arguments = vec!["log", "--no-merges", "--max-count=50", "--format=%h %s", "HEAD", "--not", start];
    arguments.extend(tag.lines());
    let commits = git(&arguments).expect("a history");
    let faults: Vec<String> = commits
        .lines()
        .filter_map(|commit| {
            let (_, subject) = commit.split_once(' ')?;
            Some(format!("{commit}: {}", find_fault(subject)?))
        })
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn subject_needs_an_area_an_imperative_and_few_words() {
    let check = |subject: &str, is_good: bool| assert_eq!(find_fault(subject).is_none(), is_good, "{subject}");
    check("engine: skip the unconditional branch when guidance is 1", true);
    check("ui/canvas: embed the speed", true);
    check("Say how new cases came out", false);
    check("engine: skipped a branch", false);
    check("engine: adding a branch", false);
    check("engine: skip a branch.", false);
    check(&format!("engine: skip {}", "x".repeat(MAX_CHARACTERS)), false);
}
