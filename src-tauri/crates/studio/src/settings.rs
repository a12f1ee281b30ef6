//! The settings file, read one value at a time so that it is never lost.
//!
//! An invalid value is reported and replaced by its default; the other values are kept. A file that is not TOML, or that
//! a newer version wrote, is copied to another name before anything is written.
//!
//! Defaults come from serde. `serde_with::DefaultOnError` would drop invalid values too, but silently: it cannot report
//! which one it was, nor check ranges and addresses.

use std::fs;
use std::path::{Path, PathBuf};

use protocol::{ErrorCode, Failure, Preset, SavedPlan, Settings, SettingsChange};
use serde::de::DeserializeOwned;
use toml::{Table, Value};

use crate::{Error, Result};

/// Name of the file in the data folder.
pub const FILE_NAME: &str = "settings.toml";

/// Size limit of the file. The largest number of the longest plans fits, at six bytes per character.
const MAX_BYTES: u64 = 16 << 20;

/// Limit of presets, and of plans.
const MAX_PRESETS: usize = 100;

/// Characters of a saved plan.
const PLAN_CHARACTERS: usize = 20_000;

/// Characters of a preset's name.
const NAME_CHARACTERS: usize = 80;

/// Longest address of a mirror.
const MAX_ADDRESS_BYTES: usize = 500;

/// Longest idle time before the model is unloaded: a week.
const MAX_IDLE_MINUTES: u32 = 7 * 24 * 60;

/// Settings that were read, and the problems in their file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// All settings.
    pub settings: Settings,
    /// One for each invalid value.
    pub notices: Vec<Failure>,
}

/// Reads the settings of a data folder; without a file they are all defaults.
pub fn read(folder: &Path) -> Found {
    let path = folder.join(FILE_NAME);
    let shown = path.display();
    match fs::metadata(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Found::default(),
        Ok(metadata) if metadata.is_file() && metadata.len() <= MAX_BYTES => {}
        _ => return set_aside(&path, &format!("{shown} is not a settings file")),
    }
    let Ok(text) = fs::read_to_string(&path) else {
        return set_aside(&path, &format!("{shown} cannot be read"));
    };
    match text.parse::<Table>() {
        Ok(table) => {
            let is_newer =
                table.get("version").and_then(Value::as_integer).is_some_and(|it| it > Settings::VERSION.into());
            let mut found = read_values(&path, table);
            if is_newer {
                let aside = set_aside(&path, &format!("{shown} was written by a newer version of the studio"));
                found.notices.splice(0..0, aside.notices);
            }
            found
        }
        Err(error) => {
            let reason = error.message().lines().next().unwrap_or_default().to_owned();
            set_aside(&path, &format!("{shown} is not valid TOML ({reason})"))
        }
    }
}

/// Replaces the settings file of a data folder.
///
/// # Errors
/// When the text is longer than [`read`] accepts, or the disk fails; the file then stays as it was.
pub fn write(folder: &Path, settings: &Settings) -> Result<()> {
    let path = folder.join(FILE_NAME);
    let text = toml::to_string_pretty(settings)
        .map_err(|error| Error::disk("write", &path)(std::io::Error::other(error.to_string())))?;
    if text.len() as u64 > MAX_BYTES {
        let message = format!("The settings would exceed {} MiB. Remove some plans.", MAX_BYTES >> 20);
        return Err(Error::refused(ErrorCode::TooMany, message));
    }
    durable::write(&path, text.as_bytes(), durable::Overwrite::Replace).map_err(Error::disk("write", path))
}

