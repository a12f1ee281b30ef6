//! Additions to the history: imported images, generated images, and conversation turns.

use std::path::{Path, PathBuf};

use imagefile::{EmbeddedRecipe, Encoding, Format};
use protocol::{Image, Node, NodeId, Origin, Project, ProjectId, Recipe, Turn, TurnId};
use rusqlite::Transaction;

use crate::files::ImageFile;
use crate::sidecar::{self, Sidecar};
use crate::table::node::NodeRow;
use crate::table::{image, node, project, recipe, search, turn};
use crate::{Error, Result, Store};

/// Longest default name of a project, in characters.
const MAX_DEFAULT_NAME: usize = 120;

/// Longest part of a file name that is kept, in characters.
const MAX_FILE_NAME: usize = 255;

/// Where an imported image comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportSource {
    /// A file, which is copied.
    File(PathBuf),
    /// The content of a file, for example from the clipboard.
    Bytes {
        /// Used as the file's name.
        name: String,
        /// A PNG, JPEG or WebP.
        bytes: Vec<u8>,
    },
}

/// Result of [`Store::import`].
#[derive(Clone, Debug, PartialEq)]
pub struct ImportedImage {
    /// The new node.
    pub node: Node,
    /// Its project, if this image is the first of it.
    pub new_project: Option<Project>,
    /// A node with the same pixels that was already in the library.
    pub duplicate_of: Option<NodeId>,
    /// The recipe that the file contains.
    pub recipe: EmbeddedRecipe,
}

/// A generated image before it is saved.
#[derive(Clone, Debug, PartialEq)]
pub struct NewNode {
    /// Its id.
    pub id: NodeId,
    /// Its project, which is created if it does not exist.
    pub project: ProjectId,
    /// The image that was edited. If it is in another project, it becomes a reference instead.
    pub parent: Option<NodeId>,
    /// Other images that were used.
    pub references: Vec<NodeId>,
    /// How it was made.
    pub origin: Origin,
    /// The prompt.
    pub prompt: String,
    /// Seed of its noise; taken from the recipe if absent.
    pub seed: Option<u64>,
    /// The plan it was generated from; taken from the recipe if absent.
    pub plan: Option<String>,
    /// How long it took to make.
    pub took_ms: Option<u64>,
}

impl NewNode {
    /// A node without parent, references, seed, plan and duration.
    pub fn new(project: ProjectId, origin: Origin, prompt: String) -> Self {
        Self {
            id: NodeId::new(),
            project,
            parent: None,
            references: Vec::new(),
            origin,
            prompt,
            seed: None,
            plan: None,
            took_ms: None,
        }
    }
}

/// Result of [`Store::add_result`].
#[derive(Clone, Debug, PartialEq)]
pub struct Added {
    /// The new node.
    pub node: Node,
    /// Its project, if this image is the first of it.
    pub new_project: Option<Project>,
}

/// A conversation turn before it is saved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewTurn {
    /// What was asked.
    pub prompt: String,
    /// Images that this turn adds to the conversation.
    pub images: Vec<NodeId>,
    /// The plan before the answer.
    pub plan: Option<String>,
    /// What the model answered.
    pub answer: String,
    /// Whether the answer was cancelled before its end.
    pub stopped: bool,
}

impl Store {
    /// Copies an image into the library, into a given project or a new one.
    ///
    /// The file is kept byte for byte if it is upright and opaque; otherwise the image is saved as the model will see
    /// it, as a PNG. Nodes with identical bytes share a file.
    #[tracing::instrument(level = "debug", skip_all, fields(project = project.map(tracing::field::display)))]
    pub fn import(&self, source: ImportSource, project: Option<ProjectId>, now_ms: u64) -> Result<ImportedImage> {
        let (path, bytes) = match source {
            ImportSource::File(path) => {
                let bytes = imagefile::read_file(&path)?;
                (path, bytes)
            }
            ImportSource::Bytes { name, bytes } => (PathBuf::from(name), bytes),
        };
        let PreparedImage { bytes, format, image, recipe } = prepare_image(&path, bytes)?;
        let entry = NewEntry {
            new: NewNode::new(project.unwrap_or_else(ProjectId::new), Origin::Imported, import_name(&path)),
            order: self.next_sequence(),
            file: ImageFile::new(&bytes, format, &image),
            recipe: found_recipe(recipe.clone()),
            created_ms: now_ms,
        };
        let sidecar = entry.sidecar(Vec::new()).to_json();
        let (added, duplicate_of) = self.write(|tx, files| {
            let duplicate_of = node::find_by_pixel_hash(tx, &entry.file.pixel_hash)?;
            // The sidecar first: after a crash, an image without one could not be placed in the history.
            files.place(tx, &entry.file.sidecar_path(entry.new.id), sidecar.as_bytes())?;
            files.place(tx, &entry.file.path(), &bytes)?;
            Ok((entry.insert(tx)?, duplicate_of))
        })?;
        tracing::info!(node = %added.node.id, "image imported");
        Ok(ImportedImage { node: added.node, new_project: added.new_project, duplicate_of, recipe })
    }

