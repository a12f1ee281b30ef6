//! Parts of the model, one by one.

use bagel::parts::Context;
use bagel::pipeline::{Author, Contexts, DenoiseInputs};
use bagel::transform::resize;
use bagel::{Engine, Error, Observer, Result};
use candle_core::{DType, Device, Tensor};
use checkpoint::ResizeRule;
use protocol::{Image, ImageParameters, Renorm, Size};
use serde_json::Value;

use super::cases::Cases;
use super::judge::{Images, Judge};

pub(super) fn check(
    engine: &mut Engine,
    cases: &Cases,
    images: &Images<'_>,
    judge: &mut Judge<'_>,
    observe: &mut Observer<'_>,
) -> Result<()> {
    tokenizer(engine, &cases.facts, judge)?;
    sizes(engine, &cases.facts, judge)?;
    pixels(engine, cases, images, judge)?;
    let (image_name, text) = subjects(&cases.facts)?;
    let image = images.get(&image_name)?;
    autoencoder(engine, &image, cases, judge, observe)?;
    embeddings(engine, cases, judge)?;
    vision(engine, &image, cases, judge, observe)?;
    contexts(engine, &image, &text, cases, judge, observe)?;
    velocities(engine, &image, &text, cases, judge, observe)
}

/// The image and the text that the components were computed from.
fn subjects(facts: &Value) -> Result<(String, String)> {
    let fail = || Error::BadInput("components.json does not say which image and text its contexts hold".to_owned());
    // ctx.vae_vit_text: [image NAME, text "TEXT"]
    let context = facts["flow"]["context"].as_str().ok_or_else(fail)?;
    let (_, rest) = context.split_once("[image ").ok_or_else(fail)?;
    let (image, rest) = rest.split_once(", text \"").ok_or_else(fail)?;
    let (text, _) = rest.rsplit_once("\"]").ok_or_else(fail)?;
    Ok((image.to_owned(), text.to_owned()))
}

fn tokenizer(engine: &Engine, facts: &Value, judge: &mut Judge<'_>) -> Result<()> {
    let ids = &facts["special_tokens"];
    let tokens = engine.tokens();
    for (name, id) in [
        ("bos_token_id", tokens.text_start),
        ("eos_token_id", tokens.text_end),
        ("start_of_image", tokens.image_start),
        ("end_of_image", tokens.image_end),
    ] {
        judge.exact(&format!("tokenize.{name}"), &Some(u64::from(id)), &ids[name].as_u64());
    }
    for (idx, case) in list(&facts["tokenize"]).iter().enumerate() {
        let text = case["text"].as_str().unwrap_or_default();
        let expected: Vec<u32> = list(&case["ids"]).iter().filter_map(|id| Some(id.as_u64()? as u32)).collect();
        let actual = tokens.encode_special(text)?;
        judge.exact(&format!("tokenize.{idx}.ids"), &actual, &expected);
        let decoded = case["decoded"].as_str().unwrap_or_default().to_owned();
        judge.exact(&format!("tokenize.{idx}.decoded"), &tokens.decode(&expected)?, &decoded);
    }
    Ok(())
}

fn sizes(engine: &Engine, facts: &Value, judge: &mut Judge<'_>) -> Result<()> {
    let rules = [
        ("vae_1024_512_16", ResizeRule::new(1024, 512, 16)),
        ("vit_980_224_14", ResizeRule::new(980, 224, 14)),
        ("vae", engine.image_rule()),
        ("vit", engine.vision_rule()),
    ];
    for case in list(&facts["resize"]) {
        let Some(input) = size(&case["in"]) else { continue };
        for (name, rule) in rules {
            let label = format!("resize.{}x{}.{name}", input.width, input.height);
            judge.exact(&label, &Some(rule.resized_size(input)), &size(&case[name]));
        }
    }
    Ok(())
}

