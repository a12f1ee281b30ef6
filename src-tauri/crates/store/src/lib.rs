//! Images, projects and their history: nothing acknowledged is ever lost.
//!
//! A [`Store`] is a library open in one program: a folder with a database and
//! with image files that never change. When a function that adds or changes
//! something returns, the change survives a loss of power: files are written,
//! synced, renamed and their folder synced before the row that names them is
//! committed. What a crash may leave is a file without a row, never a row
//! without a file; the next start takes such files into the history and says
//! so ([`Recovery`]).
//!
//! Every file says where it belongs: images made here inside their PNG, beside
//! the recipe, imported ones in a small file next to them. A damaged or lost
//! database is restored from the newest backup, and what is newer comes back
//! from the files. Names, tags, stars, conversations and what was in the trash
//! are in the database only: they are as old as the backup.
//!
//! Everything here blocks; call it where that is allowed. Times come from the
//! caller and are shown, never compared: order is by numbers that only grow. It
//! deliberately has no cache, no thread and no clock of its own.
//!
//! Read [`store`] first, then `table::schema`; all SQL is in `table`.

#![warn(missing_docs)]

pub mod add;
mod backup;
pub mod bundle;
pub mod error;
pub mod export;
mod files;
mod gallery;
mod history;
mod mark;
mod note;
mod queue;
pub mod recovery;
mod replay;
pub mod store;
mod table;
mod thumbnail;
pub mod trash;
mod words;

pub use add::{Added, Imported, NewNode, NewTurn, Source};
pub use error::{Error, Result};
pub use gallery::ProjectPage;
pub use queue::StoredJob;
pub use recovery::{DatabaseState, Opened, Recovery};
pub use store::Store;
pub use trash::Emptied;
