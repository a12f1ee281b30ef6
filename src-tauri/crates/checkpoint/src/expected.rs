//! The table of tensors that make up a model.
//!
//! Names are the published ones; they are canonical everywhere in memory,
//! whatever a file calls them.

use crate::Config;
use crate::config::TIMESTEP_FREQUENCIES;

pub(crate) const TOKEN_EMBEDDING: &str = "language_model.model.embed_tokens.weight";
pub(crate) const OUTPUT_HEAD: &str = "language_model.lm_head.weight";
pub(crate) const LATENT_POSITIONS: &str = "latent_pos_embed.pos_embed";
pub(crate) const VISION_POSITIONS: &str = "vit_pos_embed.pos_embed";
pub(crate) const VISION_TABLE: &str = "vit_model.vision_model.embeddings.position_embedding.weight";
pub(crate) const VISION_LAYERS: &str = "vit_model.vision_model.encoder.layers.";
/// What the generation expert's modules have at the end of their names.
pub(crate) const GENERATION_SUFFIX: &str = "_moe_gen";

/// The part of the model that a tensor belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// The expert that reads.
    Understanding,
    /// The expert that paints.
    Generation,
    /// The table of token embeddings.
    Embeddings,
    /// The projection to the vocabulary.
    Head,
    /// The vision transformer.
    Vision,
    /// What joins the parts: connector, position tables, time embedder, latent projections.
    Glue,
    /// The autoencoder.
    Vae,
}

impl Part {
    /// All parts.
    pub const ALL: [Self; 7] =
        [Self::Understanding, Self::Generation, Self::Embeddings, Self::Head, Self::Vision, Self::Glue, Self::Vae];

    /// Name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Understanding => "understanding expert",
            Self::Generation => "generation expert",
            Self::Embeddings => "embeddings",
            Self::Head => "head",
            Self::Vision => "vision",
            Self::Glue => "glue",
            Self::Vae => "vae",
        }
    }
}

/// One tensor that a complete model holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Published name.
    pub name: String,
    /// Shape, outermost first.
    pub shape: Vec<usize>,
    /// A second shape that is as good: the patch embedding as a convolution.
    pub other_shape: Option<Vec<usize>>,
    /// Where it belongs.
    pub part: Part,
}

impl Expected {
    /// Whether a tensor of this shape will do.
    pub fn accepts(&self, shape: &[usize]) -> bool {
        self.shape == shape || self.other_shape.as_deref() == Some(shape)
    }
}

/// All tensors of a model of these shapes, in a fixed order.
pub fn expected_tensors(config: &Config) -> Vec<Expected> {
    let mut table = Table::default();
    text(&mut table, config);
    vision(&mut table, config);
    glue(&mut table, config);
    encoder(&mut table, config);
    decoder(&mut table, config);
    table.tensors
}

#[derive(Default)]
struct Table {
    tensors: Vec<Expected>,
}

impl Table {
    fn add(&mut self, part: Part, name: String, shape: &[usize]) {
        self.tensors.push(Expected { name, shape: shape.to_vec(), other_shape: None, part });
    }

    /// A weight of this shape and the bias of its rows.
    fn biased(&mut self, part: Part, name: &str, shape: &[usize]) {
        self.add(part, format!("{name}.weight"), shape);
        self.add(part, format!("{name}.bias"), &shape[..1]);
    }

    fn norm(&mut self, part: Part, name: &str, width: usize) {
        self.biased(part, name, &[width]);
    }
}

