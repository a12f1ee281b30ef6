//! Words that docs/STYLE.md replaces stay out of names, texts, comments and documents.

use std::collections::BTreeMap;
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use serde::Deserialize;

use crate::sources;

/// The list, and where a word on it is right.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    everywhere: BTreeMap<String, String>,
    except: BTreeMap<String, Vec<String>>,
    identifiers: BTreeMap<String, String>,
    interface: BTreeMap<String, String>,
    not_yet: NotYet,
    allow: Vec<Allowed>,
}

#[derive(Deserialize)]
struct NotYet {
    words: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Allowed {
    /// Beginnings of paths.
    paths: Vec<String>,
    /// `*` alone stands for all words.
    words: Vec<String>,
    reason: String,
}

impl Allowed {
    fn covers(&self, path: &str, word: &str) -> bool {
        self.paths.iter().any(|start| path.starts_with(start)) && self.words.iter().any(|it| it == "*" || it == word)
    }
}

/// A word of a text, in lower case. Names are split: `openImage` is two words.
struct Word {
    text: String,
    start: usize,
    end: usize,
    line: usize,
}

fn split(text: &str, first_line: usize) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let (mut line, mut before) = (first_line, ' ');
    for (start, character) in text.char_indices() {
        line += usize::from(character == '\n');
        if character.is_alphabetic() {
            let end = start + character.len_utf8();
            let continues = before.is_alphabetic() && !(before.is_lowercase() && character.is_uppercase());
            match words.last_mut().filter(|_| continues) {
                Some(word) => {
                    word.text.extend(character.to_lowercase());
                    word.end = end;
                }
                None => words.push(Word { text: character.to_lowercase().collect(), start, end, line }),
            }
        }
        before = character;
    }
    words
}

/// A banned word or a phrase of several.
struct Pattern {
    parts: Vec<String>,
}

impl Pattern {
    fn new(phrase: &str) -> Self {
        Self { parts: phrase.split(' ').map(str::to_owned).collect() }
    }

    /// Whether the words begin with it, and how many words it takes.
    fn match_at(&self, text: &str, words: &[Word]) -> Option<usize> {
        let mut n_words = 0;
        for (idx, part) in self.parts.iter().enumerate() {
            // A gap of one to three words.
            if part == "*" {
                let next = self.parts.get(idx + 1)?;
                n_words += (1..=3).find(|gap| words.get(n_words + gap).is_some_and(|word| word.text == *next))?;
                continue;
            }
            let word = words.get(n_words)?;
            let is_same = match part.strip_suffix('*') {
                Some(start) => word.text.starts_with(start),
                None => word.text == *part,
            };
            if !is_same || (n_words > 0 && !is_joined(&text[words[n_words - 1].end..word.start])) {
                return None;
            }
            n_words += 1;
        }
        Some(n_words)
    }
}

/// Whether what stands between two words keeps them in one phrase: spaces, a line's end, or the marks of a comment.
fn is_joined(between: &str) -> bool {
    between.chars().all(|character| character.is_whitespace() || "_/!*#".contains(character))
}

/// A banned word in its place.
struct Finding {
    path: String,
    line: usize,
    found: String,
    standard: String,
    /// As the list has it.
    entry: String,
}

struct Checker<'a> {
    rules: &'a Rules,
    findings: Vec<Finding>,
}

