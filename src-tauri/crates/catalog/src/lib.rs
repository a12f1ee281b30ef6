//! Models: what can be had, what is on disk, and how it gets there.
//!
//! [`Manifest`] is models.toml, a [`Catalog`] is one folder of models with what
//! is remembered of them. It says what is here and whether it fits the machine
//! ([`Catalog::cards`]), where the engine finds it ([`Catalog::locate`]), takes up
//! what the user has ([`Catalog::import`]), gives room back
//! ([`Catalog::remove`]) and fetches what is published ([`Catalog::download`]).
//!
//! Nothing is fetched unless somebody calls for it, nothing is sent but the
//! request, and no byte that differs from what was published becomes a model.
//! Tensors are not computed here: converting is the engine program's work.
//!
//! Read [`catalog`] first, then [`install`] and [`download`].

#![warn(missing_docs)]

mod bundled;
mod cards;
pub mod catalog;
pub mod download;
mod error;
mod find;
mod hardware;
mod import;
pub mod install;
mod layout;
pub mod manifest;
mod record;
mod remove;
mod token;
mod verdict;

pub use catalog::{Catalog, ModelLocation};
pub use checkpoint::estimate::{Estimate, Estimator, smaller_sizes};
pub use download::{DownloadOptions, DownloadProgress, DownloadStage, DownloadTimeouts, host_of};
pub use error::{Error, Result};
pub use hardware::hardware;
pub use import::ImportMode;
pub use install::ConversionPaths;
pub use manifest::Manifest;
pub use record::InstallPlan;
pub use remove::RemovalTarget;
pub use token::Token;
pub use verdict::{MemoryNeeds, open_estimator, place_to_run, recommended, verdict};