fn pixels(engine: &Engine, cases: &Cases, images: &Images<'_>, judge: &mut Judge<'_>) -> Result<()> {
    for name in cases.names() {
        let Some((image, what)) = name.strip_prefix("image.").and_then(|rest| rest.split_once('.')) else { continue };
        let image = images.get(image)?;
        let fitted = engine.fit_image(&image);
        let actual = match what {
            "rgb" => image,
            "vae_resized" => fitted,
            "vit_resized" => resize(&image, engine.vision_rule().resized_size(image.size())),
            "vit_resized_from_vae" => resize(&fitted, engine.vision_rule().resized_size(fitted.size())),
            _ => continue,
        };
        let most = if what == "rgb" { 0.0 } else { 1.0 };
        judge.bytes(name, actual.rgb(), &cases.bytes(name)?, most, 1.0);
    }
    Ok(())
}

fn autoencoder(
    engine: &Engine,
    image: &Image,
    cases: &Cases,
    judge: &mut Judge<'_>,
    observe: &mut Observer<'_>,
) -> Result<()> {
    let fitted = engine.fit_image(image);
    component("vae.pixels", &engine.vae().pixels(&fitted)?, cases, judge)?;
    let latent = engine.vae().encode(&fitted, observe)?.latent(engine.vae().config(), None)?;
    component("vae.latent_mean", &latent, cases, judge)?;
    let golden_latent = cases.tensor("vae.latent_mean")?.to_device(engine.device())?;
    component("vae.decoded", &engine.vae().decode_pixels(&golden_latent, observe)?, cases, judge)
}

fn embeddings(engine: &Engine, cases: &Cases, judge: &mut Judge<'_>) -> Result<()> {
    for name in cases.names() {
        let actual = match name.strip_prefix("time_embed.").map(str::parse::<f32>) {
            Some(Ok(t)) => engine.latents().time(&[t])?,
            _ if name == "latent_pos_embed" => engine.latents().position_table().clone(),
            _ if name == "vit_pos_embed" => engine.vision().token_positions().clone(),
            _ => continue,
        };
        component(name, &actual, cases, judge)?;
    }
    Ok(())
}

fn vision(
    engine: &Engine,
    image: &Image,
    cases: &Cases,
    judge: &mut Judge<'_>,
    observe: &mut Observer<'_>,
) -> Result<()> {
    // The encoder alone is fed the image itself; in a context it sees the one fitted for the autoencoder.
    let resized = resize(image, engine.vision_rule().resized_size(image.size()));
    let positions = engine.vision().positions(&resized, engine.device())?;
    let patches = engine.vision().patches(&resized, engine.device())?;
    let patches = patches.to_dtype(engine.vision().token_positions().dtype())?;
    let hidden = engine.vision().hidden(&patches, &positions, observe)?;
    for (name, actual) in [
        ("vit.position_ids", positions),
        ("vit.patches", patches),
        ("vit.connector", engine.vision().connect(&hidden)?),
        ("vit.hidden", hidden),
        ("vit.tokens", engine.vision().encode(&resized, observe)?),
    ] {
        component(name, &actual, cases, judge)?;
    }
    Ok(())
}

fn contexts(
    engine: &mut Engine,
    image: &Image,
    text: &str,
    cases: &Cases,
    judge: &mut Judge<'_>,
    observe: &mut Observer<'_>,
) -> Result<()> {
    let fitted = engine.fit_image(image);
    for name in ["ctx.text", "ctx.vit", "ctx.vae", "ctx.vae_vit_text"] {
        let mut context = engine.empty_context();
        let parts = name.trim_start_matches("ctx.");
        for part in parts.split('_') {
            match part {
                "text" => engine.prefill_text(&mut context, text, Author::User, observe)?,
                "vit" => engine.prefill_vision(&mut context, &fitted, observe)?,
                _ => engine.prefill_latents(&mut context, &fitted, None, observe)?,
            };
        }
        let facts = &cases.facts["contexts"][name];
        judge.exact(&format!("{name}.kv_len"), &Some(context.n_tokens() as u64), &facts["kv_len"].as_u64());
        judge.exact(&format!("{name}.rope"), &Some(context.position() as u64), &facts["rope"].as_u64());
        cached(name, &context, engine.decoder().n_layers(), cases, judge)?;
    }
    Ok(())
}

