//! Sizes of a model's parts on disk, computed from its shapes or headers.

use crate::{Checkpoint, Config, Part, Quantization, expected_tensors, plan};

/// How large one part of a model is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartSize {
    /// Which part.
    pub part: Part,
    /// Number of tensors.
    pub n_tensors: usize,
    /// Number of parameters.
    pub n_parameters: u64,
    /// Bytes as stored.
    pub size_bytes: u64,
}

/// Sizes of all parts, in the order of [`Part::ALL`].
pub type PartSizes = [PartSize; Part::ALL.len()];

/// Sizes of a model of these shapes at a quantization of each expert.
pub fn planned_sizes(config: &Config, understanding: Quantization, generation: Quantization) -> PartSizes {
    let planned = plan(config, understanding, generation);
    add_up(planned.iter().map(|it| (it.part, it.n_parameters(), it.size_bytes())))
}

/// Sizes of a checkpoint as it is stored.
pub fn stored_sizes(checkpoint: &Checkpoint) -> PartSizes {
    let expected = expected_tensors(checkpoint.config());
    add_up(expected.iter().filter_map(|it| {
        let view = checkpoint.tensor(&it.name)?;
        Some((it.part, view.shape.iter().map(|extent| *extent as u64).product(), view.bytes.len() as u64))
    }))
}

/// Bytes of all parts.
pub fn total_bytes(sizes: &PartSizes) -> u64 {
    sizes.iter().map(|it| it.size_bytes).sum()
}

fn add_up(tensors: impl Iterator<Item = (Part, u64, u64)>) -> PartSizes {
    let mut sizes = Part::ALL.map(|part| PartSize { part, n_tensors: 0, n_parameters: 0, size_bytes: 0 });
    for (part, n_parameters, size_bytes) in tensors {
        for size in sizes.iter_mut().filter(|it| it.part == part) {
            size.n_tensors += 1;
            size.n_parameters += n_parameters;
            size.size_bytes += size_bytes;
        }
    }
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn official_sizes_are_those_of_the_published_table() {
        // GB of each expert, embeddings, head, all.
        let table = [
            (Quantization::Bf16, 13.05, 1.09, 1.09, 29.4),
            (Quantization::Q8_0, 6.93, 0.58, 0.58, 16.1),
            (Quantization::Q6K, 5.35, 0.45, 0.45, 12.7),
            (Quantization::Q5KM, 4.62, 0.38, 0.45, 11.2),
            (Quantization::Q4KM, 3.92, 0.31, 0.45, 9.7),
        ];
        for (quantization, expert, embeddings, head, total) in table {
            let sizes = planned_sizes(&Config::official(), quantization, quantization);
            let check = |what: &str, bytes: u64, gigabytes: f64| {
                let found = bytes as f64 / 1e9;
                assert!((found - gigabytes).abs() < 0.006 * gigabytes + 0.006, "{quantization} {what}: {found}");
            };
            let of = |part: Part| sizes.iter().find(|it| it.part == part).unwrap().size_bytes;
            check("understanding", of(Part::Understanding), expert);
            check("generation", of(Part::Generation), expert);
            check("embeddings", of(Part::Embeddings), embeddings);
            check("head", of(Part::Head), head);
            check("all", total_bytes(&sizes), total);
        }
    }
}
