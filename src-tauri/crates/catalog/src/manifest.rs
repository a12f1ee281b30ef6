//! models.toml: which models there are, where they are published, and which bytes they are.

use std::collections::BTreeSet;
use std::path::Path;

use protocol::{LocalText, ModelDefaults, ModelId};
use serde::{Deserialize, Deserializer};

use crate::record::RECORD_FILE;
use crate::{Error, Result};

/// The file that is compiled in.
const BUILT_IN: &str = include_str!("../../../../models.toml");

/// The only form of this file so far.
const VERSION: u32 = 1;

/// The largest catalog file that is read.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// All models that are listed.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    version: u32,
    /// In the order they are shown.
    #[serde(rename = "model", default)]
    pub entries: Vec<Entry>,
}

/// One model that is listed.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its id; also the name of its folder.
    pub id: ModelId,
    /// What it is called.
    pub name: LocalText,
    /// What it is good for.
    pub summary: LocalText,
    /// SPDX name of its license; nothing where the publisher names none.
    pub license: Option<String>,
    /// How many numbers it has; for people.
    pub parameters: Option<u64>,
    /// Whether it ships with the studio instead of being downloaded; its file is then one of ours.
    #[serde(default)]
    pub bundled: bool,
    /// `owner/name` of the repository that publishes it.
    pub repository: Option<String>,
    /// The commit whose files are meant; the newest one, which is then kept, where it is unknown.
    #[serde(default)]
    pub revision: Known<String>,
    /// The model that supplies what its own files lack.
    pub base: Option<ModelId>,
    /// Longest side of an image, in pixels.
    pub max_side: u32,
    /// Parameters that requests are made with.
    #[serde(default)]
    pub defaults: ModelDefaults,
    /// Its published files.
    #[serde(rename = "file", default)]
    pub files: Vec<PublishedFile>,
}

/// One published file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedFile {
    /// Its name in the repository and on disk.
    pub path: String,
    /// Its length.
    #[serde(default)]
    pub bytes: Known<u64>,
    /// About its length, where that is not known exactly; for the room it needs.
    pub about_bytes: Option<u64>,
    /// Its SHA-256 in hexadecimal.
    #[serde(default)]
    pub sha256: Known<String>,
    /// Whether a repository without it will do, because the base supplies it.
    #[serde(default)]
    pub optional: bool,
}

/// A fact, or `"unknown"`: then the server is asked once, and its answer is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Known<T> {
    /// Nobody has written it down yet.
    #[default]
    Unknown,
    /// The fact.
    Is(T),
}

impl<T> Known<T> {
    /// The fact, if there is one.
    pub fn get(&self) -> Option<&T> {
        match self {
            Self::Unknown => None,
            Self::Is(value) => Some(value),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Known<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        // A text is tried first, because every text is also a fact where facts are texts.
        let value = toml::Value::deserialize(deserializer)?;
        if value.as_str() == Some("unknown") {
            return Ok(Self::Unknown);
        }
        T::deserialize(value).map(Self::Is).map_err(serde::de::Error::custom)
    }
}

impl Manifest {
    /// The models that are compiled in.
    pub fn built_in() -> Result<Self> {
        Self::parse(BUILT_IN, "models.toml")
    }

    /// The models that are compiled in, with those of the user's own file replaced or added.
    pub fn with_user(user_toml: Option<&Path>) -> Result<Self> {
        let mut manifest = Self::built_in()?;
        let Some(path) = user_toml.filter(|path| path.exists()) else { return Ok(manifest) };
        let about = std::fs::metadata(path).map_err(Error::io(path))?;
        let place = path.display().to_string();
        if !about.is_file() || about.len() > MAX_FILE_BYTES {
            let reason = format!("not a file of at most {MAX_FILE_BYTES} bytes");
            return Err(Error::Manifest { place, reason });
        }
        let own = Self::parse(&std::fs::read_to_string(path).map_err(Error::io(path))?, &place)?;
        for entry in own.entries {
            match manifest.entries.iter_mut().find(|it| it.id == entry.id) {
                Some(listed) => *listed = entry,
                None => manifest.entries.push(entry),
            }
        }
        Ok(manifest)
    }

