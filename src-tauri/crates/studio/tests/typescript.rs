//! The window's types are the studio's.

use std::path::Path;

#[test]
fn the_generated_types_are_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").join(studio::typescript::TYPESCRIPT_PATH);
    let checked_in = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(checked_in, studio::typescript::typescript(), "run `cargo xtask codegen`");
}
