//! Parsers of option values.

use std::str::FromStr;

use checkpoint::Quantization;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use protocol::{Renorm, Size};

/// Parses `WIDTHxHEIGHT`.
pub(crate) fn parse_size(text: &str) -> Result<Size, String> {
    let parse = |side: &str| side.parse::<u32>().ok();
    let sides = text.split_once(['x', 'X', '×']).and_then(|(width, height)| Some((parse(width)?, parse(height)?)));
    let (width, height) = sides.ok_or("write WIDTHxHEIGHT in pixels, such as 1024x768")?;
    let size = Size { width, height };
    size.check(None).map_err(|invalid| invalid.to_string())?;
    Ok(size)
}

/// Parses a count or a seed.
pub(crate) fn parse_whole<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_unread| "write a whole number of 0 or more, such as 50".to_owned())
}

/// Parses a decimal number; its range is checked with the request.
pub(super) fn parse_number(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_unread| "write a number, such as 1.5".to_owned())
}

/// Parses an amount of memory, such as `12GB` or `1.5GiB`.
pub(super) fn parse_bytes(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, f64); 6] =
        [("gib", (1u64 << 30) as f64), ("mib", (1u64 << 20) as f64), ("gb", 1e9), ("mb", 1e6), ("g", 1e9), ("m", 1e6)];
    let lower = text.trim().to_lowercase();
    let parsed = UNITS.iter().find_map(|(unit, factor)| {
        let number: f64 = lower.strip_suffix(unit)?.trim_end().parse().ok()?;
        (number > 0.0 && number.is_finite()).then_some((number * factor) as u64)
    });
    parsed.ok_or_else(|| "write a number above 0 and its unit, such as 12GB or 800MB".to_owned())
}

/// Parses `A,B`.
pub(super) fn parse_interval(text: &str) -> Result<[f64; 2], String> {
    let parse = |bound: &str| bound.trim().parse::<f64>().ok();
    let bounds = text.split_once(',').and_then(|(start, end)| Some([parse(start)?, parse(end)?]));
    bounds.ok_or_else(|| "write two numbers from 0 to 1, such as 0.4,1".to_owned())
}

/// Names of the renorms.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum RenormName {
    /// One factor for the whole image
    Global,
    /// One factor per token, after both guidances
    Channel,
    /// One factor per token, after text guidance
    TextChannel,
}

impl From<RenormName> for Renorm {
    fn from(name: RenormName) -> Self {
        match name {
            RenormName::Global => Self::Global,
            RenormName::Channel => Self::Channel,
            RenormName::TextChannel => Self::TextChannel,
        }
    }
}

/// Parses the quantization of a file to write.
pub(crate) fn quantization_parser() -> impl TypedValueParser<Value = Quantization> {
    let choice = |quantization: Quantization, help: &'static str| PossibleValue::new(quantization.name()).help(help);
    PossibleValuesParser::new([
        choice(Quantization::Q8_0, "8 bits per weight, closest to the original"),
        choice(Quantization::Q6K, "6 bits per weight"),
        choice(Quantization::Q5KM, "5 bits per weight, 6 where it matters most"),
        choice(Quantization::Q4KM, "4 bits per weight, 6 where it matters most"),
        choice(Quantization::Q4_0, "4 bits per weight, for row lengths that the others do not support"),
        choice(Quantization::Bf16, "16 bits per weight, not quantized"),
    ])
    .try_map(|name| name.parse())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_width_then_height() {
        assert_eq!(parse_size("1024x768"), Ok(Size { width: 1024, height: 768 }));
        for wrong in ["1024", "x", "12x", "-16x16", "16x16x16", "1e3x16", ""] {
            assert!(parse_size(wrong).is_err(), "{wrong}");
        }
        assert!(parse_size("100x64").is_err_and(|line| line.contains("try 96x64")));
    }

    #[test]
    fn invalid_numbers_are_refused_with_an_example() {
        assert_eq!(parse_whole::<u32>("50"), Ok(50));
        for wrong in ["abc", "-3", "1.5", "99999999999", ""] {
            assert!(parse_whole::<u32>(wrong).is_err_and(|line| line.contains("such as 50")), "{wrong}");
        }
        assert_eq!(parse_number("1.5"), Ok(1.5));
        assert!(parse_number("much").is_err_and(|line| line.contains("such as 1.5")));
    }

    #[test]
    fn amounts_of_memory_have_a_unit() {
        assert_eq!(parse_bytes("12GB"), Ok(12_000_000_000));
        assert_eq!(parse_bytes("1.5 GiB"), Ok(1_610_612_736));
        assert_eq!(parse_bytes("800m"), Ok(800_000_000));
        for wrong in ["12", "GB", "-1GB", "NaNGB", "infGB", "0MB", "12KB", ""] {
            assert!(parse_bytes(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn intervals_are_two_numbers() {
        assert_eq!(parse_interval("0.4,1"), Ok([0.4, 1.0]));
        assert_eq!(parse_interval("0, 1"), Ok([0.0, 1.0]));
        for wrong in ["0.4", "a,b", ",", "0,1,2"] {
            assert!(parse_interval(wrong).is_err(), "{wrong}");
        }
    }
}
