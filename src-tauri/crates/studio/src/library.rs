//! Pictures on disk and how they came about.
//!
//! A folder of PNGs, each with its recipe inside, their thumbnails, and one
//! small index written as a whole after every change. This is good for
//! hundreds of pictures; the crate `store`, with a database and a trash, takes
//! its place.

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use image::imageops::{self, FilterType};
use imagefile::{EmbeddedRecipe, Overwrite, ReadPicture, Recipe};
use protocol::{Picture, Size};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{Error, NodeId, PieceId, Result};

/// Longest side of a thumbnail, enough for twice the pixels of the largest one shown.
const THUMBNAIL_SIDE: u32 = 256;

/// The form of the index that this program writes.
const INDEX_VERSION: u32 = 1;

/// A tree of pictures with the conversation about them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Piece {
    /// Its name.
    pub id: PieceId,
    /// What it began with: an instruction, a question or a file's name.
    pub title: String,
    /// Questions and answers, oldest first.
    pub turns: Vec<Turn>,
    /// Milliseconds since 1970, UTC.
    #[ts(type = "number")]
    pub created_ms: u64,
}

/// A picture of the history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Node {
    /// Its name.
    pub id: NodeId,
    /// The piece it belongs to.
    pub piece: PieceId,
    /// The picture that was edited.
    pub parent: Option<NodeId>,
    /// Other pictures that were used.
    pub references: Vec<NodeId>,
    /// How it came about.
    pub origin: Origin,
    /// The instruction, or the name of the file it was imported from.
    pub title: String,
    /// Its size in pixels.
    pub size: Size,
    /// Seed of its noise, where it was made here.
    #[ts(type = "number | null")]
    pub seed: Option<u64>,
    /// The plan it was painted after.
    pub thought: Option<String>,
    /// Milliseconds since 1970, UTC.
    #[ts(type = "number")]
    pub created_ms: u64,
}

/// How a picture came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Brought in from outside.
    Imported,
    /// Painted from text.
    Created,
    /// Painted from pictures and an instruction.
    Edited,
}

/// A question and its answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Turn {
    /// What was asked.
    pub question: String,
    /// Pictures that were new to the conversation with this question.
    pub pictures: Vec<NodeId>,
    /// What was answered.
    pub answer: String,
    /// Whether the artist stopped the answer before its end.
    pub stopped: bool,
    /// Milliseconds since 1970, UTC.
    #[ts(type = "number")]
    pub created_ms: u64,
}

/// A picture that has just been saved.
#[derive(Clone, Debug)]
pub struct Saved {
    /// Its piece, if this picture began it.
    pub begun: Option<Piece>,
    /// The picture.
    pub node: Node,
}

/// Which file of a picture is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rendition {
    /// The picture itself.
    Full,
    /// At most 256 pixels a side.
    Thumbnail,
}

/// The pictures of one data folder; only one at a time may have it open.
#[derive(Debug)]
pub struct Library {
    folder: PathBuf,
    index: Mutex<Index>,
    // Held for as long as the library is; the system lets go of it with the process.
    _lock: File,
}

#[derive(Debug, Default, Clone, Serialize, Deserialize)]
struct Index {
    version: u32,
    pieces: Vec<Piece>,
    nodes: Vec<Node>,
    #[serde(skip)]
    positions: HashMap<NodeId, usize>,
}