/// Applies a change from the window after checking it.
pub fn apply(settings: &mut Settings, change: SettingsChange) -> Result<()> {
    match change {
        SettingsChange::Language(language) => settings.language = language,
        SettingsChange::Theme(theme) => settings.theme = theme,
        SettingsChange::Follows(follows) => settings.follows = follows,
        SettingsChange::SingleLetterKeys(keys) => settings.single_letter_keys = keys,
        SettingsChange::Notifies(notifies) => settings.notifies = notifies,
        SettingsChange::Device(device) => settings.device = device,
        SettingsChange::IdleMinutes(minutes) => settings.idle_minutes = minutes.min(MAX_IDLE_MINUTES),
        SettingsChange::Mirror(mirror) => {
            let mirror = mirror.map(|it| it.trim().to_owned()).filter(|it| !it.is_empty());
            check_mirror(mirror.as_deref())?;
            settings.mirror = mirror;
        }
        SettingsChange::Presets(presets) => {
            if presets.len() > MAX_PRESETS {
                return Err(Error::refused(
                    ErrorCode::TooMany,
                    format!("At most {MAX_PRESETS} presets can be saved. Remove some first."),
                ));
            }
            presets.iter().try_for_each(check_preset)?;
            settings.presets = presets;
        }
        SettingsChange::Plans(plans) => {
            if plans.len() > MAX_PRESETS {
                return Err(Error::refused(
                    ErrorCode::TooMany,
                    format!("At most {MAX_PRESETS} plans can be saved. Remove some first."),
                ));
            }
            plans.iter().try_for_each(check_plan)?;
            settings.plans = plans;
        }
        SettingsChange::Welcomed => settings.welcomed = true,
    }
    Ok(())
}

/// Checks the address of a mirror: https, without a user name and password.
fn check_mirror(mirror: Option<&str>) -> Result<()> {
    let Some(mirror) = mirror else { return Ok(()) };
    if mirror.len() > MAX_ADDRESS_BYTES || !mirror.chars().all(|c| c.is_ascii_graphic()) {
        let message = "The address of a mirror must begin with https:// and contain no spaces.";
        return Err(Error::refused(ErrorCode::BadAddress, message));
    }
    Ok(catalog::host_of(Some(mirror)).map(drop)?)
}

fn check_name(name: &str) -> Result<()> {
    check_length("a name", name.trim(), NAME_CHARACTERS)
}

fn check_plan(plan: &SavedPlan) -> Result<()> {
    check_name(&plan.name)?;
    let what = format!("the plan {}", plan.name);
    match plan.plan.trim() {
        "" => check_length(&what, "", PLAN_CHARACTERS),
        _ => check_length(&what, &plan.plan, PLAN_CHARACTERS),
    }
}

fn check_preset(preset: &Preset) -> Result<()> {
    check_name(&preset.name)?;
    let named =
        |invalid: protocol::Invalid| Error::refused(invalid.code(), format!("the preset {}: {invalid}", preset.name));
    preset.parameters.check(None).map_err(named)
}

fn check_length(what: &str, text: &str, max_characters: usize) -> Result<()> {
    let code = match text.chars().count() {
        0 => ErrorCode::TextMissing,
        n if n > max_characters => ErrorCode::TextTooLong,
        _ => return Ok(()),
    };
    Err(Error::refused(code, format!("{what} has 1 to {max_characters} characters")))
}

/// Keeps every valid value and reports the others.
fn read_values(path: &Path, table: Table) -> Found {
    let mut found = Found::default();
    let mut good = Table::new();
    for (key, value) in table {
        // Alone with the defaults of the others, so that an error is about this value.
        let alone = Table::from_iter([(key.clone(), value.clone())]).try_into::<Settings>();
        let checked = alone.map_err(|error| error.message().lines().next().unwrap_or_default().to_owned());
        let checked = checked.and_then(|settings| check(&settings).map_err(|error| error.to_string()));
        if let Err(reason) = checked {
            let message = format!("{}: {key} is invalid ({reason}); its default is used", path.display());
            found.notices.push(Failure { code: ErrorCode::SettingsUnusable, message });
            match key.as_str() {
                "presets" => drop(good.insert(key, retain_valid(value, check_preset))),
                "plans" => drop(good.insert(key, retain_valid(value, check_plan))),
                _ => {}
            }
        } else {
            good.insert(key, value);
        }
    }
    found.settings = good.try_into().unwrap_or_default();
    found.settings.version = Settings::VERSION;
    found
}