    /// Reads and checks the text of a catalog file; `place` names it in errors.
    pub fn parse(text: &str, place: &str) -> Result<Self> {
        let wrong = |reason: String| Error::Manifest { place: place.to_owned(), reason };
        let manifest: Self = toml::from_str(text).map_err(|error| wrong(describe(text, &error)))?;
        if manifest.version != VERSION {
            return Err(wrong(format!("version {} is not {VERSION}", manifest.version)));
        }
        let mut ids = BTreeSet::new();
        for entry in &manifest.entries {
            entry.check().map_err(|reason| wrong(format!("model {:?}: {reason}", entry.id.0)))?;
            if !ids.insert(&entry.id) {
                return Err(wrong(format!("model {:?} is listed twice", entry.id.0)));
            }
        }
        Ok(manifest)
    }

    /// One model.
    pub fn entry(&self, id: &ModelId) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.id == *id)
    }
}

/// One line with the place in the text.
fn describe(text: &str, error: &toml::de::Error) -> String {
    let line = error.span().map(|span| text.get(..span.start).unwrap_or_default().matches('\n').count() + 1);
    let reason = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
    line.map_or_else(|| reason.clone(), |line| format!("line {line}: {reason}"))
}

impl Entry {
    /// Bytes of all files, exact or about.
    pub fn download_bytes(&self) -> u64 {
        self.files.iter().map(PublishedFile::expected_bytes).sum()
    }

    fn check(&self) -> std::result::Result<(), String> {
        check_id(&self.id.0)?;
        if self.name.en.is_empty() || self.max_side == 0 || self.max_side > 1 << 16 {
            return Err("it needs a name and a largest side within 1 to 65536".to_owned());
        }
        if self.base.as_ref() == Some(&self.id) {
            return Err("it is its own base".to_owned());
        }
        if let Some(base) = &self.base {
            check_id(&base.0)?;
        }
        match &self.repository {
            Some(repository) => check_repository(repository)?,
            None if !self.files.is_empty() && !self.bundled => return Err("it has files, but no repository".to_owned()),
            None => {}
        }
        if let Some(revision) = self.revision.get()
            && !(revision.len() == 40 && revision.bytes().all(|it| it.is_ascii_hexdigit()))
        {
            return Err(format!("revision {revision:?} is not a commit of 40 hexadecimal digits, nor \"unknown\""));
        }
        let mut names = BTreeSet::new();
        for file in &self.files {
            file.check(self.bundled).map_err(|reason| format!("file {:?}: {reason}", file.path))?;
            // Two names that a file system may take for one would write over each other.
            if !names.insert(file.path.to_lowercase()) {
                return Err(format!("file {:?} is listed twice", file.path));
            }
        }
        Ok(())
    }
}

impl PublishedFile {
    /// Its length, exact or about; 0 when nothing is known.
    pub fn expected_bytes(&self) -> u64 {
        self.bytes.get().copied().or(self.about_bytes).unwrap_or(0)
    }

    /// The most that is taken from a server under this name: a length that it makes up must not fill the disk.
    pub(crate) fn max_bytes(&self) -> u64 {
        const SMALL: u64 = 64 << 20;
        match (self.bytes.get(), self.about_bytes) {
            (Some(bytes), _) => *bytes,
            (None, Some(about)) => about.saturating_mul(2).max(1 << 20),
            (None, None) if self.path.ends_with(".safetensors") => 1 << 40,
            (None, None) => SMALL,
        }
    }

    fn check(&self, is_bundled: bool) -> std::result::Result<(), String> {
        // What ships is a file of our own; nothing of that kind is downloaded.
        match self.path.strip_suffix(".gguf") {
            Some(stem) if is_bundled => check_file_name(&format!("{stem}.safetensors"))?,
            _ => check_file_name(&self.path)?,
        }
        if let Some(hash) = self.sha256.get()
            && !is_sha256(hash)
        {
            return Err(format!("sha256 {hash:?} is not 64 lower-case hexadecimal digits, nor \"unknown\""));
        }
        Ok(())
    }
}

