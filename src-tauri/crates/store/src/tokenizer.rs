//! From a text to the words that it is found by.
//!
//! Neither of SQLite's own tokenizers finds a Chinese word of two characters, so
//! texts are cut up here and the index sees words with spaces between them.
//! Case and diacritics are folded. In scripts that put no spaces between words
//! every character begins one entry: itself with the character behind it, or
//! itself alone at the end of a run. A query of one character is then a prefix
//! of an entry, one of two is an entry, and a longer one is a phrase of them.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Longest word that is indexed, in characters; the rest of it is not looked at.
const MAX_WORD: usize = 64;

/// Most words of a query that count.
const MAX_QUERY_WORDS: usize = 32;

/// A stretch of a text.
#[derive(Debug, PartialEq, Eq)]
enum Run {
    /// Letters and digits between which there is nothing else.
    Word(String),
    /// Characters of a script without spaces.
    Dense(Vec<char>),
}

/// The entries of a text, with a space between each two.
pub(crate) fn index_terms(text: &str) -> String {
    let mut entries = String::new();
    for run in runs(text) {
        match run {
            Run::Word(word) => push(&mut entries, &[&word]),
            Run::Dense(characters) => {
                let mut rest = characters.as_slice();
                while let [first, behind @ ..] = rest {
                    let pair: String = std::iter::once(first).chain(behind.first()).collect();
                    push(&mut entries, &[&pair]);
                    rest = behind;
                }
            }
        }
    }
    entries
}

/// The expression that finds a query's words, the last of them perhaps unfinished; `None` when it has none.
pub(crate) fn match_expression(text: &str) -> Option<String> {
    let mut runs = runs(text);
    runs.truncate(MAX_QUERY_WORDS);
    let n_runs = runs.len();
    let terms: Vec<String> = runs
        .into_iter()
        .enumerate()
        .map(|(run_idx, run)| match run {
            // Words hold letters, digits and symbols only: nothing in them ends the quotes.
            Run::Word(word) if run_idx + 1 == n_runs => format!("\"{word}\"*"),
            Run::Word(word) => format!("\"{word}\""),
            Run::Dense(characters) => match characters.as_slice() {
                [single] => format!("\"{single}\"*"),
                characters => {
                    let pairs: Vec<String> = characters.windows(2).map(|pair| pair.iter().collect()).collect();
                    format!("\"{}\"", pairs.join(" "))
                }
            },
        })
        .collect();
    (!terms.is_empty()).then(|| terms.join(" AND "))
}

/// A text without the differences of case, width and diacritics.
pub(crate) fn fold(text: &str) -> String {
    // Twice: lower case may bring marks of its own (İ), and marks hide letters from it.
    text.nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .filter(|c| !is_combining_mark(*c))
        .collect()
}

fn push(entries: &mut String, parts: &[&str]) {
    for part in parts {
        if !entries.is_empty() {
            entries.push(' ');
        }
        entries.push_str(part);
    }
}

fn runs(text: &str) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut word = String::new();
    let mut n_word = 0;
    let mut dense: Vec<char> = Vec::new();
    let flush_word = |word: &mut String, runs: &mut Vec<Run>| {
        if !word.is_empty() {
            runs.push(Run::Word(std::mem::take(word)));
        }
    };
    let flush_dense = |dense: &mut Vec<char>, runs: &mut Vec<Run>| {
        if !dense.is_empty() {
            runs.push(Run::Dense(std::mem::take(dense)));
        }
    };
    for c in fold(text).chars() {
        if is_dense(c) {
            flush_word(&mut word, &mut runs);
            n_word = 0;
            dense.push(c);
            continue;
        }
        flush_dense(&mut dense, &mut runs);
        if c.is_alphanumeric() {
            if n_word < MAX_WORD {
                word.push(c);
            }
            n_word += 1;
            continue;
        }
        flush_word(&mut word, &mut runs);
        n_word = 0;
        if is_symbol(c) {
            runs.push(Run::Word(c.into()));
        }
    }
    flush_word(&mut word, &mut runs);
    flush_dense(&mut dense, &mut runs);
    runs
}

/// Whether a character is of a script that puts no spaces between words.
fn is_dense(c: char) -> bool {
    matches!(c,
        '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}' // Han
        | '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fc}' | '\u{31f0}'..='\u{31ff}' // Kana
        | '\u{0e01}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}') // Thai, Lao, Burmese, Khmer
        && c.is_alphanumeric()
}

/// Whether a character is an image of its own, as emoji are.
fn is_symbol(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}') && !matches!(c, '\u{1f3fb}'..='\u{1f3ff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_into_words() {
        let check = |text, expected| assert_eq!(index_terms(text), expected, "{text}");
        check("", "");
        check("A Red-haired Fox, 1920s", "a red haired fox 1920s");
        check("Élan naïve Ångström İstanbul", "elan naive angstrom istanbul");
        check("castle_v2.png", "castle v2 png");
        check("猫", "猫");
        check("一只猫", "一只 只猫 猫");
        check("一只cat，在窗边", "一只 只 cat 在窗 窗边 边");
        check("ＦＯＸ ﬁre", "fox fire");
        check("🦊 in ❄️", "🦊 in ❄");
    }

    #[test]
    fn queries_become_expressions() {
        let check = |text, expected: Option<&str>| assert_eq!(match_expression(text).as_deref(), expected, "{text}");
        check("", None);
        check(" \"*() ", None);
        check("red fox", Some("\"red\" AND \"fox\"*"));
        check("猫", Some("\"猫\"*"));
        check("窗边", Some("\"窗边\""));
        check("在窗边", Some("\"在窗 窗边\""));
        check("Fox NOT\" OR", Some("\"fox\" AND \"not\" AND \"or\"*"));
    }

    #[test]
    fn endless_words_are_cut_the_same_way_on_both_sides() {
        let long = "x".repeat(1000);
        assert_eq!(index_terms(&long).len(), MAX_WORD);
        assert_eq!(match_expression(&long), Some(format!("\"{}\"*", "x".repeat(MAX_WORD))));
    }
}
