//! One name, one public type: a reader who meets `Planner` must not have to ask of which crate.

use std::collections::BTreeMap;

use crate::sources;

/// Names that every crate may have: what they mean is the crate's own by Rust's custom.
const CUSTOMARY: &[&str] = &["Error", "Result"];

/// Names that are about to be changed.
const NOT_YET: &[&str] = &["Command", "Entry", "Input", "Kind", "Options", "Outcome", "ReadImage", "Request"];

#[test]
fn public_types_of_two_crates_have_two_names() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for source in sources::rust_sources() {
        for item in &source.syntax.items {
            let (visibility, name) = match item {
                syn::Item::Struct(it) => (&it.vis, &it.ident),
                syn::Item::Enum(it) => (&it.vis, &it.ident),
                syn::Item::Trait(it) => (&it.vis, &it.ident),
                syn::Item::Type(it) => (&it.vis, &it.ident),
                _ => continue,
            };
            if matches!(visibility, syn::Visibility::Public(_)) {
                places.entry(name.to_string()).or_default().push(format!("{}/{}", source.package, source.path));
            }
        }
    }
    let is_free = |name: &str| CUSTOMARY.contains(&name) || NOT_YET.contains(&name);
    let shared: Vec<String> = places
        .iter()
        .filter(|(name, places)| places.len() > 1 && !is_free(name))
        .map(|(name, places)| format!("{name}: {}", places.join(", ")))
        .collect();
    assert!(shared.is_empty(), "rename all but one:\n{}", shared.join("\n"));
}
