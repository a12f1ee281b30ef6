//! Which kind each tensor of a model gets.
//!
//! The matrices of both experts, the embeddings and the head are quantized.
//! Norms and biases stay in 32 bits, everything else in bf16: together they
//! are a tenth of the smallest model, and the autoencoder and the position
//! tables show every rounding in the image.
//!
//! The `_M` quantizations store the head, and in the layers that matter most
//! the value and the down projections, one kind better, by llama.cpp's rule.

use crate::expected::GENERATION_SUFFIX;
use crate::{Config, Expected, Kind, Part, Quantization, expected_tensors};

/// A tensor with the kind it will have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedTensor {
    /// Published name.
    pub name: String,
    /// Shape, outermost first; the vision patch embedding as a matrix, which a source may hold as a convolution.
    pub shape: Vec<usize>,
    /// Where it belongs.
    pub part: Part,
    /// The kind.
    pub kind: Kind,
    /// The kind that was asked for, where its rows could not be held.
    pub fallback_from: Option<Kind>,
}

impl PlannedTensor {
    /// Numbers in it.
    pub fn n_parameters(&self) -> u64 {
        self.shape.iter().map(|extent| *extent as u64).product()
    }

    /// Bytes it takes.
    pub fn size_bytes(&self) -> u64 {
        self.kind.size_bytes(self.n_parameters())
    }
}

/// Plans every tensor of a model, in the order of [`expected_tensors`].
///
/// Embeddings, head and vision follow the understanding expert.
pub fn plan(config: &Config, understanding: Quantization, generation: Quantization) -> Vec<PlannedTensor> {
    let n_layers = config.text.n_layers;
    let planned = |tensor: Expected| {
        let asked = match tensor.part {
            _ if tensor.shape.len() == 1 => Kind::F32,
            Part::Understanding => matrix(&tensor.name, n_layers, understanding),
            Part::Generation => matrix(&tensor.name, n_layers, generation),
            Part::Embeddings => understanding.kind(),
            Part::Head => understanding.better_kind(),
            Part::Vision | Part::Glue | Part::Vae if understanding == Quantization::F32 => Kind::F32,
            Part::Vision | Part::Glue | Part::Vae => Kind::BF16,
        };
        let kind = holding(asked, tensor.shape.last().copied().unwrap_or(1));
        PlannedTensor {
            name: tensor.name,
            shape: tensor.shape,
            part: tensor.part,
            kind,
            fallback_from: (kind != asked).then_some(asked),
        }
    };
    expected_tensors(config).into_iter().map(planned).collect()
}

/// The kind itself, or the next that holds rows of this length.
fn holding(asked: Kind, row_len: usize) -> Kind {
    [asked, Kind::Q8_0].into_iter().find(|kind| kind.holds_rows_of(row_len)).unwrap_or(Kind::BF16)
}

fn matrix(name: &str, n_layers: usize, quantization: Quantization) -> Kind {
    let mut words = name.split('.').skip_while(|word| *word != "layers").skip(1);
    let layer = words.next().and_then(|word| word.parse().ok());
    let is_sensitive =
        words.any(|word| matches!(word.strip_suffix(GENERATION_SUFFIX).unwrap_or(word), "v_proj" | "down_proj"));
    match layer {
        Some(layer) if is_sensitive && matters_most(layer, n_layers) => quantization.better_kind(),
        _ => quantization.kind(),
    }
}

/// The first and the last eighth of the layers, and every third between.
fn matters_most(layer: usize, n_layers: usize) -> bool {
    let eighth = n_layers / 8;
    layer < eighth || layer >= 7 * n_layers / 8 || (layer - eighth) % 3 == 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind_of(planned: &[PlannedTensor], name: &str) -> Kind {
        planned.iter().find(|it| it.name == name).map(|it| it.kind).unwrap()
    }

    #[test]
    fn layers_that_matter_most_are_those_of_llama_cpp() {
        let layers: Vec<usize> = (0..28).filter(|layer| matters_most(*layer, 28)).collect();
        assert_eq!(layers, [0, 1, 2, 5, 8, 11, 14, 17, 20, 23, 24, 25, 26, 27]);
    }

    #[test]
    fn q4_k_m_stores_what_matters_one_kind_better() {
        let planned = plan(&Config::official(), Quantization::Q4KM, Quantization::Q5KM);
        let check = |name: &str, kind| assert_eq!(kind_of(&planned, &format!("language_model.{name}")), kind, "{name}");
        check("model.layers.0.self_attn.v_proj.weight", Kind::Q6K);
        check("model.layers.3.self_attn.v_proj.weight", Kind::Q4K);
        check("model.layers.5.mlp.down_proj.weight", Kind::Q6K);
        check("model.layers.5.mlp.up_proj.weight", Kind::Q4K);
        check("model.layers.3.mlp_moe_gen.down_proj.weight", Kind::Q5K);
        check("model.layers.27.self_attn.v_proj_moe_gen.weight", Kind::Q6K);
        check("model.layers.27.self_attn.v_proj_moe_gen.bias", Kind::F32);
        check("model.layers.0.self_attn.q_norm.weight", Kind::F32);
        check("model.embed_tokens.weight", Kind::Q4K);
        check("lm_head.weight", Kind::Q6K);
        assert_eq!(kind_of(&planned, "connector.fc1.weight"), Kind::BF16);
        assert_eq!(kind_of(&planned, "decoder.conv_in.weight"), Kind::BF16);
        assert!(planned.iter().all(|it| it.fallback_from.is_none()));
    }

    #[test]
    fn rows_that_a_kind_cannot_hold_fall_back_and_say_so() {
        let mut config = Config::official();
        config.text.hidden_size = 96;
        config.text.intermediate_size = 200;
        let planned = plan(&config, Quantization::Q4KM, Quantization::Q4_0);
        let check = |name: &str, kind, fallback_from| {
            let tensor = planned.iter().find(|it| it.name == format!("language_model.model.layers.4.{name}")).unwrap();
            assert_eq!((tensor.kind, tensor.fallback_from), (kind, fallback_from), "{name}");
        };
        check("mlp.up_proj.weight", Kind::Q8_0, Some(Kind::Q4K));
        check("mlp.down_proj.weight", Kind::BF16, Some(Kind::Q4K));
        check("mlp_moe_gen.up_proj.weight", Kind::Q4_0, None);
        check("mlp_moe_gen.down_proj.weight", Kind::BF16, Some(Kind::Q4_0));
    }
}
