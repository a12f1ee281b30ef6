//! What joins the history: images brought in, images made, questions with their answers.

use std::path::{Path, PathBuf};

use imagefile::{EmbeddedRecipe, Encoding, Format};
use protocol::{Image, Node, NodeId, Origin, Project, ProjectId, Recipe, Turn, TurnId};
use rusqlite::Transaction;

use crate::files::ImageFile;
use crate::note::{self, Note};
use crate::table::node::NodeRow;
use crate::table::{image, node, project, recipe, search, turn};
use crate::{Error, Result, Store};

/// Longest title of a project, in characters.
const MAX_PROJECT_TITLE: usize = 120;

/// Longest name of a file that is kept as a title, in characters.
const MAX_FILE_TITLE: usize = 255;

/// Where an imported image comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file, which stays where it is.
    File(PathBuf),
    /// The bytes of a file, such as a pasted one.
    Bytes {
        /// What to call it.
        name: String,
        /// A PNG, JPEG or WebP.
        bytes: Vec<u8>,
    },
}

/// An image that was brought in.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// The image.
    pub node: Node,
    /// Its project, if this image began it.
    pub began: Option<Project>,
    /// An image of the library that shows the very same.
    pub duplicate_of: Option<NodeId>,
    /// What its file says about how it was made.
    pub recipe: EmbeddedRecipe,
}

/// What is known of an image that was made.
#[derive(Clone, Debug, PartialEq)]
pub struct NewNode {
    /// Its id.
    pub id: NodeId,
    /// The project that it belongs to, which begins with it if it is not there.
    pub project: ProjectId,
    /// The image that was edited. One of another project, whose tree it cannot grow on, becomes a reference.
    pub parent: Option<NodeId>,
    /// Other images that were used.
    pub references: Vec<NodeId>,
    /// How it came about.
    pub origin: Origin,
    /// The prompt.
    pub title: String,
    /// Seed of its noise; taken from the recipe when absent.
    pub seed: Option<u64>,
    /// The plan that it was painted after; taken from the recipe when absent.
    pub plan: Option<String>,
    /// How long it took to make.
    pub took_ms: Option<u64>,
}

impl NewNode {
    /// An image of which no more is known yet.
    pub fn new(project: ProjectId, origin: Origin, title: String) -> Self {
        Self {
            id: NodeId::new(),
            project,
            parent: None,
            references: Vec::new(),
            origin,
            title,
            seed: None,
            plan: None,
            took_ms: None,
        }
    }
}

/// An image that was saved.
#[derive(Clone, Debug, PartialEq)]
pub struct Added {
    /// The image.
    pub node: Node,
    /// Its project, if this image began it.
    pub began: Option<Project>,
}

/// A question and its answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewTurn {
    /// What was asked.
    pub question: String,
    /// Images that were new to the conversation with this question.
    pub images: Vec<NodeId>,
    /// What was reasoned before the answer.
    pub plan: Option<String>,
    /// What was answered.
    pub answer: String,
    /// Whether the artist stopped the answer before its end.
    pub stopped: bool,
}

impl Store {
    /// Copies an image into the library, as the first of a new project or into one that is named.
    ///
    /// The file is kept byte for byte if it is upright and opaque; otherwise the image that the model will see is
    /// kept as a PNG. Two images of the same bytes share a file.
    pub fn import(&self, source: Source, project: Option<ProjectId>, now_ms: u64) -> Result<Imported> {
        let (path, bytes) = match source {
            Source::File(path) => {
                let bytes = imagefile::read_file(&path)?;
                (path, bytes)
            }
            Source::Bytes { name, bytes } => (PathBuf::from(name), bytes),
        };
        let Kept { bytes, format, image, recipe } = keep(&path, bytes)?;
        let file = ImageFile::new(&bytes, format, &image);
        let found = match &recipe {
            EmbeddedRecipe::Found(found) => Some(&found.recipe),
            EmbeddedRecipe::Absent | EmbeddedRecipe::Refused(_) => None,
        };
        let new = NewNode::new(project.unwrap_or_else(ProjectId::new), Origin::Imported, file_title(&path));
        let order = self.next_sequence();
        let sidecar = describe(&new, order, Vec::new(), &file, now_ms).to_json();
        let (added, duplicate_of) = self.write(|tx, files| {
            let duplicate_of = node::showing(tx, &file.pixels)?;
            // The note first: an image without one could not be placed after a crash.
            files.place(tx, &file.sidecar(new.id), sidecar.as_bytes())?;
            files.place(tx, &file.path(), &bytes)?;
            Ok((enter(tx, &new, order, &file, found, now_ms)?, duplicate_of))
        })?;
        tracing::info!(node = %added.node.id, "image imported");
        Ok(Imported { node: added.node, began: added.began, duplicate_of, recipe })
    }

    /// Saves an image that was made, with its recipe inside its file.
    pub fn add_result(&self, new: &NewNode, image: &Image, recipe: Option<&Recipe>, now_ms: u64) -> Result<Added> {
        let order = self.next_sequence();
        let ancestors = match new.parent {
            Some(parent) => self.read(|db| node::lineage(db, parent, note::MAX_ANCESTORS))?,
            None => Vec::new(),
        };
        let name = format!("{}.png", new.id);
        let plain = imagefile::encode(Path::new(&name), image, Encoding::Png, recipe)?;
        let mut file = ImageFile::new(&plain, Format::Png, image);
        let text = describe(new, order, ancestors, &file, now_ms).to_json();
        let bytes = imagefile::with_text(&plain, note::KEYWORD, &text).unwrap_or(plain);
        file.hash = blake3::hash(&bytes).to_hex().to_string();
        file.size_bytes = bytes.len() as u64;

        let added = self.write(|tx, files| {
            if node::standing(tx, new.id)?.is_some() {
                return Err(Error::Exists(new.id));
            }
            files.place(tx, &file.path(), &bytes)?;
            enter(tx, new, order, &file, recipe, now_ms)
        })?;
        tracing::info!(node = %added.node.id, "image saved");
        Ok(added)
    }

