//! How fast the full model would run here, from one layer of its shape with random weights.

use std::ffi::OsString;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use protocol::Trial;
use serde_json::Value;

use crate::engine::child;
use crate::{Error, Result};

/// A machine that needs longer for one layer is answered: too slow.
const MAX_TIME: Duration = Duration::from_secs(600);

/// Tokens of an image of 1024 × 1024 with its two marks, and of one of 512 × 512.
const FULL_TOKENS: f64 = 4098.0;
const SMALL_TOKENS: f64 = 1026.0;

/// Times one layer on the engine program's best device.
pub(crate) async fn run(program: &Path, quantization: &str, device: Option<&str>, has_gpu: bool) -> Result<Trial> {
    // The processor needs a minute for a quarter of the image; the rest follows from it.
    let (size, scale) = if has_gpu { ("1024x1024", 1.0) } else { ("512x512", FULL_TOKENS / SMALL_TOKENS) };
    let mut arguments: Vec<OsString> = [
        "bench",
        "--json",
        "--synthetic",
        "official",
        "--layers",
        "1",
        "--runs",
        "1",
        "--size",
        size,
        "--quant",
        quantization,
    ]
    .map(Into::into)
    .to_vec();
    if let Some(device) = device {
        arguments.extend(["--device".into(), device.into()]);
    }
    let mut report = None;
    let bench = child::run(program, arguments, |line| {
        if line.get("kind").and_then(Value::as_str) == Some("benched") {
            report = Some(line);
        }
        ControlFlow::Continue(())
    });
    match tokio::time::timeout(MAX_TIME, bench).await {
        Ok(result) => result?,
        Err(_elapsed) => {
            let minutes = MAX_TIME.as_secs() / 60;
            return Err(Error::Engine(format!(
                "one layer takes more than {minutes} minutes: this machine is too slow"
            )));
        }
    }
    report
        .as_ref()
        .and_then(|report| understand(report, scale))
        .ok_or_else(|| Error::Engine("the engine's times cannot be understood; install Bagel Studio again".to_owned()))
}

fn understand(report: &Value, scale: f64) -> Option<Trial> {
    let stages = report.get("stages")?.as_array()?;
    let named = |name: &'static str| {
        stages.iter().filter(move |stage| stage["name"].as_str().is_some_and(|it| it.starts_with(name)))
    };
    // The step with the most branches is an edit's, and an image's from text has one less.
    let slowest = named("denoise step").filter_map(|stage| stage["median_secs"].as_f64()).fold(0.0, f64::max);
    let tokens_per_sec = named("text decode").find_map(|stage| stage["tokens_per_sec"].as_f64())?;
    let model = report.get("model")?;
    let text = |key: &str| Some(model.get(key)?.as_str()?.to_owned());
    (slowest > 0.0).then_some(())?;
    Some(Trial {
        quantization: text("quantization")?,
        device: text("device")?,
        secs_per_step: slowest * scale,
        tokens_per_sec,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_slowest_step_and_the_writing_speed_are_taken() {
        let report = json!({
            "kind": "benched",
            "model": { "name": "synthetic", "quantization": "q4_k_m", "device": "cpu" },
            "stages": [
                { "name": "denoise step, 1 branch", "median_secs": 1.0, "tokens_per_sec": 1.0 },
                { "name": "denoise step, 3 branches", "median_secs": 3.0, "tokens_per_sec": 1.0 },
                { "name": "text decode", "median_secs": 3.0, "tokens_per_sec": 12.5 },
            ],
        });
        let trial = understand(&report, 4.0).unwrap();
        assert_eq!((trial.secs_per_step, trial.tokens_per_sec, trial.device.as_str()), (12.0, 12.5, "cpu"));
        assert_eq!(understand(&json!({ "stages": [] }), 1.0), None);
    }
}