impl Checker<'_> {
    fn check(&mut self, path: &str, text: &str, first_line: usize, banned: &BTreeMap<String, String>) {
        let words = split(text, first_line);
        for (entry, standard) in banned {
            if entry.ends_with('_') {
                for (idx, _) in text.match_indices(entry.as_str()) {
                    let is_start = !text[..idx].ends_with(|before: char| before.is_alphanumeric() || before == '_');
                    if is_start {
                        let line = first_line + text[..idx].matches('\n').count();
                        self.add(path, line, entry, entry, standard);
                    }
                }
                continue;
            }
            let pattern = Pattern::new(entry);
            let exceptions: Vec<Pattern> =
                self.rules.except.get(entry).into_iter().flatten().map(|phrase| Pattern::new(phrase)).collect();
            for start in 0..words.len() {
                let Some(n_words) = pattern.match_at(text, &words[start..]) else { continue };
                let is_excepted = exceptions.iter().any(|exception| {
                    (start.saturating_sub(2)..=start)
                        .any(|from| exception.match_at(text, &words[from..]).is_some_and(|n| from + n > start))
                });
                if !is_excepted {
                    let found = &text[words[start].start..words[start + n_words - 1].end];
                    self.add(path, words[start].line, found, entry, standard);
                }
            }
        }
    }

    fn add(&mut self, path: &str, line: usize, found: &str, entry: &str, standard: &str) {
        if self.rules.not_yet.words.iter().any(|word| word == entry) || self.is_allowed(path, entry) {
            return;
        }
        let one_line = found.split_whitespace().collect::<Vec<_>>().join(" ");
        self.findings.push(Finding {
            path: path.to_owned(),
            line,
            found: one_line,
            standard: standard.to_owned(),
            entry: entry.to_owned(),
        });
    }

    fn is_allowed(&self, path: &str, entry: &str) -> bool {
        self.rules.allow.iter().any(|allowed| allowed.covers(path, entry))
    }

    /// The names in a Rust file, apart from those inside texts and comments.
    fn check_names(&mut self, path: &str, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => self.check_names(path, group.stream()),
                TokenTree::Ident(name) => {
                    let (rules, line) = (self.rules, name.span().start().line);
                    self.check(path, &name.to_string(), line, &rules.identifiers);
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }
}

fn read_rules() -> Rules {
    toml::from_str(include_str!("words.toml")).expect("words.toml is a list of words")
}

#[test]
fn replaced_words_stay_out_of_names_texts_and_documents() {
    let rules = read_rules();
    let mut checker = Checker { rules: &rules, findings: Vec::new() };
    for path in sources::tracked_files() {
        if is_data(&path) {
            continue;
        }
        let Ok(text) = std::fs::read_to_string(sources::root().join(&path)) else { continue };
        checker.check(&path, &path, 0, &rules.everywhere);
        checker.check(&path, &text, 1, &rules.everywhere);
        if path.starts_with("ui/src/lib/i18n/") {
            checker.check(&path, &text, 1, &rules.interface);
        }
        if path.ends_with(".rs") {
            checker.check_names(&path, text.parse().expect("a Rust file"));
        }
    }
    let list: Vec<String> = checker
        .findings
        .iter()
        .map(|it| format!("{}:{}: `{}`: write {} (rule `{}`)", it.path, it.line, it.found, it.standard, it.entry))
        .collect();
    assert!(list.is_empty(), "{} words of another style, see docs/STYLE.md:\n{}", list.len(), list.join("\n"));
}

/// Files that hold no prose and no names of ours.
fn is_data(path: &str) -> bool {
    const TEXTS: [&str; 15] =
        ["rs", "ts", "svelte", "css", "html", "md", "mjs", "js", "c", "h", "py", "toml", "sql", "sh", "yml"];
    let extension = Path::new(path).extension().and_then(|extension| extension.to_str());
    !extension.is_some_and(|extension| TEXTS.contains(&extension)) || path.contains("/golden/")
}

#[test]
fn every_exception_is_reasoned_and_names_files_that_are_there() {
    let files = sources::tracked_files();
    for allowed in read_rules().allow {
        assert!(allowed.reason.len() > 10, "{:?} needs a reason", allowed.paths);
        for path in &allowed.paths {
            assert!(files.is_empty() || files.iter().any(|file| file.starts_with(path)), "{path} does not exist");
        }
    }
}

#[test]
fn word_is_found_in_names_and_across_comment_lines() {
    let mut rules = read_rules();
    rules.not_yet.words.clear();
    let find = |text: &str| {
        let mut checker = Checker { rules: &rules, findings: Vec::new() };
        checker.check("a.rs", text, 1, &rules.everywhere);
        checker.findings.into_iter().map(|it| (it.entry, it.line)).collect::<Vec<_>>()
    };
    assert_eq!(find("\nlet openPicture = old_picture;"), [("picture".to_owned(), 2), ("picture".to_owned(), 2)]);
    assert_eq!(find("// it starts of\n// itself"), [("of itself".to_owned(), 1)]);
    assert_eq!(find("a depicture, and of; itself. There is no image. It is no longer here"), []);
    assert_eq!(find("const MOST_IMAGES"), [("MOST_".to_owned(), 1)]);
    assert_eq!(find("there are no saved words yet"), [("there are no * yet".to_owned(), 1)]);
}
