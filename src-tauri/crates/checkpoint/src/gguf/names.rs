//! Names in our GGUF files, after llama.cpp's.
//!
//! | published | in the file |
//! |---|---|
//! | `language_model.model.embed_tokens` | `token_embd` |
//! | `language_model.lm_head` | `output` |
//! | `language_model.model.norm`, `…norm_moe_gen` | `output_norm`, `output_norm.gen` |
//! | `language_model.model.layers.N.self_attn.{q,k,v}_proj` | `blk.N.attn_{q,k,v}` |
//! | `….self_attn.o_proj` | `blk.N.attn_output` |
//! | `….self_attn.{q,k}_norm` | `blk.N.attn_{q,k}_norm` |
//! | `….mlp.{gate,up,down}_proj` | `blk.N.ffn_{gate,up,down}` |
//! | `….input_layernorm`, `….post_attention_layernorm` | `blk.N.attn_norm`, `blk.N.ffn_norm` |
//! | their generation twins (`_moe_gen`) | `blk.N.gen.…` |
//! | `vit_model.vision_model.embeddings.{patch,position}_embedding` | `v.{patch,position}_embd` |
//! | `vit_model.vision_model.encoder.layers.M.…` | `v.blk.M.{attn_q,attn_k,attn_v,attn_out,ffn_up,ffn_down,ln1,ln2}` |
//! | `vit_model.vision_model.post_layernorm` | `v.post_ln` |
//! | `connector.fc1`, `connector.fc2` | `mm.0`, `mm.2` |
//! | `vit_pos_embed.pos_embed` | `mm.position_embd.weight` |
//! | `latent_pos_embed.pos_embed` | `latent.position_embd.weight` |
//! | `time_embedder.mlp.0`, `time_embedder.mlp.2` | `t_embd.0`, `t_embd.2` |
//! | `vae2llm`, `llm2vae` | the same |
//! | `encoder.…`, `decoder.…` | `vae.encoder.…`, `vae.decoder.…` |
//!
//! `.weight` and `.bias` stay as they are. The longest name is 43 bytes; ggml allows 63.

use crate::naming::is_vae;

const LAYERS: (&str, &str) = ("language_model.model.layers.", "blk.");
const VISION_LAYERS: (&str, &str) = ("vit_model.vision_model.encoder.layers.", "v.blk.");
const VAE_PREFIX: &str = "vae.";

/// Names that are not a module and its weight or bias.
const WHOLE: [(&str, &str); 2] = [
    ("vit_pos_embed.pos_embed", "mm.position_embd.weight"),
    ("latent_pos_embed.pos_embed", "latent.position_embd.weight"),
];

/// Modules that exist once.
const SINGLE: [(&str, &str); 13] = [
    ("language_model.model.embed_tokens", "token_embd"),
    ("language_model.lm_head", "output"),
    ("language_model.model.norm", "output_norm"),
    ("language_model.model.norm_moe_gen", "output_norm.gen"),
    ("vit_model.vision_model.embeddings.patch_embedding", "v.patch_embd"),
    ("vit_model.vision_model.embeddings.position_embedding", "v.position_embd"),
    ("vit_model.vision_model.post_layernorm", "v.post_ln"),
    ("connector.fc1", "mm.0"),
    ("connector.fc2", "mm.2"),
    ("time_embedder.mlp.0", "t_embd.0"),
    ("time_embedder.mlp.2", "t_embd.2"),
    ("vae2llm", "vae2llm"),
    ("llm2vae", "llm2vae"),
];

/// Modules of a layer of the language model, both experts.
const IN_LAYER: [(&str, &str); 22] = [
    ("self_attn.q_proj", "attn_q"),
    ("self_attn.k_proj", "attn_k"),
    ("self_attn.v_proj", "attn_v"),
    ("self_attn.o_proj", "attn_output"),
    ("self_attn.q_norm", "attn_q_norm"),
    ("self_attn.k_norm", "attn_k_norm"),
    ("mlp.gate_proj", "ffn_gate"),
    ("mlp.up_proj", "ffn_up"),
    ("mlp.down_proj", "ffn_down"),
    ("input_layernorm", "attn_norm"),
    ("post_attention_layernorm", "ffn_norm"),
    ("self_attn.q_proj_moe_gen", "gen.attn_q"),
    ("self_attn.k_proj_moe_gen", "gen.attn_k"),
    ("self_attn.v_proj_moe_gen", "gen.attn_v"),
    ("self_attn.o_proj_moe_gen", "gen.attn_output"),
    ("self_attn.q_norm_moe_gen", "gen.attn_q_norm"),
    ("self_attn.k_norm_moe_gen", "gen.attn_k_norm"),
    ("mlp_moe_gen.gate_proj", "gen.ffn_gate"),
    ("mlp_moe_gen.up_proj", "gen.ffn_up"),
    ("mlp_moe_gen.down_proj", "gen.ffn_down"),
    ("input_layernorm_moe_gen", "gen.attn_norm"),
    ("post_attention_layernorm_moe_gen", "gen.ffn_norm"),
];

