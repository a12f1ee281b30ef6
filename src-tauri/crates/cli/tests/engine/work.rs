//! Requests become images, answers and estimates.

use std::path::Path;

use protocol::{Command, ErrorCode, Event, Input, RecipeInput, Request, Size, TextChannel};

use crate::client::{Engine, chat, endless, generate, job_id, kind, on_the_processor, run, text};
use crate::support::{Bench, image, mini_model};

#[test]
fn image_comes_with_previews_and_recipe() {
    let mut engine = Engine::loaded();
    engine.say(&run("a", generate(6)));
    let frames = engine.until(|event| matches!(event, Event::Done { .. }));
    let mut kinds: Vec<String> = frames.iter().map(|frame| kind(&frame.header)).collect();
    kinds.dedup();
    assert_eq!(kinds, ["started", "context", "step", "decoding", "image", "done"]);
    let mut n_steps = 0;
    for frame in &frames {
        match &frame.header {
            Event::Step { step, steps, preview, .. } => {
                assert!(*step > n_steps && *steps == 5, "step {step} of {steps} after {n_steps}");
                n_steps = *step;
                let size = preview.unwrap();
                assert_eq!(frame.payload.len() as u32, size.width * size.height * 3);
            }
            Event::Image { recipe, .. } => {
                assert_eq!((recipe.size.width, recipe.size.height, frame.payload.len()), (64, 64, 64 * 64 * 3));
                assert_eq!(recipe.parameters.seed, Some(5));
                assert_eq!(recipe.inputs, [RecipeInput::Text { text: "a star".to_owned() }]);
            }
            _ => assert!(frame.payload.is_empty()),
        }
    }
    assert_eq!(n_steps, 5);
}

#[test]
fn edit_reads_its_image_from_a_file() {
    let mut engine = Engine::loaded();
    let Request::Generate(mut request) = generate(2) else { panic!() };
    request.inputs.insert(0, Input::Image { path: image("wide.png").into() });
    request.parameters.size = None;
    request.parameters.seed = None;
    engine.say(&run("a", Request::Edit(request)));
    let frames = engine.until(|event| matches!(event, Event::Done { .. }));
    let image = frames.iter().find_map(|frame| match &frame.header {
        Event::Image { recipe, .. } => Some(recipe),
        _ => None,
    });
    let recipe = image.unwrap();
    assert_eq!((recipe.size.width, recipe.size.height), (128, 64));
    assert!(matches!(&recipe.inputs[0], RecipeInput::Image { name, .. } if name == "wide.png"));
    assert!(recipe.parameters.seed.is_some(), "the drawn seed comes back");
}

#[test]
fn answer_is_streamed_and_complete() {
    let mut engine = Engine::loaded();
    engine.say(&run("a", chat(12, vec![text("who are you?")])));
    let frames = engine.until(|event| matches!(event, Event::Done { .. }));
    let mut streamed = String::new();
    for frame in &frames {
        match &frame.header {
            Event::Text { channel, delta, .. } => {
                assert_eq!(*channel, TextChannel::Answer);
                streamed.push_str(delta);
            }
            Event::Done { text, parameters, statistics, .. } => {
                assert_eq!(text.as_deref(), Some(streamed.as_str()));
                assert_eq!(parameters.as_ref().unwrap().limit, 12);
                assert!(statistics.text_tokens <= 11);
            }
            _ => {}
        }
    }
}

#[test]
fn estimate_needs_no_run() {
    let mut engine = Engine::loaded();
    engine.say(&run("a", endless()));
    engine.say(&Command::Estimate { id: job_id("e"), model: None, request: generate(50) });
    let frames = engine.until(|event| matches!(event, Event::Estimate { .. } | Event::Failed { .. }));
    let Some(Event::Estimate { memory, size, .. }) = frames.last().map(|frame| &frame.header) else {
        panic!("{:?}", frames.last())
    };
    assert!(memory.weights_bytes > 0 && memory.peak_bytes >= memory.weights_bytes);
    assert_eq!(size.unwrap(), Size { width: 64, height: 64 });
    let Request::Generate(mut request) = generate(1) else { panic!() };
    request.parameters.steps = 1;
    engine.say(&Command::Estimate { id: job_id("f"), model: None, request: Request::Generate(request) });
    assert_eq!(engine.failure("f").0, ErrorCode::OutOfRange);
}

#[test]
fn estimate_needs_no_loaded_model() {
    let mut engine = Engine::greeted();
    let estimate = |id: &str, model: Option<&Path>| Command::Estimate {
        id: job_id(id),
        model: model.map(on_the_processor),
        request: generate(50),
    };
    engine.say(&estimate("nothing", None));
    assert_eq!(engine.failure("nothing").0, ErrorCode::ModelMissing);
    engine.say(&estimate("gone", Some(Path::new("gone.gguf"))));
    let (_, message) = engine.failure("gone");
    assert!(message.starts_with("gone.gguf: no such file"), "{message}");
    let mut peak_bytes = |id: &str, model: Option<&Path>| {
        engine.say(&estimate(id, model));
        let frames = engine.until(|event| matches!(event, Event::Estimate { .. } | Event::Failed { .. }));
        let Some(Event::Estimate { memory, .. }) = frames.last().map(|frame| &frame.header) else {
            panic!("{:?}", frames.last())
        };
        memory.peak_bytes
    };
    let before = peak_bytes("before", Some(&mini_model()));
    assert_eq!(peak_bytes("again", Some(&mini_model())), before);
    // The same question about the same model, now that it is loaded, has the same answer.
    let mut loaded = Engine::loaded();
    loaded.say(&estimate("loaded", None));
    let frames = loaded.until(|event| matches!(event, Event::Estimate { .. }));
    let Some(Event::Estimate { memory, .. }) = frames.last().map(|frame| &frame.header) else { panic!() };
    assert_eq!(memory.peak_bytes, before);
}

#[test]
fn bad_requests_fail_with_a_line_and_leave_the_engine_ready() {
    let bench = Bench::new();
    let mut engine = Engine::loaded();
    let svg = bench.path("a.png");
    bench.file("a.png", b"<svg/>");
    let shown = |path| chat(8, vec![Input::Image { path }, text("x")]);
    for (job, request, class, expected) in [
        ("steps", generate(1), ErrorCode::OutOfRange, "steps 1 is out of range"),
        ("empty", chat(8, vec![]), ErrorCode::TextMissing, "the prompt is empty"),
        ("missing", shown("gone.png".into()), ErrorCode::FileUnusable, "gone.png: no such file"),
        ("svg", shown(svg), ErrorCode::NotAnImage, "SVG"),
    ] {
        engine.say(&run(job, request));
        let (code, message) = engine.failure(job);
        assert_eq!(code, class, "{message}");
        assert!(message.contains(expected) && !message.contains('\n'), "{message}");
    }
    engine.say(&run("good", generate(2)));
    engine.until(|event| matches!(event, Event::Done { .. }));
}
