//! Images, projects and their history on disk. An acknowledged change is never lost.
//!
//! A [`Store`] is an open library: a folder with a database and with image files
//! that never change. When a function that changes the library returns, the
//! change survives a power loss: a file is written, synced and renamed, and its
//! folder synced, before the row that names it is committed. A crash may leave a
//! file without a row, never a row without a file; the next start adds such files
//! to the history and reports them ([`Recovery`]).
//!
//! Every image file records its place in the history: generated images in a text
//! chunk of their PNG, next to the recipe, imported images in a sidecar file. A
//! damaged or lost database is restored from the newest backup, and newer images
//! from their files. Names, tags, stars, conversations and the state of the trash
//! are only in the database: after a restore they are as old as the backup.
//!
//! All functions block. Times come from the caller and are only displayed; order
//! is by sequence numbers that only grow. The crate deliberately has no cache, no
//! threads and no clock.
//!
//! Start with [`store`], then read `table::schema`; all SQL is in `table`.

#![warn(missing_docs)]

pub mod add;
mod backup;
pub mod bundle;
pub mod error;
pub mod export;
mod files;
mod gallery;
mod history;
mod queue;
mod reconcile;
pub mod recovery;
mod shutdown_marker;
mod sidecar;
pub mod store;
mod table;
mod thumbnail;
mod tokenizer;
pub mod trash;

pub use add::{Added, ImportSource, ImportedImage, NewNode, NewTurn};
pub use error::{Error, Result};
pub use gallery::ProjectPage;
pub use queue::StoredJob;
pub use recovery::{DatabaseState, Opened, Recovery};
pub use store::Store;
pub use trash::EmptiedTrash;
