//! Tensors found against tensors expected.

use std::fmt;

use crate::{Expected, Part};

const N_SHOWN: usize = 10;

/// One tensor that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// It is not there.
    Missing {
        /// Published name.
        name: String,
        /// Shape it should have.
        expected: Vec<usize>,
        /// Where it belongs.
        part: Part,
    },
    /// It has another shape.
    Shape {
        /// Published name.
        name: String,
        /// Shape it should have.
        expected: Vec<usize>,
        /// Shape it has.
        found: Vec<usize>,
    },
    /// Its numbers are of a kind that cannot be read.
    Kind {
        /// Published name.
        name: String,
        /// The kind as the file calls it.
        found: String,
    },
}

/// Everything that does not fit, shown as one line: the first ten and how many more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatches {
    /// In the order of the table of expected tensors.
    pub all: Vec<Mismatch>,
}

impl Mismatches {
    /// Names of the missing tensors.
    pub fn missing(&self) -> impl Iterator<Item = &str> {
        self.all.iter().filter_map(|it| match it {
            Mismatch::Missing { name, .. } => Some(name.as_str()),
            _ => None,
        })
    }

    fn advice(&self) -> &'static str {
        let missing_only = |of: fn(&str, Part) -> bool| {
            self.all.iter().all(|it| matches!(it, Mismatch::Missing { name, part, .. } if of(name, *part)))
        };
        let sees = |name: &str, part| {
            part == Part::Vision || name.starts_with("connector.") || name.starts_with("vit_pos_embed.")
        };
        if missing_only(|_, part| part == Part::Vae) {
            "; put the autoencoder (ae.safetensors) beside it, or give a base checkpoint that holds it"
        } else if missing_only(sees) {
            "; give the base checkpoint that this fine-tune was made from: it supplies the vision tensors"
        } else if missing_only(|_, _| true) {
            "; download the files again, or give a base checkpoint that holds what is missing"
        } else {
            "; it is no BAGEL, or was made for another version: take a BAGEL-7B-MoT checkpoint or its fine-tune"
        }
    }
}

impl fmt::Display for Mismatches {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |of: fn(&Mismatch) -> bool| self.all.iter().filter(|it| of(it)).count();
        let counts = [
            (count(|it| matches!(it, Mismatch::Missing { .. })), "missing"),
            (count(|it| matches!(it, Mismatch::Shape { .. })), "of another shape"),
            (count(|it| matches!(it, Mismatch::Kind { .. })), "of an unsupported kind"),
        ];
        let counts: Vec<String> =
            counts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
        write!(formatter, "tensors do not fit ({}): ", counts.join(", "))?;
        for (position, mismatch) in self.all.iter().take(N_SHOWN).enumerate() {
            let separator = if position == 0 { "" } else { "; " };
            write!(formatter, "{separator}{mismatch}")?;
        }
        if self.all.len() > N_SHOWN {
            write!(formatter, "; and {} more", self.all.len() - N_SHOWN)?;
        }
        formatter.write_str(self.advice())
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { name, expected, .. } => write!(formatter, "{name} {expected:?} is missing"),
            Self::Shape { name, expected, found } => {
                write!(formatter, "{name} is {found:?} instead of {expected:?}")
            }
            Self::Kind { name, found } => {
                write!(formatter, "{name} is stored as {found} (readable: f32, f16, bf16)")
            }
        }
    }
}

/// Compares; empty when all is well.
pub(crate) fn compare<'a>(
    expected: &[Expected],
    find: impl Fn(&str) -> Option<(&'a [usize], Option<&'a str>)>,
) -> Mismatches {
    let mut all = Vec::new();
    for tensor in expected {
        let name = tensor.name.clone();
        match find(&tensor.name) {
            None => all.push(Mismatch::Missing { name, expected: tensor.shape.clone(), part: tensor.part }),
            Some((shape, _)) if !tensor.accepts(shape) => {
                all.push(Mismatch::Shape { name, expected: tensor.shape.clone(), found: shape.to_vec() });
            }
            Some((_, Some(unsupported))) => all.push(Mismatch::Kind { name, found: unsupported.to_owned() }),
            Some(_) => {}
        }
    }
    Mismatches { all }
}
