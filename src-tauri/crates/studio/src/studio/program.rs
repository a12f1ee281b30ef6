//! The program itself: settings, what it is, and what helps when something is wrong.

use std::fmt::Write;
use std::path::PathBuf;

use protocol::{About, ErrorCode, Folder, Settings, SettingsChange};

use super::Studio;
use crate::{Error, Result, locate, logs};

/// Lines of the log that go into a report.
const LOG_LINES: usize = 200;

impl Studio {
    /// Makes a change of the settings and remembers it.
    pub async fn change_settings(&self, change: SettingsChange) -> Result<()> {
        self.call(move |actor| Box::pin(actor.change_settings(change))).await?
    }

    /// All settings.
    pub async fn settings(&self) -> Result<Settings> {
        Ok(self.read(|actor| actor.engine_snapshot()).await?.settings)
    }

    /// Moves images' or models' place; takes effect at the next start.
    pub async fn set_folder(&self, folder: Folder, path: PathBuf) -> Result<()> {
        if !path.is_dir() {
            return Err(Error::refused(ErrorCode::FileUnusable, format!("{} is not a folder", path.display())));
        }
        self.move_folder(folder, Some(path)).await
    }

    /// Puts images or models back to their usual place; takes effect at the next start.
    pub async fn reset_folder(&self, folder: Folder) -> Result<()> {
        self.move_folder(folder, None).await
    }

    async fn move_folder(&self, folder: Folder, path: Option<PathBuf>) -> Result<()> {
        self.call(move |actor| match folder {
            Folder::Library => Box::pin(actor.set_library_folder(path)),
            Folder::Models => Box::pin(actor.set_models_folder(path)),
        })
        .await?
    }

    /// Runs another engine program from now on.
    pub async fn set_engine(&self, program: PathBuf) -> Result<()> {
        if !program.is_file() {
            return Err(Error::refused(ErrorCode::FileUnusable, format!("{} is not a program", program.display())));
        }
        self.call(move |actor| Box::pin(actor.set_engine(Some(program)))).await?
    }

    /// Runs the engine beside the studio again.
    pub async fn reset_engine(&self) -> Result<()> {
        self.call(|actor| Box::pin(actor.set_engine(None))).await?
    }

    /// The programs, and the licenses of what they are built of.
    pub async fn about(&self, licenses: &str) -> Result<About> {
        let engine = self.read(|actor| actor.engine_snapshot()).await?.version;
        Ok(About { version: env!("CARGO_PKG_VERSION").to_owned(), engine, licenses: licenses.to_owned() })
    }

    /// Versions, hardware, settings and the last log lines, without secrets or prompts.
    pub async fn diagnostics(&self) -> Result<String> {
        let hardware = self.hardware().await?;
        let snapshot = self.read(|actor| actor.engine_snapshot()).await?;
        let counts = self.with_store(|store| Ok(store.counts()?)).await?;
        let lines = logs::tail(&locate::logs_folder(&self.data_folder), LOG_LINES);
        let mut settings = snapshot.settings;
        // What the artist named and wrote is nobody's business.
        settings.presets.clear();
        settings.plans.clear();
        let mut text = String::new();
        let system = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
        let engine = snapshot.version.as_deref().unwrap_or("not running");
        let settings = toml::to_string(&settings).unwrap_or_default();
        // Writing into a text cannot fail.
        let _ = write!(
            text,
            "Bagel Studio {version}, engine {engine}, {system}\n\n\
             [engine]\n{state:?}\n\n\
             [hardware]\n{hardware:#?}\n\n\
             [library]\n{n_nodes} images, {n_trashed} in the trash\n\n\
             [settings]\n{settings}\n\
             [log]\n{log}\n",
            version = env!("CARGO_PKG_VERSION"),
            state = snapshot.state,
            n_nodes = counts.n_nodes,
            n_trashed = counts.n_trashed,
            log = lines.join("\n"),
        );
        Ok(without_home(&text))
    }
}

/// Names of people stand in their folders' paths.
fn without_home(text: &str) -> String {
    let home = directories::BaseDirs::new().map(|folders| folders.home_dir().to_string_lossy().into_owned());
    match home.filter(|home| home.len() > 1) {
        Some(home) => text.replace(&home, "~"),
        None => text.to_owned(),
    }
}