/// Whether a text can be a SHA-256.
pub(crate) fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'))
}

/// An id is also a folder's name on every system.
pub(crate) fn check_id(id: &str) -> std::result::Result<(), String> {
    let is_plain = |it: u8| matches!(it, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.');
    let begins_well = id.bytes().next().is_some_and(|it| it.is_ascii_alphanumeric());
    if id.len() > 64
        || !begins_well
        || id.ends_with('.')
        || !id.bytes().all(is_plain)
        || is_device_name(id)
        || id == RECORD_FILE
    {
        return Err("an id is 1 to 64 of a-z, 0-9, '-', '_' and '.', and no name of a device".to_owned());
    }
    Ok(())
}

/// Weights in a format that holds numbers only, and their small companions; nothing that is a path.
fn check_file_name(name: &str) -> std::result::Result<(), String> {
    let is_plain = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_' | b'.');
    let begins_well = name.bytes().next().is_some_and(|it| it.is_ascii_alphanumeric());
    if name.len() > 128 || !begins_well || name.ends_with('.') || !name.bytes().all(is_plain) || is_device_name(name) {
        return Err("a file is named by 1 to 128 letters, digits, '-', '_' and '.', without a folder".to_owned());
    }
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("safetensors" | "json" | "txt") => Ok(()),
        _ => Err("only .safetensors, .json and .txt files are downloaded; other formats can hold programs".to_owned()),
    }
}

fn check_repository(repository: &str) -> std::result::Result<(), String> {
    let is_plain = |part: &str| {
        let is_letter = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_' | b'.');
        !part.is_empty() && !part.starts_with('.') && part.len() <= 96 && part.bytes().all(is_letter)
    };
    match repository.split_once('/') {
        Some((owner, name)) if is_plain(owner) && is_plain(name) => Ok(()),
        _ => Err(format!("repository {repository:?} is not of the form owner/name")),
    }
}

