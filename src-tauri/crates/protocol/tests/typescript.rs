//! The TypeScript types that the window imports are those of this crate.

use std::path::Path;

use protocol::typescript::{TYPESCRIPT_PATH, typescript};

#[test]
fn checked_in_typescript_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").join(TYPESCRIPT_PATH);
    let found = std::fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n");
    assert!(found == typescript(), "{TYPESCRIPT_PATH} is stale: run `cargo xtask codegen`");
}

#[test]
fn every_named_type_is_declared() {
    let module = typescript();
    let declared: Vec<&str> = module
        .lines()
        .filter_map(|line| line.strip_prefix("export type "))
        .filter_map(|line| line.split(' ').next())
        .collect();
    let code = module.lines().filter(|line| !line.trim_start().starts_with(['/', '*']));
    for word in code.flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '"')) {
        let is_type = word.starts_with(char::is_uppercase) && word.contains(char::is_lowercase) && word != "Array";
        assert!(!is_type || declared.contains(&word), "{word} is used and not declared");
    }
}