    /// Saves a generated image, with its recipe inside the file.
    #[tracing::instrument(level = "debug", skip_all, fields(node = %new.id, project = %new.project))]
    pub fn add_result(&self, new: &NewNode, image: &Image, recipe: Option<&Recipe>, now_ms: u64) -> Result<Added> {
        let ancestors = match new.parent {
            Some(parent) => self.read(|db| node::lineage(db, parent, sidecar::MAX_ANCESTORS))?,
            None => Vec::new(),
        };
        let name = format!("{}.png", new.id);
        let png = imagefile::encode(Path::new(&name), image, Encoding::Png, recipe)?;
        let mut entry = NewEntry {
            new: new.clone(),
            order: self.next_sequence(),
            file: ImageFile::new(&png, Format::Png, image),
            recipe: recipe.cloned(),
            created_ms: now_ms,
        };
        let bytes = entry.embed_sidecar(png, ancestors);
        let added = self.write(|tx, files| {
            if node::key(tx, new.id)?.is_some() {
                return Err(Error::Exists(new.id));
            }
            files.place(tx, &entry.file.path(), &bytes)?;
            entry.insert(tx)
        })?;
        tracing::info!(node = %added.node.id, "image saved");
        Ok(added)
    }

    /// Saves a conversation turn; also returns the project if this is its first entry.
    #[tracing::instrument(level = "debug", skip_all, fields(%project))]
    pub fn add_turn(&self, project: ProjectId, new: NewTurn, now_ms: u64) -> Result<(Turn, Option<Project>)> {
        let turn = Turn {
            id: TurnId::new(),
            prompt: new.prompt,
            images: new.images,
            plan: new.plan,
            answer: new.answer,
            stopped: new.stopped,
            left_out: false,
            created_ms: now_ms,
        };
        let order = self.next_sequence();
        self.write(|tx, _files| {
            let (seq, is_new) = find_or_create_project(tx, project, &turn.prompt, order, now_ms)?;
            turn::insert(tx, order, seq, &turn)?;
            project::touch(tx, seq, order, now_ms)?;
            for node in turn::subjects(tx, seq)? {
                search::reindex(tx, node)?;
            }
            let new_project = if is_new { project::get(tx, project)? } else { None };
            Ok((turn, new_project))
        })
    }
}

/// An imported image in the form that the library stores.
pub(crate) struct PreparedImage {
    pub(crate) bytes: Vec<u8>,
    pub(crate) format: Format,
    pub(crate) image: Image,
    pub(crate) recipe: EmbeddedRecipe,
}

/// Makes sure that the stored file shows the same image that the model reads.
pub(crate) fn prepare_image(path: &Path, bytes: Vec<u8>) -> Result<PreparedImage> {
    let read = imagefile::read_bytes(path, &bytes)?;
    let format = read.source.format;
    if read.source.orientation != 1 || read.source.had_alpha {
        let bytes = imagefile::encode(path, &read.image, Encoding::Png, None)?;
        return Ok(PreparedImage { bytes, format: Format::Png, image: read.image, recipe: read.recipe });
    }
    // The sidecar of another library is not valid here.
    let bytes = match format {
        Format::Png => imagefile::without_text(&bytes, sidecar::KEYWORD).unwrap_or(bytes),
        Format::Jpeg | Format::WebP => bytes,
    };
    Ok(PreparedImage { bytes, format, image: read.image, recipe: read.recipe })
}