/// Names that Windows gives to devices, whatever follows the dot.
fn is_device_name(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let numbered = |word: &str| stem.strip_prefix(word).is_some_and(|rest| matches!(rest.as_bytes(), [b'0'..=b'9']));
    matches!(stem.as_str(), "con" | "prn" | "aux" | "nul") || numbered("com") || numbered("lpt")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODEL: &str = "version = 1\n[[model]]\nid = 'm'\nrepository = 'o/n'\nmax_side = 64\nname = { en = 'M', zh = 'M' }\nsummary = { en = '', zh = '' }\n";

    fn refusal(text: &str) -> String {
        Manifest::parse(text, "mine.toml").unwrap_err().to_string()
    }

    #[test]
    fn the_models_that_are_compiled_in_are_well_formed() {
        let manifest = Manifest::built_in().unwrap();
        let ids: Vec<&str> = manifest.entries.iter().map(|entry| entry.id.0.as_str()).collect();
        let expected = ["pocket", "bagel-7b-mot", "bagel-reca", "bagel-zebra-cot", "thinkmorph-7b", "unicot-7b-mot"];
        assert_eq!(ids, expected);
        for entry in &manifest.entries {
            assert!(entry.bundled != entry.repository.is_some(), "{}", entry.id);
            assert!(entry.base.as_ref().is_none_or(|base| manifest.entry(base).is_some()), "{}", entry.id);
            assert!([&entry.name.zh, &entry.summary.en, &entry.summary.zh].iter().all(|it| !it.is_empty()));
        }
        let full = manifest.entry(&ModelId("bagel-7b-mot".to_owned())).unwrap();
        assert_eq!(full.revision.get().map(String::as_str), Some("5019f57d168e5816e8f3f701b17cc816bb7cf24b"));
        assert!((29.5e9..29.6e9).contains(&(full.download_bytes() as f64)));
    }

    #[test]
    fn what_nobody_knows_is_said_to_be_unknown() {
        let text = format!(
            "{MODEL}revision = 'unknown'\n[[model.file]]\npath = 'a.json'\nbytes = 'unknown'\nsha256 = 'unknown'\n\
             [[model.file]]\npath = 'b.json'\nbytes = 7\nsha256 = '{}'\n",
            "0f".repeat(32)
        );
        let manifest = Manifest::parse(&text, "mine.toml").unwrap();
        let files = &manifest.entries[0].files;
        assert_eq!((files[0].bytes.get(), files[0].sha256.get()), (None, None));
        assert_eq!((files[1].bytes.get(), files[1].sha256.get()), (Some(&7), Some(&"0f".repeat(32))));
        assert_eq!(manifest.entries[0].revision.get(), None);
    }

    #[test]
    fn errors_name_the_file_the_line_and_the_value() {
        let line = refusal("version = 1\n[[model]]\nid = 'm'\ncolor = 'red'\n");
        assert!(line.contains("mine.toml: line 4: unknown field `color`"), "{line}");
        assert!(refusal("version = 2").contains("version 2 is not 1"));
        assert!(
            refusal(&format!("{MODEL}{}", MODEL.strip_prefix("version = 1\n").unwrap()))
                .contains("\"m\" is listed twice")
        );
        assert!(refusal(&format!("{MODEL}revision = 'main'")).contains("40 hexadecimal digits"));
        assert!(refusal(&MODEL.replace("o/n", "https://x/y")).contains("owner/name"));
        assert!(refusal(&format!("{MODEL}[[model.file]]\npath = 'a.json'\nsha256 = 'abc'")).contains("64 lower-case"));
    }

    #[test]
    fn no_name_leads_out_of_its_folder_or_to_a_program() {
        let long = "x".repeat(200) + ".json";
        let names = [
            "../a.json",
            "/etc/a.json",
            "a/b.json",
            "a\\b.json",
            "..",
            ".hidden.json",
            "",
            "a.json.",
            "a.json ",
            "C:a.json",
            "con.json",
            "COM1.txt",
            "nul.safetensors",
            "a\0.json",
            "ａ.json",
            "a.json:stream",
            "~a.json",
            "%2e.json",
            &long,
            "model.bin",
            "model.pt",
            "model.ckpt",
            "model.pkl",
            "model.zip",
            "model.gguf",
            "run.py",
            "a.json.exe",
            "model",
        ];
        for name in names {
            assert!(check_file_name(name).is_err(), "{name:?} was taken");
        }
        for name in ["ema.safetensors", "model-00001-of-00002.safetensors", "tokenizer.json", "merges.txt"] {
            assert!(check_file_name(name).is_ok(), "{name}");
        }
        for id in ["", "..", ".x", "A", "a/b", "a\\b", "con", "lpt1.x", "a b", "a.", "é", &"a".repeat(65)] {
            assert!(check_id(id).is_err(), "{id:?} was taken");
        }
        let twice = format!("{MODEL}[[model.file]]\npath = 'A.json'\n[[model.file]]\npath = 'a.json'\n");
        assert!(refusal(&twice).contains("listed twice"));
    }

    #[test]
    fn the_users_own_file_adds_and_replaces() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("models.toml");
        let n_built_in = Manifest::built_in().unwrap().entries.len();
        assert_eq!(Manifest::with_user(Some(&path)).unwrap().entries.len(), n_built_in);
        std::fs::write(&path, MODEL).unwrap();
        assert_eq!(Manifest::with_user(Some(&path)).unwrap().entries.len(), n_built_in + 1);
        std::fs::write(&path, MODEL.replace("'m'", "'bagel-reca'")).unwrap();
        let manifest = Manifest::with_user(Some(&path)).unwrap();
        assert_eq!(manifest.entries.len(), n_built_in);
        assert_eq!(manifest.entry(&ModelId("bagel-reca".to_owned())).unwrap().name.en, "M");
        std::fs::write(&path, "version = ").unwrap();
        assert!(Manifest::with_user(Some(&path)).unwrap_err().to_string().contains("models.toml: line 1"));
    }
}
