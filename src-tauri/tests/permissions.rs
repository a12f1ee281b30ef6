//! What the web view may do, word for word. A change here is a decision, not a side effect.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};
use tauri::utils::acl::capability::Capability;
use tauri::utils::acl::manifest::Manifest;
use tauri::utils::acl::resolved::Resolved;
use tauri::utils::acl::{ACL_MANIFESTS_FILE_NAME, CAPABILITIES_FILE_NAME, ExecutionContext};
use tauri::utils::platform::Target;

fn file(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

fn read(name: &str) -> Value {
    serde_json::from_str(&file(name)).unwrap()
}

/// The quoted words of the list that follows a mark.
fn list(source: &str, after: &str) -> BTreeSet<String> {
    let list = source.split(after).nth(1).unwrap().split(']').next().unwrap();
    list.split(',').map(|word| word.trim().trim_matches('"').to_owned()).filter(|word| !word.is_empty()).collect()
}

#[test]
fn the_window_may_call_the_studios_own_commands_and_nothing_else() {
    let permitted: BTreeSet<String> =
        serde_json::from_value(read("capabilities/main.json")["permissions"].clone()).unwrap();
    let declared = list(&file("build.rs"), "const COMMANDS: &[&str] = &[");
    let expected = declared.iter().map(|command| format!("allow-{}", command.replace('_', "-"))).collect();
    assert_eq!(permitted, expected);
    let handled = list(&file("src/main.rs"), "generate_handler![");
    let names = handled.iter().filter_map(|path| path.rsplit("::").next().map(str::to_owned)).collect();
    assert_eq!(declared, names);
}

/// What is compiled into the program: the build's own lists, of the framework's commands as well, put together as
/// Tauri does it.
#[test]
fn what_the_build_makes_of_the_permissions_is_no_more_than_was_written() {
    let made = |name| std::fs::read_to_string(Path::new(env!("OUT_DIR")).join(name)).unwrap();
    let manifests: BTreeMap<String, Manifest> = serde_json::from_str(&made(ACL_MANIFESTS_FILE_NAME)).unwrap();
    let capabilities: BTreeMap<String, Capability> = serde_json::from_str(&made(CAPABILITIES_FILE_NAME)).unwrap();
    let resolved = Resolved::resolve(&manifests, capabilities, Target::current()).unwrap();
    assert!(resolved.has_app_acl, "without such a list every command would be allowed");
    let allowed: BTreeSet<String> = resolved.allowed_commands.keys().cloned().collect();
    assert_eq!(allowed, list(&file("build.rs"), "const COMMANDS: &[&str] = &["));
    for command in resolved.allowed_commands.values().flatten() {
        let windows: Vec<&str> = command.windows.iter().map(|pattern| pattern.as_str()).collect();
        assert_eq!((&command.context, windows), (&ExecutionContext::Local, vec!["main"]));
        assert!(command.webviews.is_empty() && command.scope_id.is_none(), "{command:?}");
    }
    assert!(resolved.command_scope.is_empty() && resolved.global_scope.is_empty());
}

#[test]
fn there_is_one_capability_for_one_window() {
    let n_files = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("capabilities")).unwrap().count();
    assert_eq!(n_files, 1);
    assert_eq!(read("capabilities/main.json")["windows"], json!(["main"]));
    assert_eq!(read("capabilities/main.json")["remote"], Value::Null);
}

#[test]
fn nothing_is_loaded_from_outside() {
    let security = read("tauri.conf.json")["app"]["security"].clone();
    assert_eq!(security["freezePrototype"], true);
    assert_eq!(read("tauri.conf.json")["app"]["withGlobalTauri"], false);
    assert_eq!(
        security["csp"],
        json!({
            "default-src": "'none'",
            "script-src": "'self'",
            "style-src": "'self'",
            "img-src": "'self' image: http://image.localhost blob: data:",
            "connect-src": "ipc: http://ipc.localhost",
            "font-src": "'self'",
            "worker-src": "'none'",
            "media-src": "'none'",
            "object-src": "'none'",
            "frame-src": "'none'",
            "base-uri": "'none'",
            "form-action": "'none'"
        })
    );
}
