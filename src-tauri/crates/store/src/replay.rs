//! From the files back to the history: images without an entry get one.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use imagefile::{EmbeddedRecipe, Format};
use protocol::{NodeId, Recipe};
use rusqlite::{Connection, Transaction};

use crate::add::{NewNode, enter};
use crate::files::{BACKUPS, IMAGES, ImageFile, ImageFormat, THUMBNAILS, remove_file, shard};
use crate::note::{self, Note};
use crate::table::{connection, doomed, node, schema};
use crate::{Error, Result, trash};

/// What is done with entries whose file is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// They stay: the file may come back with the disk that holds it.
    Keep,
    /// Those in the trash go: in an old backup they are what has been removed since.
    DropTrashed,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Replayed {
    pub(crate) adopted: Vec<NodeId>,
    pub(crate) missing: Vec<NodeId>,
    pub(crate) unknown: Vec<PathBuf>,
    pub(crate) n_removed: usize,
}

/// What lies in the folders of images.
#[derive(Debug, Default)]
struct Scan {
    /// Images by their hash.
    images: HashMap<String, (ImageFormat, PathBuf)>,
    /// Notes beside them: hash, node, path.
    notes: Vec<(String, NodeId, PathBuf)>,
    parts: Vec<PathBuf>,
    unknown: Vec<PathBuf>,
}

/// An image that has no entry.
struct Candidate {
    note: Note,
    file: ImageFile,
    recipe: Option<Recipe>,
}

/// Whether there is any image in a library's folder.
pub(crate) fn has_images(folder: &Path) -> Result<bool> {
    Ok(!scan(folder)?.images.is_empty())
}

/// Gives entries to images that have none, finishes what was being removed, and removes what was half written.
pub(crate) fn replay(connection: &mut Connection, folder: &Path, missing: Missing) -> Result<Replayed> {
    let scan = scan(folder)?;
    let mut replayed = Replayed { unknown: scan.unknown.clone(), ..Replayed::default() };
    let mut garbage = scan.parts.clone();

    let tx = connection::begin(connection)?;
    let known: HashMap<NodeId, String> = node::all_images(&tx)?.into_iter().collect();
    let used: HashSet<&String> = known.values().collect();
    let doomed: HashSet<PathBuf> = doomed::all(&tx)?.iter().map(|path| folder.join(path)).collect();
    doomed::clear(&tx)?;
    // No thumbnail is needed: those of images that stay are made again.
    let thumbnails = folder.join(THUMBNAILS);
    garbage.extend(doomed.iter().filter(|path| path.starts_with(&thumbnails)).cloned());

    let mut candidates = Vec::new();
    let mut with_note: HashSet<&String> = HashSet::new();
    for (hash, id, path) in &scan.notes {
        let image = scan.images.get(hash);
        let is_known = known.contains_key(id);
        match image {
            Some((format, image)) if !is_known && !doomed.contains(path) => {
                match imported(hash, *format, image, path) {
                    Some(candidate) if candidate.note.node == *id => {
                        with_note.insert(hash);
                        candidates.push(candidate);
                    }
                    _ => replayed.unknown.push(path.clone()),
                }
            }
            // What it belonged to was never entered, or has been removed.
            _ if !is_known => garbage.push(path.clone()),
            _ => {}
        }
    }
    for (hash, (format, path)) in &scan.images {
        if used.contains(hash) || with_note.contains(hash) {
            continue;
        }
        if doomed.contains(path) {
            garbage.push(path.clone());
            continue;
        }
        match made(hash, *format, path) {
            Some(candidate) if !known.contains_key(&candidate.note.node) => candidates.push(candidate),
            _ => replayed.unknown.push(path.clone()),
        }
    }
    replayed.adopted = adopt(&tx, candidates)?;

    let mut gone: Vec<NodeId> =
        known.iter().filter(|(_, hash)| !scan.images.contains_key(*hash)).map(|(id, _)| *id).collect();
    gone.sort();
    for id in gone {
        let is_trashed = node::get(&tx, id)?.is_some_and(|node| node.trashed_ms.is_some());
        if is_trashed && missing == Missing::DropTrashed {
            trash::remove(&tx, id)?;
        } else {
            replayed.missing.push(id);
        }
    }
    // They stay on the list until they are gone, so that one that resists is not taken for an image later.
    for path in &garbage {
        if let Some(path) = path.strip_prefix(folder).ok().and_then(in_library) {
            doomed::add(&tx, &path)?;
        }
    }
    tx.commit()?;

    let (gone, staying): (Vec<PathBuf>, Vec<PathBuf>) = garbage.into_iter().partition(|path| match remove_file(path) {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(%error, "a file that is to go stays until the next start");
            false
        }
    });
    replayed.n_removed = gone.len();
    let tx = connection::begin(connection)?;
    for path in &gone {
        if let Some(path) = path.strip_prefix(folder).ok().and_then(in_library) {
            doomed::spare(&tx, &path)?;
        }
    }
    tx.commit()?;
    tracing::debug!(n_gone = gone.len(), n_staying = staying.len(), "what was to go");
    replayed.unknown.sort();
    Ok(replayed)
}