/// Modules of a layer of the vision transformer.
const IN_VISION_LAYER: [(&str, &str); 8] = [
    ("self_attn.q_proj", "attn_q"),
    ("self_attn.k_proj", "attn_k"),
    ("self_attn.v_proj", "attn_v"),
    ("self_attn.out_proj", "attn_out"),
    ("mlp.fc1", "ffn_up"),
    ("mlp.fc2", "ffn_down"),
    ("layer_norm1", "ln1"),
    ("layer_norm2", "ln2"),
];

/// The name in a file of a published one.
pub fn to_gguf(published: &str) -> Option<String> {
    if is_vae(published) {
        return Some(format!("{VAE_PREFIX}{published}"));
    }
    translate(published, |(published, gguf)| (published, gguf))
}

/// The published name of one in a file.
pub fn to_published(gguf: &str) -> Option<String> {
    if let Some(name) = gguf.strip_prefix(VAE_PREFIX) {
        return is_vae(name).then(|| name.to_owned());
    }
    translate(gguf, |(published, gguf)| (gguf, published))
}

/// Looks a name up in the tables, read in the direction that `order` gives.
fn translate<'t>(name: &str, order: fn((&'t str, &'t str)) -> (&'t str, &'t str)) -> Option<String> {
    let find = |table: &[(&'t str, &'t str)], from: &str| table.iter().map(|row| order(*row)).find(|row| row.0 == from);
    if let Some((_, to)) = find(&WHOLE, name) {
        return Some(to.to_owned());
    }
    let (module, leaf) = name.rsplit_once('.')?;
    if leaf != "weight" && leaf != "bias" {
        return None;
    }
    for (prefix, table) in [(LAYERS, IN_LAYER.as_slice()), (VISION_LAYERS, &IN_VISION_LAYER)] {
        let (from, to) = order(prefix);
        if let Some((layer, module)) = module.strip_prefix(from).and_then(|rest| rest.split_once('.')) {
            let is_number = !layer.is_empty() && layer.len() <= 4 && layer.bytes().all(|byte| byte.is_ascii_digit());
            let (_, module) = find(table, module).filter(|_| is_number)?;
            return Some(format!("{to}{layer}.{module}.{leaf}"));
        }
    }
    find(&SINGLE, module).map(|(_, to)| format!("{to}.{leaf}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::gguf::MAX_NAME_BYTES;
    use crate::{Config, expected_tensors};

    #[test]
    fn every_official_tensor_has_one_short_name_that_leads_back_to_it() {
        let mut seen = BTreeSet::new();
        for tensor in expected_tensors(&Config::official()) {
            let gguf = to_gguf(&tensor.name).unwrap_or_else(|| panic!("{} has no name", tensor.name));
            assert!(gguf.len() <= MAX_NAME_BYTES, "{gguf}");
            assert!(gguf.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)), "{gguf}");
            assert_eq!(to_published(&gguf).as_deref(), Some(tensor.name.as_str()), "{gguf}");
            assert!(seen.insert(gguf.clone()), "{gguf} comes twice");
        }
    }

    #[test]
    fn names_are_those_of_llama_cpp() {
        let check = |published: &str, gguf: &str| assert_eq!(to_gguf(published).as_deref(), Some(gguf));
        check("language_model.model.embed_tokens.weight", "token_embd.weight");
        check("language_model.model.layers.27.self_attn.q_proj.bias", "blk.27.attn_q.bias");
        check("language_model.model.layers.3.mlp_moe_gen.down_proj.weight", "blk.3.gen.ffn_down.weight");
        check("language_model.model.norm_moe_gen.weight", "output_norm.gen.weight");
        check("vit_model.vision_model.encoder.layers.25.mlp.fc1.weight", "v.blk.25.ffn_up.weight");
        check("decoder.up.0.block.2.conv1.weight", "vae.decoder.up.0.block.2.conv1.weight");
    }

    #[test]
    fn other_names_have_no_translation() {
        for name in ["", "weight", "blk..attn_q.weight", "blk.x.attn_q.weight", "blk.1.attn_z.weight", "vae.mid.weight"]
        {
            assert_eq!(to_published(name), None, "{name}");
        }
    }
}