    /// Saves a question with its answer; gives the project back if they began it.
    pub fn add_turn(&self, project: ProjectId, new: NewTurn, now_ms: u64) -> Result<(Turn, Option<Project>)> {
        let turn = Turn {
            id: TurnId::new(),
            question: new.question,
            images: new.images,
            plan: new.plan,
            answer: new.answer,
            stopped: new.stopped,
            left_out: false,
            created_ms: now_ms,
        };
        let order = self.next_sequence();
        self.write(|tx, _files| {
            let (seq, is_new) = begin(tx, project, &turn.question, order, now_ms)?;
            turn::insert(tx, order, seq, &turn)?;
            project::touch(tx, seq, order, now_ms)?;
            for node in turn::subjects(tx, seq)? {
                search::reindex(tx, node)?;
            }
            let began = if is_new { project::get(tx, project)? } else { None };
            Ok((turn, began))
        })
    }
}

/// An image as the library keeps it.
pub(crate) struct Kept {
    pub(crate) bytes: Vec<u8>,
    pub(crate) format: Format,
    pub(crate) image: Image,
    pub(crate) recipe: EmbeddedRecipe,
}

/// Decides what is kept of a foreign file: what the window shows and what the model reads must be the same.
pub(crate) fn keep(path: &Path, bytes: Vec<u8>) -> Result<Kept> {
    let read = imagefile::read_bytes(path, &bytes)?;
    let format = read.source.format;
    if read.source.orientation != 1 || read.source.had_alpha {
        let bytes = imagefile::encode(path, &read.image, Encoding::Png, None)?;
        return Ok(Kept { bytes, format: Format::Png, image: read.image, recipe: read.recipe });
    }
    // Another library's note about where the image belongs means nothing here.
    let bytes = match format {
        Format::Png => imagefile::without_text(&bytes, note::KEYWORD).unwrap_or(bytes),
        Format::Jpeg | Format::WebP => bytes,
    };
    Ok(Kept { bytes, format, image: read.image, recipe: read.recipe })
}

/// The note that goes beside an image.
pub(crate) fn describe(new: &NewNode, order: i64, ancestors: Vec<NodeId>, file: &ImageFile, now_ms: u64) -> Note {
    Note {
        version: note::VERSION,
        node: new.id,
        project: new.project,
        order,
        ancestors,
        references: new.references.clone(),
        origin: new.origin,
        title: new.title.clone(),
        created_ms: now_ms,
        size: file.size,
        pixels: file.pixels.clone(),
    }
}

/// Enters an image whose file is in place.
pub(crate) fn enter(
    tx: &Transaction<'_>,
    new: &NewNode,
    order: i64,
    file: &ImageFile,
    recipe: Option<&Recipe>,
    now_ms: u64,
) -> Result<Added> {
    let (project, is_new) = begin(tx, new.project, &new.title, order, now_ms)?;
    let parent = match new.parent {
        Some(parent) => node::standing(tx, parent)?.filter(|parent| parent.project == project).map(|parent| parent.seq),
        None => None,
    };
    // Of another project: it cannot be the parent in this tree, but it was used.
    let foreign = new.parent.filter(|_| parent.is_none());
    let references: Vec<NodeId> = new.references.iter().copied().chain(foreign).collect();
    image::insert(tx, file)?;
    node::insert(
        tx,
        &NodeRow {
            seq: order,
            id: new.id,
            project,
            parent,
            references: &references,
            image: &file.hash,
            origin: new.origin,
            title: &new.title,
            seed: new.seed.or_else(|| recipe.and_then(|recipe| recipe.parameters.seed)),
            plan: new.plan.as_deref().or_else(|| recipe.and_then(|recipe| recipe.plan.as_deref())),
            model: recipe.map(|recipe| recipe.model.name.as_str()),
            took_ms: new.took_ms,
            created_ms: now_ms,
        },
    )?;
    if let Some(recipe) = recipe {
        recipe::insert(tx, order, recipe)?;
    }
    project::touch(tx, project, order, now_ms)?;
    search::reindex(tx, order)?;
    let node = node::get(tx, new.id)?.ok_or(Error::NoNode(new.id))?;
    let began = if is_new { project::get(tx, new.project)? } else { None };
    Ok(Added { node, began })
}

/// The number of a project, which begins now if it is not there; and whether it does.
pub(crate) fn begin(tx: &Transaction<'_>, id: ProjectId, title: &str, order: i64, now_ms: u64) -> Result<(i64, bool)> {
    if let Some(seq) = project::seq(tx, id)? {
        return Ok((seq, false));
    }
    let line = title.lines().next().unwrap_or_default();
    let title: String = line.chars().take(MAX_PROJECT_TITLE).collect();
    project::insert(tx, order, id, &title, now_ms)?;
    Ok((order, true))
}

/// The name of a file as a title: one line of bounded length.
fn file_title(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.chars().filter(|c| !c.is_control()).take(MAX_FILE_TITLE).collect()
}
