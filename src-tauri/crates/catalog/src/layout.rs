//! Names in the models' folder that are not models.

/// Prefix of copies that are still being made.
pub(crate) const STAGING_PREFIX: &str = ".import-";

/// Prefix of models that are being removed.
pub(crate) const REMOVED_PREFIX: &str = ".removed-";