fn check(settings: &Settings) -> Result<()> {
    check_mirror(settings.mirror.as_deref())?;
    if settings.idle_minutes > MAX_IDLE_MINUTES {
        let message = format!("{} minutes is more than a week", settings.idle_minutes);
        return Err(Error::refused(ErrorCode::OutOfRange, message));
    }
    settings.presets.iter().try_for_each(check_preset)?;
    settings.plans.iter().try_for_each(check_plan)
}

/// The valid items of a list.
fn retain_valid<T: DeserializeOwned>(value: Value, check: impl Fn(&T) -> Result<()>) -> Value {
    let Value::Array(items) = value else { return Value::Array(Vec::new()) };
    let is_valid = |item: &Value| item.clone().try_into::<T>().is_ok_and(|it| check(&it).is_ok());
    Value::Array(items.into_iter().filter(is_valid).collect())
}

/// Copies the file to a free name, and returns the defaults.
fn set_aside(path: &Path, what: &str) -> Found {
    let aside = (1..1000).map(|number| numbered(path, number)).find(|aside| !aside.exists());
    let kept = aside.filter(|aside| fs::copy(path, aside).is_ok() || fs::rename(path, aside).is_ok());
    let message = match kept {
        Some(kept) => format!("{what}. It was saved as {}, and defaults are used.", kept.display()),
        None => format!("{what}. Defaults are used."),
    };
    Found { settings: Settings::default(), notices: vec![Failure { code: ErrorCode::SettingsUnusable, message }] }
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    path.with_file_name(format!("settings.aside-{number}.toml"))
}

#[cfg(test)]
mod tests {
    use protocol::{ImageParameters, ModelChoice, ModelId, Theme};

    use super::*;