/// A path in the library as the list of what is to go has it, the same on every system.
fn in_library(path: &Path) -> Option<String> {
    let parts: Option<Vec<&str>> = path.iter().map(|part| part.to_str()).collect();
    Some(parts?.join("/"))
}

fn scan(folder: &Path) -> Result<Scan> {
    let mut scan = Scan::default();
    let images = folder.join(IMAGES);
    for shard in entries(&images)?.into_iter().filter(|path| path.is_dir()) {
        for path in entries(&shard)? {
            scan.sort_in(path);
        }
    }
    for path in [entries(folder)?, entries(&folder.join(BACKUPS))?].concat() {
        if is_part(&path) {
            scan.parts.push(path);
        }
    }
    Ok(scan)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::disk("read the folder", folder)(error)),
    };
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<std::io::Result<_>>();
    paths.map_err(Error::disk("read the folder", folder))
}

fn is_part(path: &Path) -> bool {
    path.file_name().is_some_and(durable::is_temporary)
}

impl Scan {
    fn sort_in(&mut self, path: PathBuf) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let mut parts = name.split('.');
        let (hash, second, third, rest) = (parts.next(), parts.next(), parts.next(), parts.next());
        let in_shard = path.parent().and_then(Path::file_name).and_then(|name| name.to_str());
        let hash = hash.filter(|hash| is_hash(hash) && in_shard == Some(shard(hash)));
        match (hash, second, third, rest) {
            (Some(hash), Some(extension), None, None) => match extension.parse::<ImageFormat>() {
                Ok(format) => {
                    self.images.insert(hash.to_owned(), (format, path));
                }
                Err(()) => self.unknown.push(path),
            },
            (Some(hash), Some(node), Some("json"), None) => match node.parse::<NodeId>() {
                Ok(node) => self.notes.push((hash.to_owned(), node, path)),
                Err(_) => self.unknown.push(path),
            },
            _ if is_part(&path) => self.parts.push(path),
            _ => self.unknown.push(path),
        }
    }
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// An image that was brought in, by the note beside it.
fn imported(hash: &str, format: ImageFormat, image: &Path, note: &Path) -> Option<Candidate> {
    let is_short = fs::metadata(note).is_ok_and(|note| note.is_file() && note.len() <= note::MAX_BYTES);
    let note = Note::from_json(&fs::read_to_string(note).ok().filter(|_| is_short)?)?;
    let recipe = match format.0 {
        Format::Png => recipe(imagefile::read_head(image, note::KEYWORD).ok()?.recipe),
        Format::Jpeg | Format::WebP => None,
    };
    candidate(hash, format, image, note, recipe)
}

/// An image that was made here, by the note inside it.
fn made(hash: &str, format: ImageFormat, image: &Path) -> Option<Candidate> {
    if format.0 != Format::Png {
        return None;
    }
    let head = imagefile::read_head(image, note::KEYWORD).ok()?;
    let note = Note::from_json(&head.text?).filter(|note| note.size == head.size)?;
    candidate(hash, format, image, note, recipe(head.recipe))
}

fn candidate(hash: &str, format: ImageFormat, image: &Path, note: Note, recipe: Option<Recipe>) -> Option<Candidate> {
    let size_bytes = fs::metadata(image).ok()?.len();
    let file = ImageFile { hash: hash.to_owned(), format, size_bytes, size: note.size, pixels: note.pixels.clone() };
    Some(Candidate { note, file, recipe })
}

fn recipe(embedded: EmbeddedRecipe) -> Option<Recipe> {
    match embedded {
        EmbeddedRecipe::Found(found) => Some(found.recipe),
        EmbeddedRecipe::Absent | EmbeddedRecipe::Refused(_) => None,
    }
}

/// Enters images in the order they were made, then finds their parents among all that are there.
fn adopt(tx: &Transaction<'_>, mut candidates: Vec<Candidate>) -> Result<Vec<NodeId>> {
    candidates.sort_by_key(|candidate| (candidate.note.order, candidate.note.node));
    candidates.dedup_by_key(|candidate| candidate.note.node);
    let mut last = schema::last_sequence(tx)?;
    for Candidate { note, file, recipe } in &candidates {
        let order = if schema::is_free(tx, note.order)? { note.order } else { last + 1 };
        last = last.max(order);
        let new = NewNode { id: note.node, ..NewNode::new(note.project, note.origin, note.title.clone()) };
        enter(tx, &new, order, file, recipe.as_ref(), note.created_ms)?;
    }
    for Candidate { note, .. } in &candidates {
        let Some(own) = node::standing(tx, note.node)? else { continue };
        let mut references = note.references.clone();
        let mut parent = None;
        for (ancestor_idx, ancestor) in note.ancestors.iter().enumerate() {
            match node::standing(tx, *ancestor)? {
                // Only an earlier one, so that whatever the notes say there are no circles.
                Some(found) if found.project == own.project && found.seq < own.seq => {
                    parent = Some(found.seq);
                    break;
                }
                Some(_) if ancestor_idx == 0 => references.push(*ancestor),
                _ => {}
            }
        }
        node::set_parent(tx, own.seq, parent)?;
        node::set_references(tx, own.seq, &references)?;
    }
    Ok(candidates.iter().map(|candidate| candidate.note.node).collect())
}
