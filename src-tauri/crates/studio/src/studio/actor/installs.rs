//! Installations in progress.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use protocol::{ErrorCode, Failure, Install, InstallStage, ModelCard, ModelId, StudioEvent};
use tokio::sync::{Semaphore, oneshot};

use super::Actor;
use crate::install::{self, Order};
use crate::{Error, Result, blocking};

/// Least time between two progress events of one installation.
const INTERVAL: Duration = Duration::from_millis(250);

/// Installations that run, and those that failed and can be tried again.
#[derive(Debug)]
pub(super) struct Installs {
    running: HashMap<ModelId, Running>,
    failed: HashMap<ModelId, Install>,
    n_started: u64,
    /// One conversion at a time has the whole machine.
    turn: Arc<Semaphore>,
}

#[derive(Debug)]
struct Running {
    number: u64,
    install: Install,
    emitted: Instant,
    // Dropped, it ends the installation.
    _stop: oneshot::Sender<()>,
}

/// What happened to an installation.
#[derive(Debug)]
pub(super) enum InstallChange {
    Progress(Install),
    Ended(std::result::Result<(), Failure>),
}

impl Default for Installs {
    fn default() -> Self {
        Self { running: HashMap::new(), failed: HashMap::new(), n_started: 0, turn: Arc::new(Semaphore::new(1)) }
    }
}

impl Installs {
    /// Updates the catalog's cards with what is known here.
    pub(super) fn apply_to(&self, cards: &mut [ModelCard]) {
        for card in cards {
            let known = self.running.get(&card.id).map(|running| &running.install).or(self.failed.get(&card.id));
            card.install = known.cloned().or(card.install.take());
        }
    }
}

impl Actor {
    pub(in crate::studio) async fn install(
        &mut self,
        model: ModelId,
        quantization: String,
        removes_source: Option<bool>,
    ) -> Result<()> {
        if self.installs.running.contains_key(&model) {
            return Err(Error::refused(ErrorCode::Busy, format!("{model} is being installed already")));
        }
        // On disk before any listener learns of it and before it can be cancelled.
        let (shared, id) = (Arc::clone(&self.shared), model.clone());
        let plan = blocking(move || install::record_plan(&shared.catalog, &id, quantization, removes_source)).await?;
        self.installs.failed.remove(&model);
        let install = Install {
            quantization: plan.quantization.clone(),
            removes_source: plan.removes_source,
            stage: InstallStage::Downloading,
            bytes: 0,
            total_bytes: 0,
            bytes_per_sec: None,
        };
        self.installs.n_started += 1;
        let number = self.installs.n_started;
        let (stop, stopped) = oneshot::channel();
        let running = Running { number, install: install.clone(), emitted: Instant::now(), _stop: stop };
        self.installs.running.insert(model.clone(), running);
        self.emit(StudioEvent::Install { model: model.clone(), install: Some(install) });
        let order = Order {
            model: model.clone(),
            plan,
            program: self.converter(),
            mirror: self.settings.mirror.clone(),
            turn: Arc::clone(&self.installs.turn),
        };
        let (shared, inbox) = (Arc::clone(&self.shared), self.inbox.clone());
        tokio::spawn(async move {
            let report = |change| {
                let model = model.clone();
                inbox.call(move |actor| {
                    actor.on_install_change(&model, number, change);
                    Box::pin(std::future::ready(()))
                });
            };
            let progress = |install| report(InstallChange::Progress(install));
            tokio::select! {
                // Pausing and cancelling have emitted their own events.
                _ = stopped => {}
                result = install::run(&shared.catalog, order, &progress) => {
                    report(InstallChange::Ended(result.map_err(|error| error.failure())));
                }
            }
        });
        Ok(())
    }

    /// The program that converts. Any variant of the engine can; early on the one to run is not chosen yet.
    fn converter(&self) -> PathBuf {
        let running = Some(self.engine.program()).filter(|program| !program.as_os_str().is_empty()).cloned();
        running.or_else(|| self.paths.engine_programs(&self.settings).pop()).unwrap_or_default()
    }

    pub(in crate::studio) fn pause_install(&mut self, model: &ModelId) {
        let Some(running) = self.installs.running.remove(model) else { return };
        let install = Install { stage: InstallStage::Paused, bytes_per_sec: None, ..running.install };
        self.emit(StudioEvent::Install { model: model.clone(), install: Some(install) });
        self.refresh_models();
    }

    pub(in crate::studio) async fn cancel_install(&mut self, model: &ModelId) {
        self.installs.running.remove(model);
        self.installs.failed.remove(model);
        let (shared, id) = (Arc::clone(&self.shared), model.clone());
        if let Err(error) = blocking(move || Ok(shared.catalog.cancel_install(&id)?)).await {
            tracing::warn!(%error, %model, "the cancelled installation stays on disk");
        }
        self.emit(StudioEvent::Install { model: model.clone(), install: None });
        self.refresh_models();
    }

    fn on_install_change(&mut self, model: &ModelId, number: u64, change: InstallChange) {
        // After a pause and a new start, late changes of the first run must not count.
        let Some(running) = self.installs.running.get_mut(model) else { return };
        if running.number != number {
            return;
        }
        match change {
            InstallChange::Progress(install) => {
                let is_new_stage = running.install.stage != install.stage;
                running.install = install.clone();
                if is_new_stage || running.emitted.elapsed() >= INTERVAL {
                    running.emitted = Instant::now();
                    self.emit(StudioEvent::Install { model: model.clone(), install: Some(install) });
                }
            }
            InstallChange::Ended(result) => {
                let Some(running) = self.installs.running.remove(model) else { return };
                let install = match result {
                    Ok(()) => {
                        tracing::info!(%model, "model installed");
                        None
                    }
                    Err(failure) => {
                        if failure.code == ErrorCode::DiskFull {
                            self.notify(failure.clone());
                        }
                        let stage = InstallStage::Failed { failure };
                        Some(Install { stage, bytes_per_sec: None, ..running.install })
                    }
                };
                if let Some(install) = &install {
                    self.installs.failed.insert(model.clone(), install.clone());
                }
                self.emit(StudioEvent::Install { model: model.clone(), install });
                self.refresh_models();
            }
        }
    }

    pub(super) fn on_models_listed(&mut self, number: u64, cards: Vec<ModelCard>) {
        if number != self.n_listings || cards == self.models {
            return;
        }
        self.models.clone_from(&cards);
        let mut models = cards;
        self.installs.apply_to(&mut models);
        self.emit(StudioEvent::Models { models });
    }
}