    fn read_text(text: &str) -> (Found, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE_NAME), text).unwrap();
        (read(folder.path()), folder)
    }

    #[test]
    fn settings_come_back_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let parameters = ImageParameters { seed: Some(1 << 40), ..ImageParameters::edit() };
        let settings = Settings {
            theme: Theme::Light,
            model: Some(ModelChoice { model: ModelId("bagel-7b-mot".to_owned()), quantization: "q8_0".to_owned() }),
            library_folder: Some("/画/图 片".into()),
            presets: vec![Preset { name: "Quick".to_owned(), parameters }],
            ..Settings::default()
        };
        write(folder.path(), &settings).unwrap();
        assert_eq!(read(folder.path()), Found { settings, notices: Vec::new() });
    }

    fn plans(n_plans: usize, plan: &str) -> Vec<SavedPlan> {
        (0..n_plans).map(|idx| SavedPlan { name: format!("Boat {idx}"), plan: plan.to_owned() }).collect()
    }

    #[test]
    fn the_largest_number_of_the_longest_plans_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        // A control character takes six bytes in the file, and none takes more.
        for character in ["画", "🦊", "\u{1}"] {
            let mut settings = Settings { library_folder: Some("/画/图 片".into()), ..Settings::default() };
            let change = SettingsChange::Plans(plans(MAX_PRESETS, &character.repeat(PLAN_CHARACTERS)));
            apply(&mut settings, change).unwrap();
            write(folder.path(), &settings).unwrap();
            let found = read(folder.path());
            assert_eq!(found.notices, [], "{character:?}");
            assert!(found.settings == settings, "{character:?}");
        }
    }

    #[test]
    fn settings_too_large_to_be_read_are_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Settings { follows: false, ..Settings::default() };
        write(folder.path(), &kept).unwrap();
        let settings = Settings { plans: plans(1, &"n".repeat(MAX_BYTES as usize)), ..Settings::default() };
        assert_eq!(write(folder.path(), &settings).unwrap_err().failure().code, ErrorCode::TooMany);
        assert_eq!(read(folder.path()), Found { settings: kept, notices: Vec::new() });
    }

    #[test]
    fn an_invalid_value_is_reported_and_the_others_are_kept() {
        let (found, _folder) =
            read_text("theme = \"plaid\"\nfollows = false\nidle_minutes = -3\nfuture = 7\nmirror = \"http://x\"\n");
        assert!(!found.settings.follows);
        assert_eq!((found.settings.theme, found.settings.idle_minutes), (Theme::System, 30));
        let named: Vec<bool> = ["theme", "idle_minutes", "mirror"]
            .iter()
            .map(|key| found.notices.iter().any(|it| it.message.contains(&format!(": {key} is invalid"))))
            .collect();
        assert_eq!((named, found.notices.len()), (vec![true; 3], 3), "{:?}", found.notices);
    }

    #[test]
    fn one_invalid_preset_does_not_remove_the_others() {
        let (found, _folder) = read_text(
            "[[presets]]\nname = \"a\"\n[presets.parameters]\nsteps = 20\n[[presets]]\nname = \"b\"\n[presets.parameters]\nsteps = 0\n",
        );
        assert_eq!(found.notices.len(), 1);
        let (broken, _folder) = read_text(
            "[[presets]]\nname = \"a\"\n[presets.parameters]\nsteps = 20\n[[presets]]\nname = \"b\"\n[presets.parameters]\nsteps = \"x\"\n",
        );
        assert_eq!(broken.settings.presets.len(), 1);
        assert_eq!(broken.settings.presets[0].parameters.steps, 20);
    }

    #[test]
    fn a_file_that_is_not_toml_is_saved_under_another_name() {
        let (found, folder) = read_text("theme = = \"dark\"");
        assert_eq!(found.settings, Settings::default());
        assert!(found.notices[0].message.contains("settings.aside-1.toml"), "{}", found.notices[0].message);
        write(folder.path(), &found.settings).unwrap();
        assert_eq!(fs::read_to_string(folder.path().join("settings.aside-1.toml")).unwrap(), "theme = = \"dark\"");
    }

    #[test]
    fn a_mirror_is_https_without_a_user_name() {
        let change = |mirror: &str| apply(&mut Settings::default(), SettingsChange::Mirror(Some(mirror.to_owned())));
        assert!(change("https://hf-mirror.example/path").is_ok());
        assert!(change("http://127.0.0.1:8080/models").is_ok(), "one on this machine needs no encryption");
        for bad in ["http://x.example", "https://", "https://a:b@x.example", "ftp://x", "https://x.example/?t=1", "x"] {
            assert_eq!(change(bad).unwrap_err().failure().code, ErrorCode::BadAddress, "{bad}");
        }
    }

    #[test]
    fn refused_presets_and_plans_have_error_codes_of_their_own() {
        let refused = |change| apply(&mut Settings::default(), change).unwrap_err().failure().code;
        let preset = |name: &str, steps| {
            let parameters = ImageParameters { steps, ..ImageParameters::generate() };
            SettingsChange::Presets(vec![Preset { name: name.to_owned(), parameters }])
        };
        assert_eq!(refused(preset(" ", 20)), ErrorCode::TextMissing);
        assert_eq!(refused(preset(&"n".repeat(NAME_CHARACTERS + 1), 20)), ErrorCode::TextTooLong);
        assert_eq!(refused(preset("Quick", 0)), ErrorCode::OutOfRange);
        let plan =
            |plan: &str| SettingsChange::Plans(vec![SavedPlan { name: "Boat".to_owned(), plan: plan.to_owned() }]);
        assert_eq!(refused(plan("  ")), ErrorCode::TextMissing);
        assert_eq!(refused(plan(&"n".repeat(PLAN_CHARACTERS + 1))), ErrorCode::TextTooLong);
    }
}
