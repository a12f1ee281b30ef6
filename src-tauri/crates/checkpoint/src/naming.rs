//! Published names, and what files make of them.

/// The published name of a tensor that a training framework may have wrapped.
///
/// Published names contain `model.` but none begins with it.
pub(crate) fn published_name(raw: &str) -> &str {
    let mut name = raw;
    while let Some(rest) = ["module.", "model."].iter().find_map(|prefix| name.strip_prefix(prefix)) {
        name = rest;
    }
    let bare = ["vae_model.", "vae."].iter().find_map(|prefix| name.strip_prefix(prefix));
    bare.filter(|rest| is_vae(rest)).unwrap_or(name)
}

/// Whether a published name is one of the autoencoder.
pub(crate) fn is_vae(name: &str) -> bool {
    name.starts_with("encoder.") || name.starts_with("decoder.")
}

/// Whether a published name is one of the model without its autoencoder.
pub(crate) fn is_model(name: &str) -> bool {
    const MODULES: [&str; 8] = [
        "language_model.",
        "vit_model.",
        "connector.",
        "time_embedder.",
        "vae2llm.",
        "llm2vae.",
        "latent_pos_embed.",
        "vit_pos_embed.",
    ];
    MODULES.iter().any(|module| name.starts_with(module))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrappers_are_taken_off_and_published_names_left_alone() {
        let check = |raw: &str, name: &str| assert_eq!(published_name(raw), name);
        check("language_model.model.norm.weight", "language_model.model.norm.weight");
        check("module.language_model.lm_head.weight", "language_model.lm_head.weight");
        check("model.vae2llm.bias", "vae2llm.bias");
        check("module.model.connector.fc1.bias", "connector.fc1.bias");
        check("vae.encoder.conv_in.bias", "encoder.conv_in.bias");
        check("vae2llm.bias", "vae2llm.bias");
    }
}