fn text(table: &mut Table, config: &Config) {
    let text = &config.text;
    let hidden = text.hidden_size;
    let inner = text.intermediate_size;
    let (q_rows, kv_rows) = (text.n_heads * text.head_dim, text.n_kv_heads * text.head_dim);
    table.add(Part::Embeddings, TOKEN_EMBEDDING.to_owned(), &[text.vocab_size, hidden]);
    table.add(Part::Head, OUTPUT_HEAD.to_owned(), &[text.vocab_size, hidden]);
    for (part, x) in [(Part::Understanding, ""), (Part::Generation, GENERATION_SUFFIX)] {
        for layer in 0..text.n_layers {
            let layer = format!("language_model.model.layers.{layer}");
            table.add(part, format!("{layer}.input_layernorm{x}.weight"), &[hidden]);
            table.add(part, format!("{layer}.post_attention_layernorm{x}.weight"), &[hidden]);
            for (projection, rows) in [("q", q_rows), ("k", kv_rows), ("v", kv_rows)] {
                table.biased(part, &format!("{layer}.self_attn.{projection}_proj{x}"), &[rows, hidden]);
            }
            table.add(part, format!("{layer}.self_attn.o_proj{x}.weight"), &[hidden, q_rows]);
            for norm in ["q_norm", "k_norm"] {
                table.add(part, format!("{layer}.self_attn.{norm}{x}.weight"), &[text.head_dim]);
            }
            table.add(part, format!("{layer}.mlp{x}.gate_proj.weight"), &[inner, hidden]);
            table.add(part, format!("{layer}.mlp{x}.up_proj.weight"), &[inner, hidden]);
            table.add(part, format!("{layer}.mlp{x}.down_proj.weight"), &[hidden, inner]);
        }
        table.add(part, format!("language_model.model.norm{x}.weight"), &[hidden]);
    }
}

fn vision(table: &mut Table, config: &Config) {
    let vision = &config.vision;
    let (part, hidden, inner) = (Part::Vision, vision.hidden_size, vision.intermediate_size);
    let embeddings = "vit_model.vision_model.embeddings";
    table.tensors.push(Expected {
        name: format!("{embeddings}.patch_embedding.weight"),
        shape: vec![hidden, vision.patch_dim()],
        other_shape: Some(vec![hidden, vision.n_channels, vision.patch_size, vision.patch_size]),
        part,
    });
    table.add(part, format!("{embeddings}.patch_embedding.bias"), &[hidden]);
    table.add(part, VISION_TABLE.to_owned(), &[vision.n_positions, hidden]);
    for layer in 0..vision.n_layers {
        let layer = format!("{VISION_LAYERS}{layer}");
        for projection in ["q_proj", "k_proj", "v_proj", "out_proj"] {
            table.biased(part, &format!("{layer}.self_attn.{projection}"), &[hidden, hidden]);
        }
        table.biased(part, &format!("{layer}.mlp.fc1"), &[inner, hidden]);
        table.biased(part, &format!("{layer}.mlp.fc2"), &[hidden, inner]);
        table.norm(part, &format!("{layer}.layer_norm1"), hidden);
        table.norm(part, &format!("{layer}.layer_norm2"), hidden);
    }
    table.norm(part, "vit_model.vision_model.post_layernorm", hidden);
}

fn glue(table: &mut Table, config: &Config) {
    let (part, hidden, token) = (Part::Glue, config.text.hidden_size, config.latent_token_dim());
    table.biased(part, "connector.fc1", &[hidden, config.vision.hidden_size]);
    table.biased(part, "connector.fc2", &[hidden, hidden]);
    table.add(part, VISION_POSITIONS.to_owned(), &[config.vision_grid_side.pow(2), hidden]);
    table.add(part, LATENT_POSITIONS.to_owned(), &[config.latent.grid_side.pow(2), hidden]);
    table.biased(part, "time_embedder.mlp.0", &[hidden, TIMESTEP_FREQUENCIES]);
    table.biased(part, "time_embedder.mlp.2", &[hidden, hidden]);
    table.biased(part, "vae2llm", &[hidden, token]);
    table.biased(part, "llm2vae", &[token, hidden]);
}