impl Library {
    /// Opens the pictures of a data folder, which is made if it is not there.
    pub fn open(folder: &Path) -> Result<Self> {
        for part in ["pictures", "thumbnails"] {
            fs::create_dir_all(folder.join(part)).map_err(Error::disk("make the folder", folder.join(part)))?;
        }
        let lock_path = folder.join("lock");
        let lock = File::create(&lock_path).map_err(Error::disk("open", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(Error::InUse { path: folder.to_path_buf() }),
            Err(fs::TryLockError::Error(source)) => return Err(Error::disk("lock", lock_path)(source)),
        }
        let index = Index::read(&folder.join("index.json"))?;
        Ok(Self { folder: folder.to_path_buf(), index: Mutex::new(index), _lock: lock })
    }

    /// All pieces and pictures, oldest first.
    pub fn all(&self) -> (Vec<Piece>, Vec<Node>) {
        let index = self.index();
        (index.pieces.clone(), index.nodes.clone())
    }

    /// One picture.
    pub fn node(&self, id: NodeId) -> Result<Node> {
        let index = self.index();
        index.positions.get(&id).and_then(|position| index.nodes.get(*position)).cloned().ok_or(Error::NoNode(id))
    }

    /// The conversation of a piece so far; empty for a piece that has not begun.
    pub fn turns(&self, piece: PieceId) -> Vec<Turn> {
        self.index().pieces.iter().find(|p| p.id == piece).map(|p| p.turns.clone()).unwrap_or_default()
    }

    /// Where a picture lies.
    pub fn path(&self, id: NodeId, rendition: Rendition) -> Result<PathBuf> {
        self.node(id)?;
        Ok(self.file(id, rendition))
    }

    /// Brings a picture file in, as the first of a piece or into one that is there.
    pub fn import(&self, path: &Path, piece: Option<PieceId>, now_ms: u64) -> Result<Saved> {
        let read = imagefile::read(path)?;
        let title = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.import_picture(&read, title, piece, now_ms)
    }

    /// Brings in the bytes of a picture file, such as a pasted one.
    pub fn import_bytes(&self, bytes: &[u8], title: String, piece: Option<PieceId>, now_ms: u64) -> Result<Saved> {
        let read = imagefile::read_bytes(Path::new(&title), bytes)?;
        self.import_picture(&read, title, piece, now_ms)
    }

    fn import_picture(&self, read: &ReadPicture, title: String, piece: Option<PieceId>, now_ms: u64) -> Result<Saved> {
        let node = Node {
            id: NodeId::new(),
            piece: piece.unwrap_or_else(PieceId::new),
            parent: None,
            references: Vec::new(),
            origin: Origin::Imported,
            title,
            size: read.picture.size(),
            seed: None,
            thought: None,
            created_ms: now_ms,
        };
        self.save(node, &read.picture, None)
    }

    /// Writes a picture and its thumbnail, then enters it in the index.
    ///
    /// When this returns, the picture survives a loss of power.
    pub fn save(&self, node: Node, picture: &Picture, recipe: Option<&Recipe>) -> Result<Saved> {
        let full = self.file(node.id, Rendition::Full);
        let thumbnail = self.file(node.id, Rendition::Thumbnail);
        let result = imagefile::write_png(&full, picture, recipe, Overwrite::Refuse)
            .and_then(|()| imagefile::write_png(&thumbnail, &thumbnail_of(picture), None, Overwrite::Refuse))
            .map_err(Error::from)
            .and_then(|()| self.enter(node));
        if result.is_err() {
            // What is not in the index would never be found again.
            let _ = fs::remove_file(&full);
            let _ = fs::remove_file(&thumbnail);
        }
        result
    }

    /// Adds a question and its answer; gives the piece back if they began it.
    pub fn add_turn(&self, piece: PieceId, turn: Turn) -> Result<Option<Piece>> {
        self.change(|index| {
            let begun = index.begin(piece, &turn.question, turn.created_ms);
            if let Some(piece) = index.pieces.iter_mut().find(|p| p.id == piece) {
                piece.turns.push(turn);
            }
            begun
        })
    }

    /// Writes a picture with its recipe to where the artist wants it, in the format that the name asks for.
    pub fn export(&self, id: NodeId, destination: &Path) -> Result<()> {
        let source = self.path(id, Rendition::Full)?;
        if imagefile::Encoding::for_path(destination)? == imagefile::Encoding::Png {
            let bytes = fs::read(&source).map_err(Error::disk("read", source))?;
            return Ok(imagefile::place_bytes(destination, &bytes, Overwrite::Replace)?);
        }
        let read = imagefile::read(&source)?;
        let recipe = match &read.recipe {
            EmbeddedRecipe::Found(found) => Some(&found.recipe),
            EmbeddedRecipe::Absent | EmbeddedRecipe::Refused(_) => None,
        };
        Ok(imagefile::write(destination, &read.picture, recipe, Overwrite::Replace)?)
    }

    fn enter(&self, node: Node) -> Result<Saved> {
        self.change(|index| {
            let begun = index.begin(node.piece, &node.title, node.created_ms);
            index.positions.insert(node.id, index.nodes.len());
            index.nodes.push(node.clone());
            Saved { begun, node }
        })
    }

    /// Changes the index on disk first and in memory only after that.
    fn change<T>(&self, change: impl FnOnce(&mut Index) -> T) -> Result<T> {
        let mut index = self.index();
        let mut changed = index.clone();
        let result = change(&mut changed);
        let path = self.folder.join("index.json");
        let bytes = serde_json::to_vec(&changed).map_err(|error| Error::disk("write", &path)(error.into()))?;
        imagefile::place_bytes(&path, &bytes, Overwrite::Replace)?;
        *index = changed;
        Ok(result)
    }

    fn file(&self, id: NodeId, rendition: Rendition) -> PathBuf {
        let part = match rendition {
            Rendition::Full => "pictures",
            Rendition::Thumbnail => "thumbnails",
        };
        self.folder.join(part).join(format!("{id}.png"))
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        // A panic elsewhere cannot leave it half-changed: changes replace it as a whole.
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Index {
    fn read(path: &Path) -> Result<Self> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self { version: INDEX_VERSION, ..Self::default() });
            }
            Err(error) => return Err(Error::disk("read", path)(error)),
        };
        let mut index: Self =
            serde_json::from_slice(&bytes).map_err(|error| Error::disk("understand", path)(error.into()))?;
        if index.version != INDEX_VERSION {
            let message = format!("it was written by another version of the studio (form {})", index.version);
            return Err(Error::disk("understand", path)(std::io::Error::other(message)));
        }
        index.positions = index.nodes.iter().enumerate().map(|(position, node)| (node.id, position)).collect();
        Ok(index)
    }

    fn begin(&mut self, id: PieceId, title: &str, created_ms: u64) -> Option<Piece> {
        if self.pieces.iter().any(|piece| piece.id == id) {
            return None;
        }
        let piece = Piece { id, title: title.to_owned(), turns: Vec::new(), created_ms };
        self.pieces.push(piece.clone());
        Some(piece)
    }
}

fn thumbnail_of(picture: &Picture) -> Picture {
    let Size { width, height } = picture.size();
    let longest = width.max(height);
    if longest <= THUMBNAIL_SIDE {
        return picture.clone();
    }
    let scaled = |side: u32| ((u64::from(side) * u64::from(THUMBNAIL_SIDE)) / u64::from(longest)).max(1) as u32;
    let buffer = image::RgbImage::from_raw(width, height, picture.rgb().to_vec());
    let small = buffer.map(|buffer| imageops::resize(&buffer, scaled(width), scaled(height), FilterType::Triangle));
    small
        .and_then(|small| Picture::new(small.width(), small.height(), small.into_raw()))
        .unwrap_or_else(|| picture.clone())
}