pub(crate) fn found_recipe(embedded: EmbeddedRecipe) -> Option<Recipe> {
    match embedded {
        EmbeddedRecipe::Found(found) => Some(found.recipe),
        EmbeddedRecipe::Absent | EmbeddedRecipe::Refused(_) => None,
    }
}

/// A node with its file, before its row is inserted.
pub(crate) struct NewEntry {
    pub(crate) new: NewNode,
    /// Its sequence number.
    pub(crate) order: i64,
    pub(crate) file: ImageFile,
    pub(crate) recipe: Option<Recipe>,
    pub(crate) created_ms: u64,
}

impl NewEntry {
    pub(crate) fn sidecar(&self, ancestors: Vec<NodeId>) -> Sidecar {
        Sidecar {
            version: sidecar::VERSION,
            node: self.new.id,
            project: self.new.project,
            order: self.order,
            ancestors,
            references: self.new.references.clone(),
            origin: self.new.origin,
            prompt: self.new.prompt.clone(),
            created_ms: self.created_ms,
            size: self.file.size,
            pixel_hash: self.file.pixel_hash.clone(),
        }
    }

    /// Returns the PNG with the sidecar inside, and sets the hash and length of the file to that.
    pub(crate) fn embed_sidecar(&mut self, png: Vec<u8>, ancestors: Vec<NodeId>) -> Vec<u8> {
        let text = self.sidecar(ancestors).to_json();
        let bytes = imagefile::with_text(&png, sidecar::KEYWORD, &text).unwrap_or(png);
        self.file.hash = blake3::hash(&bytes).to_hex().to_string();
        self.file.size_bytes = bytes.len() as u64;
        bytes
    }

    /// Inserts the rows of the node; its file must be on disk.
    pub(crate) fn insert(&self, tx: &Transaction<'_>) -> Result<Added> {
        let Self { new, order, file, recipe, created_ms } = self;
        let (order, created_ms, recipe) = (*order, *created_ms, recipe.as_ref());
        let (project, is_new) = find_or_create_project(tx, new.project, &new.prompt, order, created_ms)?;
        let parent = new.parent.map(|parent| node::key(tx, parent)).transpose()?.flatten();
        let parent = parent.filter(|parent| parent.project == project).map(|parent| parent.seq);
        // A parent in another project cannot be the parent in this tree.
        let foreign = new.parent.filter(|_| parent.is_none());
        let references: Vec<NodeId> = new.references.iter().copied().chain(foreign).collect();
        image::insert(tx, file)?;
        let row = NodeRow {
            seq: order,
            id: new.id,
            project,
            parent,
            references: &references,
            image: &file.hash,
            origin: new.origin,
            prompt: &new.prompt,
            seed: new.seed.or_else(|| recipe.and_then(|recipe| recipe.parameters.seed)),
            plan: new.plan.as_deref().or_else(|| recipe.and_then(|recipe| recipe.plan.as_deref())),
            model: recipe.map(|recipe| recipe.model.name.as_str()),
            took_ms: new.took_ms,
            created_ms,
        };
        node::insert(tx, &row)?;
        if let Some(recipe) = recipe {
            recipe::insert(tx, order, recipe)?;
        }
        project::touch(tx, project, order, created_ms)?;
        search::reindex(tx, order)?;
        let node = node::get(tx, new.id)?.ok_or(Error::NoNode(new.id))?;
        let new_project = if is_new { project::get(tx, new.project)? } else { None };
        Ok(Added { node, new_project })
    }
}

/// The key of a project, and whether it was created.
pub(crate) fn find_or_create_project(
    tx: &Transaction<'_>,
    id: ProjectId,
    prompt: &str,
    order: i64,
    now_ms: u64,
) -> Result<(i64, bool)> {
    if let Some(seq) = project::seq(tx, id)? {
        return Ok((seq, false));
    }
    let line = prompt.lines().next().unwrap_or_default();
    let default_name: String = line.chars().take(MAX_DEFAULT_NAME).collect();
    project::insert(tx, order, id, &default_name, now_ms)?;
    Ok((order, true))
}

/// The name of a file as one line of bounded length.
fn import_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.chars().filter(|c| !c.is_control()).take(MAX_FILE_NAME).collect()
}
