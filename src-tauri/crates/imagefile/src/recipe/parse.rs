//! Foreign JSON into a recipe.

use std::collections::BTreeMap;

use protocol::recipe::RECIPE_VERSION;
use protocol::{ImageParameters, Kind, Recipe, TextParameters};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{ReadRecipe, RecipeProblem};
use crate::error::one_line;
use crate::limits::{MAX_JSON_DEPTH, MAX_TEXT_BYTES};

pub(super) fn parse(json: &str) -> Result<ReadRecipe, RecipeProblem> {
    if json.len() > MAX_TEXT_BYTES {
        return Err(RecipeProblem::TooLong);
    }
    if depth(json) > MAX_JSON_DEPTH {
        return Err(RecipeProblem::TooDeep);
    }
    let mut value: Value = serde_json::from_str(json).map_err(|error| not_understood(&error))?;
    match value.get("version").and_then(Value::as_u64) {
        Some(version) if version == u64::from(RECIPE_VERSION) => {}
        Some(version) => return Err(RecipeProblem::Version { version }),
        None => return Err(RecipeProblem::NotUnderstood { reason: "no version".into() }),
    }
    let unknown = take_unknown(&mut value)?;
    let recipe: Recipe = serde_json::from_value(value).map_err(|error| not_understood(&error))?;
    if recipe.kind == Kind::Chat {
        return Err(RecipeProblem::NotUnderstood { reason: "a chat makes no image".into() });
    }
    Ok(ReadRecipe { recipe, unknown })
}

fn not_understood(error: &serde_json::Error) -> RecipeProblem {
    RecipeProblem::NotUnderstood { reason: one_line(&error.to_string()) }
}

/// Deepest nesting of a text that may be JSON, without recursion.
fn depth(json: &str) -> usize {
    let (mut depth, mut deepest) = (0usize, 0);
    let (mut in_string, mut is_escaped) = (false, false);
    for byte in json.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_string => is_escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Takes every field out that [`Recipe`] does not have, so that the strict types accept the rest.
///
/// Also insists on objects where there must be objects: the derived readers would take arrays for them.
fn take_unknown(recipe: &mut Value) -> Result<BTreeMap<String, Value>, RecipeProblem> {
    let mut unknown = BTreeMap::new();
    let top =
        ["version", "kind", "inputs", "thinking", "plan", "parameters", "text", "size", "noise", "model", "engine"];
    take_from(recipe, "", &top, &mut unknown)?;
    let mut within = |key: &str, known: &[&str]| match recipe.get_mut(key) {
        Some(value) => take_from(value, key, known, &mut unknown),
        None => Ok(()),
    };
    within("thinking", &["kind", "plan"])?;
    within("size", &["width", "height"])?;
    within("model", &["name", "hash", "quantization"])?;
    within("parameters", &names(&fields(&ImageParameters::default())))?;
    within("text", &names(&fields(&TextParameters::default())))?;
    if let Some(size) =
        recipe.get_mut("parameters").and_then(|parameters| parameters.get_mut("size")).filter(|size| !size.is_null())
    {
        take_from(size, "parameters.size", &["width", "height"], &mut unknown)?;
    }
    let inputs = recipe.get_mut("inputs").and_then(Value::as_array_mut);
    for (input_idx, input) in inputs.into_iter().flatten().enumerate() {
        let known: &[&str] = match input.get("kind").and_then(Value::as_str) {
            Some("text") => &["kind", "text"],
            _ => &["kind", "hash", "width", "height", "name"],
        };
        take_from(input, &format!("inputs.{input_idx}"), known, &mut unknown)?;
    }
    Ok(unknown)
}

fn take_from(
    value: &mut Value,
    path: &str,
    known: &[&str],
    unknown: &mut BTreeMap<String, Value>,
) -> Result<(), RecipeProblem> {
    let Value::Object(object) = value else {
        let what = if path.is_empty() { "the whole" } else { path };
        return Err(RecipeProblem::NotUnderstood { reason: format!("{what} is not an object") });
    };
    let foreign: Vec<String> = object.keys().filter(|key| !known.contains(&key.as_str())).cloned().collect();
    for key in foreign {
        if let Some(value) = object.remove(&key) {
            unknown.insert(if path.is_empty() { key } else { format!("{path}.{key}") }, value);
        }
    }
    Ok(())
}

/// The fields of a type, from one of its values.
fn fields(example: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(example) {
        Ok(Value::Object(object)) => object,
        _ => Map::new(),
    }
}

fn names(fields: &Map<String, Value>) -> Vec<&str> {
    fields.keys().map(String::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_counted_outside_of_strings() {
        let check = |json, expected| assert_eq!(depth(json), expected, "{json}");
        check("", 0);
        check("{}", 1);
        check(r#"{"a":[{"b":1}],"c":{}}"#, 3);
        check(r#"{"a":"[[[[\"[["}"#, 1);
        check("]]]]{", 1);
    }
}
