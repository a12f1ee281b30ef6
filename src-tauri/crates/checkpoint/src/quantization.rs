//! The quantizations that people choose from.

use std::fmt;
use std::str::FromStr;

use crate::{Error, Kind};

/// How the matrices of an expert are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Quantization {
    /// 32-bit floats, as nothing else is exact.
    F32,
    /// 16-bit floats, as published.
    Bf16,
    /// 8 bits.
    Q8_0,
    /// 6 bits.
    Q6K,
    /// 5 bits, 6 where it matters most.
    Q5KM,
    /// 4 bits, 6 where it matters most.
    Q4KM,
    /// 4 bits of the older form, whose rows need only be multiples of 32.
    Q4_0,
}

impl Quantization {
    /// All of them, from the largest to the smallest.
    pub const ALL: [Self; 7] = [Self::F32, Self::Bf16, Self::Q8_0, Self::Q6K, Self::Q5KM, Self::Q4KM, Self::Q4_0];

    /// The name that people know it by, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::Q8_0 => "q8_0",
            Self::Q6K => "q6_k",
            Self::Q5KM => "q5_k_m",
            Self::Q4KM => "q4_k_m",
            Self::Q4_0 => "q4_0",
        }
    }

    /// The kind of most matrices.
    pub fn kind(self) -> Kind {
        match self {
            Self::F32 => Kind::F32,
            Self::Bf16 => Kind::BF16,
            Self::Q8_0 => Kind::Q8_0,
            Self::Q6K => Kind::Q6K,
            Self::Q5KM => Kind::Q5K,
            Self::Q4KM => Kind::Q4K,
            Self::Q4_0 => Kind::Q4_0,
        }
    }

    /// The kind of the matrices that matter most.
    pub fn better_kind(self) -> Kind {
        match self {
            Self::Q5KM | Self::Q4KM => Kind::Q6K,
            other => other.kind(),
        }
    }
}

impl fmt::Display for Quantization {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Quantization {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let wanted = name.to_lowercase();
        Self::ALL
            .into_iter()
            .find(|it| it.name() == wanted)
            .ok_or_else(|| Error::Quantization { name: name.to_owned(), choices: Self::ALL.map(Self::name).join(", ") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_and_others_are_refused_with_the_choices() {
        for quantization in Quantization::ALL {
            assert_eq!(quantization.to_string().parse::<Quantization>().unwrap(), quantization);
            assert_eq!(quantization.name().to_uppercase().parse::<Quantization>().unwrap(), quantization);
        }
        let refusal = "q3_k_s".parse::<Quantization>().unwrap_err().to_string();
        assert!(refusal.contains("q3_k_s") && refusal.contains("q4_k_m"), "{refusal}");
    }
}
