//! What a request will need, said before it runs.

use bagel::memory::{Estimate, PlannedItem, Planner};
use bagel::{DeviceChoice, Item};
use checkpoint::Checkpoint;
use protocol::{Event, JobId, ModelSource, Request};

use crate::Result;
use crate::arguments::load_options;
use crate::host::Inputs;

/// Foresees the memory of requests to one model on one device, without its weights.
pub struct Estimator {
    planner: Planner,
    max_side: u32,
}

impl Estimator {
    /// Reads the headers and the tokenizer of a model.
    pub(crate) fn new(checkpoint: &Checkpoint, device: DeviceChoice) -> Result<Self> {
        let max_side = u32::try_from(checkpoint.config().max_side()).unwrap_or(u32::MAX);
        Ok(Self { planner: Planner::on(checkpoint, device)?, max_side })
    }

    /// The same for files that nothing has opened yet.
    pub(crate) fn open(source: &ModelSource) -> Result<Self> {
        let checkpoint = Checkpoint::open(&source.path, source.base.as_deref())?;
        Self::new(&checkpoint, load_options(source.device.as_deref(), None)?.device)
    }

    /// Longest side of an image, in pixels.
    pub(crate) fn max_side(&self) -> u32 {
        self.max_side
    }

    /// The model's side of it.
    pub(crate) fn planner(&self) -> &Planner {
        &self.planner
    }

    /// What a request needs whose inputs have been read.
    pub fn estimate(&self, request: &Request, inputs: &Inputs) -> Result<Estimate> {
        let items: Vec<PlannedItem> = inputs.items().iter().map(planned).collect();
        Ok(match request {
            Request::Generate(request) | Request::Edit(request) => {
                self.planner.image(&items, &request.thinking, &request.parameters, &request.text)?
            }
            Request::Chat(request) => self.planner.chat(&items, request.think, &request.text)?,
        })
    }

    /// The answer to an estimate; the images are read for their sizes.
    pub fn answer(&self, id: &JobId, request: &Request) -> Result<Event> {
        request.check(Some(self.max_side))?;
        let Estimate { memory, context_tokens, size } = self.estimate(request, &Inputs::read(request.inputs())?)?;
        Ok(Event::Estimate { id: id.clone(), memory, context_tokens, size })
    }
}

fn planned(item: &Item) -> PlannedItem {
    match item {
        Item::Text(text) => PlannedItem::Text(text.clone()),
        Item::Image(image) => PlannedItem::Image(image.size()),
    }
}
