//! Models, the machine, and the engine.

use std::ops::ControlFlow;
use std::path::PathBuf;

use catalog::{ImportMode, RemovalTarget, Token, host_of};
use protocol::{ErrorCode, Hardware, ModelChoice, ModelId, Trial};

use super::Studio;
use crate::{Error, Result, blocking, models, now_ms, trial};

/// What the trial times, and what most machines would run.
const TRIAL_QUANTIZATION: &str = "q4_k_m";

impl Studio {
    /// What the machine has.
    pub async fn hardware(&self) -> Result<Hardware> {
        let devices = self.read(|actor| actor.engine_snapshot()).await?.devices;
        let folder = self.shared.models_folder.clone();
        blocking(move || Ok(models::hardware(&folder, devices))).await
    }

    /// Times one layer of the full model's shape with random weights.
    pub async fn try_hardware(&self) -> Result<Trial> {
        let engine = self.read(|actor| actor.engine_snapshot()).await?;
        let device = engine.settings.device.clone();
        let has_gpu = match &device {
            Some(device) => device != "cpu",
            None => engine.devices.iter().any(|it| it.id != "cpu"),
        };
        trial::run(&engine.program, TRIAL_QUANTIZATION, device.as_deref(), has_gpu).await
    }

    /// Downloads, checks and converts a model, or goes on with that; a new start finds it waiting from now on.
    ///
    /// `removes_source` says whether the published files go once they are converted; unsaid, it is as it was meant
    /// when the same was begun before, and no for something new.
    pub async fn install_model(
        &self,
        model: ModelId,
        quantization: String,
        removes_source: Option<bool>,
    ) -> Result<()> {
        self.call(move |actor| Box::pin(actor.install(model, quantization, removes_source))).await?
    }

    /// Holds an installation; what is here stays.
    pub fn pause_install(&self, model: ModelId) {
        self.post(move |actor| {
            actor.pause_install(&model);
            Box::pin(std::future::ready(()))
        });
    }

    /// Ends an installation; what has arrived stays until it is removed.
    pub fn cancel_install(&self, model: ModelId) {
        self.post(move |actor| Box::pin(async move { actor.cancel_install(&model).await }));
    }

    /// Removes a form of a model, or its published files; an imported model is forgotten. Gives the bytes freed.
    pub async fn remove_model(&self, model: ModelId, quantization: Option<String>) -> Result<u64> {
        let shared = self.shared.clone();
        let freed = blocking(move || {
            let removal = match quantization {
                Some(quantization) => RemovalTarget::Form(quantization),
                None if shared.catalog.is_imported(&model) => RemovalTarget::All,
                None => RemovalTarget::Source,
            };
            Ok(shared.catalog.remove(&model, &removal)?)
        })
        .await;
        self.refresh_models();
        freed
    }

    /// Takes a model that the artist has on disk already, where it lies.
    pub async fn import_model(&self, path: PathBuf) -> Result<ModelId> {
        let shared = self.shared.clone();
        let id = blocking(move || {
            let mut go_on = |_, _| ControlFlow::Continue(());
            Ok(shared.catalog.import(&path, ImportMode::Link, now_ms() as i64, &mut go_on)?)
        })
        .await;
        self.refresh_models();
        id
    }

    /// Loads an installed model; the engine starts anew, and waiting jobs wait for it.
    pub async fn use_model(&self, choice: ModelChoice) -> Result<()> {
        let shared = self.shared.clone();
        let chosen = blocking(move || models::locate(&shared.catalog, &choice)).await?;
        self.load(chosen).await
    }

    /// Loads a model that the catalog does not know, for as long as the program runs.
    pub async fn use_model_at(&self, path: PathBuf) -> Result<()> {
        self.load(models::by_path(path, false)).await
    }

    async fn load(&self, chosen: models::Chosen) -> Result<()> {
        self.call(move |actor| Box::pin(actor.use_model(chosen.target, chosen.defaults))).await?
    }

    fn refresh_models(&self) {
        self.post(|actor| {
            actor.refresh_models();
            Box::pin(std::future::ready(()))
        });
    }

    /// Restarts the engine, also after too many failures.
    pub fn restart_engine(&self) {
        self.post(|actor| Box::pin(actor.restart_engine()));
    }

    /// Keeps a token for downloads in the system's keyring, or forgets it.
    pub async fn set_token(&self, token: Option<String>) -> Result<()> {
        let mirror = self.read(|actor| actor.engine_snapshot()).await?.settings.mirror;
        let host = host_of(mirror.as_deref())?;
        blocking(move || match token {
            Some(text) => {
                let refused = || Error::refused(ErrorCode::TokenUnusable, "this is not a token; copy it again");
                Ok(Token::new(&text).ok_or_else(refused)?.keep(&host)?)
            }
            None => Ok(Token::forget(&host)?),
        })
        .await
    }
}
