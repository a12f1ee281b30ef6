//! Images in and out of files.
//!
//! [`read()`] takes a PNG, JPEG or WebP file and gives eight-bit RGB, upright and
//! without alpha, within fixed bounds of size and memory whatever the file
//! claims. [`write()`] puts an image under a name so that the name
//! never shows half a file. A PNG that the model made carries its [`protocol::Recipe`],
//! and reading it gives the recipe back.
//!
//! Deliberately absent: color management (an embedded ICC profile is ignored,
//! as the reference ignores it), animations, vector graphics and every format
//! beyond the three.
//!
//! Read [`read`](mod@read) first, then [`recipe`].

#![warn(missing_docs)]

mod decode;
mod destination;
mod encode;
mod error;
mod format;
mod hash;
pub mod limits;
mod pixels;
pub mod read;
pub mod recipe;
pub mod text;

pub use destination::{check_destination, write_bytes};
pub use durable::Overwrite;
pub use encode::{DEFAULT_JPEG_QUALITY, Encoding, encode, write, write_jpeg, write_png, write_webp};
pub use error::{Error, Problem, Result};
pub use format::Format;
pub use hash::image_hash;
pub use read::{ImageSource, ReadImage, read, read_bytes, read_file};
pub use recipe::{EmbeddedRecipe, ReadRecipe, RecipeProblem, image_input, parse_recipe};
pub use text::{PngHead, read_head, with_text, without_text};
