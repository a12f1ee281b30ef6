//! Whole runs, from inputs to images and texts.

use std::path::Path;
use std::sync::Arc;

use bagel::pipeline::{DenoiseInputs, DenoiseStep};
use bagel::{ChatJob, Engine, ImageJob, Item, Observer, Result};
use protocol::{ImageParameters, Size, Statistics, TextParameters, Thinking};
use serde_json::Value;

use super::cases::{Cases, read_json};
use super::components::{list, numbers, renorm};
use super::judge::{Images, Judge};

pub(super) fn check(
    engine: &mut Engine,
    folder: &Path,
    images: &Images<'_>,
    judge: &mut Judge<'_>,
    observe: &mut Observer<'_>,
) -> Result<()> {
    for run in list(&read_json(&folder.join("runs.json"))?) {
        let name = run["name"].as_str().unwrap_or_default();
        let inputs = inputs(run, images)?;
        let params = &run["params"];
        let text = TextParameters {
            limit: params["max_think_token_n"].as_u64().unwrap_or(2) as u32,
            ..TextParameters::plan()
        };
        let think = params["think"].as_bool().unwrap_or(false);
        if params["understanding_output"].as_bool().unwrap_or(false) {
            let job = ChatJob { inputs, think, text: text.clone() };
            let written = engine.answer(&job, &text, &mut Statistics::default(), observe)?;
            check_text(name, run, &written.text, &written.ids, judge);
        } else {
            let job = ImageJob {
                thinking: if think { Thinking::On } else { Thinking::Off },
                parameters: image_parameters(params, has_image(&inputs))?,
                inputs,
                text,
                noise: None,
            };
            check_image(engine, name, run, &job, &Cases::open(folder, name)?, judge, observe)?;
        }
    }
    Ok(())
}

fn inputs(run: &Value, images: &Images<'_>) -> Result<Vec<Item>> {
    list(&run["inputs"])
        .iter()
        .filter_map(Value::as_str)
        .map(|input| match input.strip_prefix('@') {
            Some(name) => Ok(Item::Image(Arc::new(images.get(name)?))),
            None => Ok(Item::Text(input.to_owned())),
        })
        .collect()
}

fn has_image(inputs: &[Item]) -> bool {
    inputs.iter().any(|item| matches!(item, Item::Image(_)))
}

fn image_parameters(params: &Value, is_edit: bool) -> Result<ImageParameters> {
    let number = |key: &str| params[key].as_f64().unwrap_or(f64::NAN);
    let interval = &params["cfg_interval"];
    let side = |idx: usize| params["image_shapes"][idx].as_u64().unwrap_or_default() as u32;
    Ok(ImageParameters {
        size: (!is_edit).then(|| Size { width: side(1), height: side(0) }),
        steps: params["num_timesteps"].as_u64().unwrap_or_default() as u32,
        text_guidance: number("cfg_text_scale"),
        image_guidance: number("cfg_img_scale"),
        guidance_interval: [interval[0].as_f64().unwrap_or(f64::NAN), interval[1].as_f64().unwrap_or(f64::NAN)],
        renorm: renorm(&params["cfg_renorm_type"])?,
        renorm_min: number("cfg_renorm_min"),
        shift: number("timestep_shift"),
        seed: Some(0),
        sample_posterior: false,
        feature_cache: params["enable_taylorseer"].as_bool().unwrap_or(false),
    })
}

fn check_text(name: &str, run: &Value, text: &str, ids: &[u32], judge: &mut Judge<'_>) {
    if !judge.tolerances.exact_text {
        return;
    }
    let expected: Vec<u32> = list(&run["text_ids"]).iter().filter_map(|id| Some(id.as_u64()? as u32)).collect();
    judge.exact(&format!("{name}.text_ids"), &ids.to_vec(), &expected);
    let expected = list(&run["outputs"]).iter().find_map(|output| output["text"].as_str()).unwrap_or_default();
    judge.exact(&format!("{name}.text"), &text, &expected);
}

fn check_image(
    engine: &mut Engine,
    name: &str,
    run: &Value,
    job: &ImageJob,
    cases: &Cases,
    judge: &mut Judge<'_>,
    observe: &mut Observer<'_>,
) -> Result<()> {
    let tolerance = judge.tolerances.run;
    let golden_plan = list(&run["outputs"]).iter().find_map(|output| output["text"].as_str());
    // Where the arithmetic cannot choose the same tokens, the image is judged with the reference's plan.
    let job = match (judge.tolerances.exact_text, golden_plan) {
        (false, Some(plan)) => ImageJob { thinking: Thinking::Given { plan: plan.to_owned() }, ..job.clone() },
        _ => job.clone(),
    };
    let mut statistics = Statistics::default();
    let prepared = engine.prepare_image(&job, &mut statistics, observe)?;
    if job.thinking == Thinking::On {
        let plan = prepared.plan.clone().unwrap_or_default();
        check_text(name, run, &plan, &prepared.plan_ids, judge);
    }
    let expected = list(&run["outputs"]).iter().find_map(|output| {
        let size = &output["size_wh"];
        Some(Size { width: size[0].as_u64()? as u32, height: size[1].as_u64()? as u32 })
    });
    judge.exact(&format!("{name}.size"), &Some(prepared.size), &expected);

    let grid = engine.grid(prepared.size)?;
    let (mut t, mut x_steps, mut v_steps) = (Vec::new(), Vec::new(), Vec::new());
    let mut keep = |step: DenoiseStep<'_>| {
        t.push(step.t);
        x_steps.extend(numbers(step.x)?);
        v_steps.extend(numbers(step.v)?);
        Ok(())
    };
    let noise = cases.numbers("noise")?;
    let inputs = DenoiseInputs { contexts: &prepared.contexts, grid, parameters: &job.parameters };
    let x = engine.denoise(&inputs, &noise, &mut statistics, &mut keep, observe)?;
    let image = engine.decode(&x, grid, &mut statistics, observe)?;
    judge.numbers(&format!("{name}.t"), &t, &cases.numbers("t")?, 1e-6);
    for (what, actual) in [("x", &x_steps), ("v", &v_steps), ("latent", &numbers(&x)?)] {
        judge.numbers(&format!("{name}.{what}"), actual, &cases.numbers(what)?, tolerance);
    }
    let (byte, far_bytes) = (judge.tolerances.byte, judge.tolerances.far_bytes);
    judge.bytes(&format!("{name}.image"), image.rgb(), &cases.bytes("image")?, byte, far_bytes);
    Ok(())
}
