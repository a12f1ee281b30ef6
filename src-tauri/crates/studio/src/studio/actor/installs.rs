//! Installations under way: begun, held, ended, and told of.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use protocol::{ErrorCode, Failure, Install, InstallStage, ModelCard, ModelId, StudioEvent};
use tokio::sync::{Semaphore, oneshot};

use super::{Actor, Message};
use crate::install::{self, Order};
use crate::studio::blocking;
use crate::{Error, Result};

/// Between two words about the progress of one installation.
const INTERVAL: Duration = Duration::from_millis(250);

/// What is under way, and what failed and waits to be tried again.
#[derive(Debug)]
pub(super) struct Installs {
    running: HashMap<ModelId, Running>,
    failed: HashMap<ModelId, Install>,
    n_begun: u64,
    /// One conversion at a time has the whole machine.
    turn: Arc<Semaphore>,
}

#[derive(Debug)]
struct Running {
    number: u64,
    install: Install,
    told: Instant,
    // Dropped, it ends the installation.
    _stop: oneshot::Sender<()>,
}

/// What an installation has to say.
#[derive(Debug)]
pub(in crate::studio) enum InstallChange {
    Moved(Install),
    Ended(std::result::Result<(), Failure>),
}

impl Default for Installs {
    fn default() -> Self {
        Self { running: HashMap::new(), failed: HashMap::new(), n_begun: 0, turn: Arc::new(Semaphore::new(1)) }
    }
}

impl Installs {
    /// Puts what is known here onto the catalog's cards.
    pub(super) fn complete(&self, cards: &mut [ModelCard]) {
        for card in cards {
            let known = self.running.get(&card.id).map(|running| &running.install).or(self.failed.get(&card.id));
            card.install = known.cloned().or(card.install.take());
        }
    }
}

impl Actor {
    pub(super) async fn install(
        &mut self,
        model: ModelId,
        quantization: String,
        removes_source: Option<bool>,
    ) -> Result<()> {
        if self.installs.running.contains_key(&model) {
            return Err(Error::refused(ErrorCode::Busy, format!("{model} is being installed already")));
        }
        // On disk before anybody hears of it, and before it could be called off.
        let (shared, id) = (Arc::clone(&self.shared), model.clone());
        let plan = blocking(move || install::begin(&shared.catalog, &id, quantization, removes_source)).await?;
        self.installs.failed.remove(&model);
        let install = Install {
            quantization: plan.quantization.clone(),
            removes_source: plan.removes_source,
            stage: InstallStage::Downloading,
            bytes: 0,
            total_bytes: 0,
            bytes_per_sec: None,
        };
        self.installs.n_begun += 1;
        let number = self.installs.n_begun;
        let (stop, stopped) = oneshot::channel();
        let running = Running { number, install: install.clone(), told: Instant::now(), _stop: stop };
        self.installs.running.insert(model.clone(), running);
        self.tell(StudioEvent::Install { model: model.clone(), install: Some(install) });
        let order = Order {
            model: model.clone(),
            plan,
            program: self.converter(),
            mirror: self.settings.mirror.clone(),
            turn: Arc::clone(&self.installs.turn),
        };
        let (shared, inbox) = (Arc::clone(&self.shared), self.inbox.clone());
        tokio::spawn(async move {
            let tell = |change| {
                if let Some(inbox) = inbox.upgrade() {
                    let _ = inbox.send(Message::InstallMoved { model: model.clone(), number, change });
                }
            };
            let moved = |install| tell(InstallChange::Moved(install));
            tokio::select! {
                // Whoever stopped it has told of it.
                _ = stopped => {}
                result = install::run(&shared.catalog, order, &moved) => {
                    tell(InstallChange::Ended(result.map_err(|error| error.failure())));
                }
            }
        });
        Ok(())
    }

    /// A program that converts, which all of the engine's can; at the start it is not yet known which one will run.
    fn converter(&self) -> PathBuf {
        let running = Some(self.engine.program()).filter(|program| !program.as_os_str().is_empty()).cloned();
        running.or_else(|| self.rooms.engine_programs(&self.settings).pop()).unwrap_or_default()
    }

    pub(super) fn pause_install(&mut self, model: &ModelId) {
        let Some(running) = self.installs.running.remove(model) else { return };
        let install = Install { stage: InstallStage::Paused, bytes_per_sec: None, ..running.install };
        self.tell(StudioEvent::Install { model: model.clone(), install: Some(install) });
        self.refresh_models();
    }

    pub(super) async fn cancel_install(&mut self, model: &ModelId) {
        self.installs.running.remove(model);
        self.installs.failed.remove(model);
        let (shared, id) = (Arc::clone(&self.shared), model.clone());
        if let Err(error) = blocking(move || Ok(shared.catalog.cancel_install(&id)?)).await {
            tracing::warn!(%error, "an installation is not forgotten");
        }
        self.tell(StudioEvent::Install { model: model.clone(), install: None });
        self.refresh_models();
    }

    pub(super) fn install_moved(&mut self, model: &ModelId, number: u64, change: InstallChange) {
        // What was held and begun again may hear a late word of the first run.
        let running = self.installs.running.get_mut(model).filter(|running| running.number == number);
        let Some(running) = running else { return };
        match change {
            InstallChange::Moved(install) => {
                let is_other = running.install.stage != install.stage;
                running.install = install.clone();
                if is_other || running.told.elapsed() >= INTERVAL {
                    running.told = Instant::now();
                    self.tell(StudioEvent::Install { model: model.clone(), install: Some(install) });
                }
            }
            InstallChange::Ended(result) => {
                let Some(running) = self.installs.running.remove(model) else { return };
                let install = match result {
                    Ok(()) => {
                        tracing::info!(model = %model, "a model is installed");
                        None
                    }
                    Err(failure) => {
                        if failure.code == ErrorCode::DiskFull {
                            self.notice(failure.clone());
                        }
                        let stage = InstallStage::Failed { failure };
                        Some(Install { stage, bytes_per_sec: None, ..running.install })
                    }
                };
                if let Some(install) = &install {
                    self.installs.failed.insert(model.clone(), install.clone());
                }
                self.tell(StudioEvent::Install { model: model.clone(), install });
                self.refresh_models();
            }
        }
    }

    pub(super) fn take_models(&mut self, number: u64, cards: Vec<ModelCard>) {
        if number != self.n_looks || cards == self.models {
            return;
        }
        self.models.clone_from(&cards);
        let mut models = cards;
        self.installs.complete(&mut models);
        self.tell(StudioEvent::Models { models });
    }
}
