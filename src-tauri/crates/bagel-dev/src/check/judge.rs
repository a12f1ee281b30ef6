//! Comparisons with the reference, and how close they must be.

use std::path::{Path, PathBuf};

use bagel::{Error, Precision, Result};
use protocol::Image;

/// Reads an image file as 8-bit RGB; this crate knows no image formats.
pub type LoadImage<'a> = dyn Fn(&Path) -> std::result::Result<Image, String> + 'a;

/// One comparison.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The case, and the tensor or value in it.
    pub name: String,
    /// The error; 0 is exact.
    pub error: f64,
    /// The largest error that passes.
    pub tolerance: f64,
    /// What differs, if the error alone does not tell.
    pub detail: Option<String>,
}

impl Comparison {
    /// Whether the error is within the tolerance; NaN is not.
    pub fn is_passed(&self) -> bool {
        self.error <= self.tolerance
    }
}

/// The largest error of each sort of value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerances {
    /// ‖out − ref‖ / ‖ref‖ of one tensor.
    pub component: f64,
    /// The same in a whole run, where errors add up.
    pub run: f64,
    /// Largest difference of an image's bytes.
    pub byte: f64,
    /// Share of bytes that may differ by more than 1.
    pub far_bytes: f64,
    /// Whether token ids and texts must be the same; in 16 bits another token may be the likeliest.
    pub exact_text: bool,
}

impl Tolerances {
    /// What a precision can reach.
    ///
    /// f32 has the golden cases' own bounds. bf16 keeps 8 bits of a number: one
    /// rounding is 2⁻⁹ ≈ 0.2 %, a few dozen of them in a row through a random
    /// model give some percent, and a run of denoising feeds them back; f16
    /// keeps 11 bits and is eight times nearer. Guidance of 4 and 2 multiplies what a branch is off
    /// by: mini's worst velocity is 0.7 % off in f16 on a processor.
    pub fn of(precision: Precision) -> Self {
        match precision {
            Precision::F32 => Self { component: 1e-4, run: 1e-3, byte: 2.0, far_bytes: 1e-3, exact_text: true },
            Precision::BF16 => Self { component: 4e-2, run: 1.5e-1, byte: 255.0, far_bytes: 1.0, exact_text: false },
            Precision::F16 => Self { component: 1e-2, run: 4e-2, byte: 255.0, far_bytes: 1.0, exact_text: false },
        }
    }
}

/// The folder's images by name.
pub(super) struct Images<'a> {
    pub(super) folder: PathBuf,
    pub(super) read_image: &'a LoadImage<'a>,
}

impl Images<'_> {
    pub(super) fn get(&self, name: &str) -> Result<Image> {
        let path = self.folder.join(format!("{name}.png"));
        (self.read_image)(&path).map_err(Error::BadInput)
    }
}

/// Compares and reports.
pub(super) struct Judge<'a> {
    pub(super) tolerances: Tolerances,
    pub(super) report: &'a mut dyn FnMut(&Comparison),
}

impl Judge<'_> {
    /// Numbers that may be off by `tolerance`, relative to the reference's length.
    pub(super) fn numbers(&mut self, name: &str, actual: &[f32], expected: &[f32], tolerance: f64) {
        let (error, detail) = if actual.len() == expected.len() {
            (relative_error(actual, expected), None)
        } else {
            (f64::INFINITY, Some(format!("{} numbers, expected {}", actual.len(), expected.len())))
        };
        (self.report)(&Comparison { name: name.to_owned(), error, tolerance, detail });
    }

    /// Values that must be the same.
    pub(super) fn exact<T: PartialEq + std::fmt::Debug>(&mut self, name: &str, actual: &T, expected: &T) {
        let is_same = actual == expected;
        let detail = (!is_same).then(|| format!("{actual:?}, expected {expected:?}"));
        let error = if is_same { 0.0 } else { f64::INFINITY };
        (self.report)(&Comparison { name: name.to_owned(), error, tolerance: 0.0, detail });
    }

    /// Bytes of which none may be off by more than `most`, and few by more than 1.
    pub(super) fn bytes(&mut self, name: &str, actual: &[u8], expected: &[u8], most: f64, far_bytes: f64) {
        let mut outcome = Comparison { name: name.to_owned(), error: f64::INFINITY, tolerance: most, detail: None };
        if actual.len() == expected.len() {
            let differences = || actual.iter().zip(expected).map(|(a, b)| a.abs_diff(*b));
            let n_far = differences().filter(|&difference| difference > 1).count();
            outcome.error = f64::from(differences().max().unwrap_or(0));
            if n_far as f64 > far_bytes * expected.len() as f64 {
                outcome.error = f64::INFINITY;
                outcome.detail = Some(format!("{n_far} of {} bytes differ by more than 1", expected.len()));
            }
        } else {
            outcome.detail = Some(format!("{} bytes, expected {}", actual.len(), expected.len()));
        }
        (self.report)(&outcome);
    }
}

/// ‖a − b‖ / ‖b‖, summed in f64.
fn relative_error(a: &[f32], b: &[f32]) -> f64 {
    let squares = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>();
    let difference = squares(&mut a.iter().zip(b).map(|(a, b)| f64::from(*a) - f64::from(*b)));
    let length = squares(&mut b.iter().map(|b| f64::from(*b)));
    (difference / length.max(f64::MIN_POSITIVE)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_not_numbers_do_not_pass() {
        let mut outcomes = Vec::new();
        let mut report = |outcome: &Comparison| outcomes.push(outcome.is_passed());
        let mut judge = Judge { tolerances: Tolerances::of(Precision::F32), report: &mut report };
        judge.numbers("nan", &[f32::NAN], &[1.0], 1.0);
        judge.numbers("short", &[], &[1.0], 1.0);
        judge.numbers("far", &[1.2], &[1.0], 0.1);
        judge.numbers("near", &[1.05], &[1.0], 0.1);
        judge.bytes("many far bytes", &[0, 0], &[2, 0], 2.0, 0.001);
        judge.bytes("near bytes", &[0, 0], &[1, 0], 2.0, 0.001);
        assert_eq!(outcomes, [false, false, false, true, false, true]);
    }
}
