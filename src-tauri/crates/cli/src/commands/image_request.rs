//! What generate and edit share: request, checks, work, file.

use std::time::Instant;

use clap::Args;
use protocol::{ImageRequest, Input, JobId, Kind, ModelDefaults, Request, TextParameters, Thinking};

use crate::arguments::{
    ImageOptions, ModelOptions, OutputOptions, RecipeOptions, ReportOptions, TextOptions, ThinkingOptions,
};
use crate::display::{Display, Note, Streaming, print_json, print_line, print_note};
use crate::host::{Inputs, Listener, Model, Outcome, Painted, plain};
use crate::output::Output;
use crate::recipe::Original;
use crate::{Error, Result, locate};

/// Options of both commands.
#[derive(Debug, Args)]
pub(crate) struct ImageArgs {
    #[command(flatten)]
    recipe: RecipeOptions,
    #[command(flatten)]
    output: OutputOptions,
    #[command(flatten)]
    image: ImageOptions,
    #[command(flatten)]
    thinking: ThinkingOptions,
    #[command(flatten)]
    text: TextOptions,
    #[command(flatten)]
    model: ModelOptions,
    #[command(flatten)]
    pub(super) report: ReportOptions,
}

fn request_of(kind: Kind, request: ImageRequest) -> Request {
    if kind == Kind::Edit { Request::Edit(request) } else { Request::Generate(request) }
}

fn defaults(kind: Kind, inputs: Vec<Input>, defaults: ModelDefaults) -> ImageRequest {
    let parameters = if kind == Kind::Edit { defaults.edit } else { defaults.generate };
    ImageRequest { inputs, thinking: Thinking::Off, parameters, text: TextParameters::plan() }
}

/// Paints an image and saves it; everything that can be wrong is found before the weights are read.
pub(crate) fn run_image_request(kind: Kind, given: Vec<Input>, options: &ImageArgs) -> Result<()> {
    let found = locate::find_model(&options.model);
    let original = options.recipe.from.as_deref().map(|path| Original::read(path, kind)).transpose()?;
    let mut request = match &original {
        Some(original) => original.request(given)?,
        None => defaults(kind, given, found.as_ref().map(|found| found.defaults.clone()).unwrap_or_default()),
    };
    options.image.apply(&mut request.parameters);
    options.text.apply(&mut request.text);
    options.thinking.apply(&mut request.thinking);
    request.text.seed = options.image.seed().or(request.text.seed);
    let mut request = request_of(kind, request);
    request.draw_seeds();
    let request = request.checked(None)?;
    let output = Output::check(&options.output, image_seed(&request))?;

    let inputs = Inputs::read(request.inputs())?;
    if let Some(original) = &original {
        original.check_sources(inputs.sources())?;
    }
    let load = options.model.load_options()?;
    let model = {
        let found = found?;
        Model::open(&found.path, found.base.as_deref(), load)?
    };
    request.check_size(model.max_side())?;
    model.check_memory(&request, &inputs)?;
    let noise = options.image.noise().map(|path| model.read_noise(path, &request, &inputs)).transpose()?;
    if let Some(original) = &original
        && let Some(warning) = original.check_noise(noise.as_ref(), options.image.seed().is_some())?
    {
        print_note(&format!("warning: {warning}"));
    }
    let inputs = inputs.starting_from(noise);

    let begun = Instant::now();
    let id = JobId::new();
    let mut display = Display::new(options.report.json, Streaming::Plan);
    let mut host = model.load(id, &mut display)?;
    display.hear(plain(protocol::Event::Loaded { id, model: host.description().clone() }));
    if let Some(warning) = original.and_then(|original| original.other_model(host.description())) {
        print_note(&format!("warning: {warning}"));
    }
    let outcome = host.carry_out(id, &request, &inputs, &mut display)?;
    display.finish();
    let Outcome::Painted(painted) = outcome else {
        return Err(Error::Internal("an image was asked for and a text came".to_owned()));
    };
    output.write(&painted)?;
    if options.report.json {
        for frame in Outcome::Painted(painted).frames(id) {
            display.hear(frame);
        }
        return print_json(&Note::Saved { path: &output.path });
    }
    print_line(&summary(&output, &painted, begun.elapsed().as_secs_f64()))
}

fn image_seed(request: &Request) -> u64 {
    match request {
        Request::Generate(request) | Request::Edit(request) => request.parameters.seed.unwrap_or_default(),
        Request::Chat(_) => 0,
    }
}

fn summary(output: &Output, painted: &Painted, secs: f64) -> String {
    let size = painted.image.size();
    let seed = painted.recipe.parameters.seed.unwrap_or_default();
    format!("saved {}: {size}, seed {seed}, {secs:.1} s", output.path.display())
}
