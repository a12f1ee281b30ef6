use std::path::PathBuf;

/// Why cases cannot be read or judged.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of cases is missing or cannot be read.
    #[error("cannot read the cases in {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file of cases is not what the training program writes.
    #[error("{path} is no file of cases: {source}")]
    Cases {
        /// The file.
        path: PathBuf,
        /// Where it differs.
        source: serde_json::Error,
    },
    /// The definitions of the world are damaged.
    #[error("world.json cannot be understood: {0}")]
    World(String),
    /// A scene cannot be drawn.
    #[error("a scene of {width} x {height} pixels with {n_backgrounds} background colours cannot be drawn")]
    Scene {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
        /// Background colours given.
        n_backgrounds: usize,
    },
}

/// What this crate's functions return.
pub type Result<T> = std::result::Result<T, Error>;