fn cached(name: &str, context: &Context, n_layers: usize, cases: &Cases, judge: &mut Judge<'_>) -> Result<()> {
    for layer_idx in 0..n_layers {
        let segments = context.layer(layer_idx);
        for (kind, tensors) in [
            ("key", segments.iter().map(|s| &s.keys).collect::<Vec<_>>()),
            ("value", segments.iter().map(|s| &s.values).collect()),
        ] {
            let label = format!("{name}.layer{layer_idx}.{kind}");
            // (kv_heads, tokens, head_dim) → (tokens, kv_heads, head_dim)
            component(&label, &Tensor::cat(&tensors, 1)?.transpose(0, 1)?, cases, judge)?;
        }
    }
    Ok(())
}

fn velocities(
    engine: &mut Engine,
    image: &Image,
    text: &str,
    cases: &Cases,
    judge: &mut Judge<'_>,
    observe: &mut Observer<'_>,
) -> Result<()> {
    let fitted = engine.fit_image(image);
    let mut without_text = engine.empty_context();
    engine.prefill_latents(&mut without_text, &fitted, None, observe)?;
    engine.prefill_vision(&mut without_text, &fitted, observe)?;
    let mut conditional = without_text.clone();
    engine.prefill_text(&mut conditional, text, Author::User, observe)?;
    let mut without_image = engine.empty_context();
    engine.prefill_text(&mut without_image, text, Author::User, observe)?;
    let contexts = Contexts { conditional, without_text, without_image };

    let facts = &cases.facts["flow"];
    let t = facts["t"].as_f64().unwrap_or_default() as f32;
    let x = cases.tensor("flow.x_t")?.to_device(engine.device())?;
    let side = |idx: usize| facts["image_size_hw"][idx].as_u64().unwrap_or_default() as u32;
    let grid = engine.grid(Size { width: side(1), height: side(0) })?;
    for case in list(&facts["cases"]) {
        let name = case["tensor"].as_str().unwrap_or_default();
        let number = |key: &str| case[key].as_f64().unwrap_or(f64::NAN);
        let parameters = ImageParameters {
            text_guidance: number("cfg_text_scale"),
            image_guidance: number("cfg_img_scale"),
            renorm: renorm(&case["cfg_renorm_type"])?,
            renorm_min: number("cfg_renorm_min"),
            ..ImageParameters::generate()
        };
        let v = engine.velocity_at(
            &DenoiseInputs { contexts: &contexts, grid, parameters: &parameters },
            &x,
            t,
            observe,
        )?;
        component(name, &v, cases, judge)?;
    }
    Ok(())
}

/// Compares a tensor with the golden one of its name.
fn component(name: &str, actual: &Tensor, cases: &Cases, judge: &mut Judge<'_>) -> Result<()> {
    let tolerance = judge.tolerances.component;
    judge.numbers(name, &numbers(actual)?, &cases.numbers(name)?, tolerance);
    Ok(())
}

pub(super) fn renorm(value: &Value) -> Result<Renorm> {
    serde_json::from_value(value.clone()).map_err(|error| Error::BadInput(format!("unknown renorm {value}: {error}")))
}

pub(super) fn numbers(tensor: &Tensor) -> Result<Vec<f32>> {
    Ok(tensor.to_device(&Device::Cpu)?.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?)
}

pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A size written as [width, height].
fn size(value: &Value) -> Option<Size> {
    Some(Size { width: value[0].as_u64()? as u32, height: value[1].as_u64()? as u32 })
}