fn encoder(table: &mut Table, config: &Config) {
    let vae = &config.vae;
    let mut width = vae.ch;
    table.biased(Part::Vae, "encoder.conv_in", &[width, vae.in_channels, 3, 3]);
    for level in 0..vae.ch_mult.len() {
        for block in 0..vae.n_res_blocks {
            let out = vae.level_channels(level);
            residual_block(table, &format!("encoder.down.{level}.block.{block}"), width, out);
            width = out;
        }
        if level + 1 < vae.ch_mult.len() {
            table.biased(Part::Vae, &format!("encoder.down.{level}.downsample.conv"), &[width, width, 3, 3]);
        }
    }
    middle(table, "encoder", width);
    table.norm(Part::Vae, "encoder.norm_out", width);
    table.biased(Part::Vae, "encoder.conv_out", &[2 * vae.z_channels, width, 3, 3]);
}

fn decoder(table: &mut Table, config: &Config) {
    let vae = &config.vae;
    let n_levels = vae.ch_mult.len();
    let mut width = vae.level_channels(n_levels.saturating_sub(1));
    table.biased(Part::Vae, "decoder.conv_in", &[width, vae.z_channels, 3, 3]);
    middle(table, "decoder", width);
    for level in (0..n_levels).rev() {
        for block in 0..=vae.n_res_blocks {
            let out = vae.level_channels(level);
            residual_block(table, &format!("decoder.up.{level}.block.{block}"), width, out);
            width = out;
        }
        if level > 0 {
            table.biased(Part::Vae, &format!("decoder.up.{level}.upsample.conv"), &[width, width, 3, 3]);
        }
    }
    table.norm(Part::Vae, "decoder.norm_out", width);
    table.biased(Part::Vae, "decoder.conv_out", &[vae.out_ch, width, 3, 3]);
}

fn middle(table: &mut Table, half: &str, width: usize) {
    residual_block(table, &format!("{half}.mid.block_1"), width, width);
    table.norm(Part::Vae, &format!("{half}.mid.attn_1.norm"), width);
    for projection in ["q", "k", "v", "proj_out"] {
        table.biased(Part::Vae, &format!("{half}.mid.attn_1.{projection}"), &[width, width, 1, 1]);
    }
    residual_block(table, &format!("{half}.mid.block_2"), width, width);
}

fn residual_block(table: &mut Table, name: &str, width: usize, out: usize) {
    table.norm(Part::Vae, &format!("{name}.norm1"), width);
    table.biased(Part::Vae, &format!("{name}.conv1"), &[out, width, 3, 3]);
    table.norm(Part::Vae, &format!("{name}.norm2"), out);
    table.biased(Part::Vae, &format!("{name}.conv2"), &[out, out, 3, 3]);
    if width != out {
        table.biased(Part::Vae, &format!("{name}.nin_shortcut"), &[out, width, 1, 1]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn official() -> Vec<Expected> {
        expected_tensors(&Config::official())
    }

    fn n_parameters(tensors: &[Expected], of: impl Fn(Part) -> bool) -> usize {
        tensors.iter().filter(|it| of(it.part)).map(|it| it.shape.iter().product::<usize>()).sum()
    }

    #[test]
    fn official_table_has_the_published_counts() {
        let tensors = official();
        assert_eq!(tensors.iter().filter(|it| it.part == Part::Vae).count(), 244);
        assert_eq!(tensors.iter().filter(|it| it.part != Part::Vae).count(), 1223);
        assert_eq!(n_parameters(&tensors, |part| part != Part::Vae), 14_607_260_128);
    }

    #[test]
    fn both_forms_of_the_patch_embedding_are_accepted() {
        let tensors = official();
        let patch = tensors.iter().find(|it| it.name.ends_with("patch_embedding.weight")).unwrap();
        assert!(patch.accepts(&[1152, 588]));
        assert!(patch.accepts(&[1152, 3, 14, 14]));
        assert!(!patch.accepts(&[588, 1152]));
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<String> = official().into_iter().map(|it| it.name).collect();
        let n = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), n);
    }
}
