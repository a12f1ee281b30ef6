//! Generates an image, edits it, and asks about it: `cargo run --example generate -- MODEL`, a folder or a GGUF file.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use bagel::{ChatJob, Engine, EngineProgress, ImageJob, Item, LoadOptions};
use checkpoint::Checkpoint;
use imagefile::Overwrite;
use protocol::{ImageParameters, TextParameters, Thinking};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: generate MODEL")?;
    let checkpoint = Checkpoint::open(Path::new(&path), None)?;
    let mut observe = |progress: EngineProgress<'_>| {
        if let EngineProgress::Step { step, steps, .. } = progress {
            eprint!("\rstep {step} of {steps} ");
        }
        ControlFlow::Continue(())
    };
    let mut engine = Engine::load(&checkpoint, &LoadOptions::default(), &mut observe)?;

    let job = |inputs, parameters| ImageJob {
        inputs,
        thinking: Thinking::Off,
        parameters: ImageParameters { seed: Some(1), ..parameters },
        text: TextParameters::plan(),
        noise: None,
    };
    let text = |text: &str| Item::Text(text.to_owned());
    let generate = job(vec![text("a red circle on a blue background")], ImageParameters::generate());
    let generated = engine.generate_image(&generate, &mut observe)?;

    let image = Item::Image(Arc::new(generated.image));
    let edit = job(vec![image, text("make the red circle green")], ImageParameters::edit());
    let edited = engine.generate_image(&edit, &mut observe)?;
    imagefile::write_png(Path::new("edited.png"), &edited.image, None, Overwrite::Replace)?;

    let inputs = vec![Item::Image(Arc::new(edited.image)), text("What is in the image?")];
    let answer = engine.chat(&ChatJob { inputs, think: false, text: TextParameters::chat() }, &mut observe)?;
    eprintln!("\nedited.png: {}", answer.text);
    Ok(())
}
