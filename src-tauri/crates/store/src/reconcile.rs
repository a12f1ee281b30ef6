//! Makes the database agree with the files: images without a row get one, and leftover files are deleted.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use imagefile::Format;
use protocol::{NodeId, Recipe};
use rusqlite::{Connection, Transaction};

use crate::add::{NewEntry, NewNode, found_recipe};
use crate::files::{BACKUPS, IMAGES, ImageFile, ImageFormat, THUMBNAILS, remove_file, shard};
use crate::sidecar::{self, Sidecar};
use crate::table::{connection, node, pending_delete, schema};
use crate::{Error, Result, trash};

/// What happens to nodes whose file is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// They stay: the file may come back, for example with the disk that holds it.
    Keep,
    /// Those in the trash are removed: after a restore they are what was deleted since the backup.
    DropTrashed,
}

#[derive(Debug, Default)]
pub(crate) struct Reconciled {
    pub(crate) adopted: Vec<NodeId>,
    pub(crate) missing: Vec<NodeId>,
    pub(crate) unknown: Vec<PathBuf>,
    pub(crate) n_removed: usize,
}

/// The files in the folders of images.
#[derive(Debug, Default)]
struct Scan {
    /// Images by their hash.
    images: HashMap<String, (ImageFormat, PathBuf)>,
    /// Sidecar files: hash, node, path.
    sidecars: Vec<(String, NodeId, PathBuf)>,
    /// Files that were being written.
    parts: Vec<PathBuf>,
    unknown: Vec<PathBuf>,
}

/// An image without a row.
struct Candidate {
    sidecar: Sidecar,
    file: ImageFile,
    recipe: Option<Recipe>,
}

/// Files without a row, and what to do with them.
#[derive(Default)]
struct Orphans {
    candidates: Vec<Candidate>,
    unknown: Vec<PathBuf>,
    garbage: Vec<PathBuf>,
}

pub(crate) fn has_images(folder: &Path) -> Result<bool> {
    Ok(!scan(folder)?.images.is_empty())
}

/// Inserts rows for images that have none, completes pending deletes, and deletes incomplete files.
pub(crate) fn reconcile(connection: &mut Connection, folder: &Path, missing: Missing) -> Result<Reconciled> {
    let mut scan = scan(folder)?;
    let tx = connection::begin(connection)?;
    let known: HashMap<NodeId, String> = node::all_images(&tx)?.into_iter().collect();
    let pending: HashSet<PathBuf> = pending_delete::all(&tx)?.iter().map(|path| folder.join(path)).collect();
    pending_delete::clear(&tx)?;

    let Orphans { candidates, mut unknown, mut garbage } = sort_orphans(&scan, &known, &pending);
    unknown.append(&mut scan.unknown);
    unknown.sort();
    garbage.append(&mut scan.parts);
    // Thumbnails can always be deleted: those of existing images are made again.
    let thumbnails = folder.join(THUMBNAILS);
    garbage.extend(pending.iter().filter(|path| path.starts_with(&thumbnails)).cloned());

    let adopted = adopt(&tx, candidates)?;
    let missing = handle_missing(&tx, &known, &scan, missing)?;
    // Pending until they are deleted, so that a file that cannot be deleted is not adopted later.
    for path in garbage.iter().filter_map(|path| relative_path(folder, path)) {
        pending_delete::add(&tx, &path)?;
    }
    tx.commit()?;
    let n_removed = delete_files(connection, folder, &garbage)?;
    Ok(Reconciled { adopted, missing, unknown, n_removed })
}

fn sort_orphans(scan: &Scan, known: &HashMap<NodeId, String>, pending: &HashSet<PathBuf>) -> Orphans {
    let mut orphans = Orphans::default();
    let mut used: HashSet<&String> = known.values().collect();
    for (hash, id, path) in scan.sidecars.iter().filter(|(_, id, _)| !known.contains_key(id)) {
        match scan.images.get(hash).filter(|_| !pending.contains(path)) {
            Some((format, image)) => match read_imported(hash, *format, image, path) {
                Some(candidate) if candidate.sidecar.node == *id => {
                    used.insert(hash);
                    orphans.candidates.push(candidate);
                }
                _ => orphans.unknown.push(path.clone()),
            },
            // Its node was never inserted, or has been removed.
            None => orphans.garbage.push(path.clone()),
        }
    }
    for (hash, (format, path)) in scan.images.iter().filter(|(hash, _)| !used.contains(hash)) {
        if pending.contains(path) {
            orphans.garbage.push(path.clone());
            continue;
        }
        match read_generated(hash, *format, path) {
            Some(candidate) if !known.contains_key(&candidate.sidecar.node) => orphans.candidates.push(candidate),
            _ => orphans.unknown.push(path.clone()),
        }
    }
    orphans
}

/// Returns the nodes that stay without a file.
fn handle_missing(
    tx: &Transaction<'_>,
    known: &HashMap<NodeId, String>,
    scan: &Scan,
    missing: Missing,
) -> Result<Vec<NodeId>> {
    let is_missing = |(id, hash): (&NodeId, &String)| (!scan.images.contains_key(hash)).then_some(*id);
    let mut ids: Vec<NodeId> = known.iter().filter_map(is_missing).collect();
    ids.sort();
    let mut kept = Vec::new();
    for id in ids {
        let is_trashed = node::get(tx, id)?.is_some_and(|node| node.trashed_ms.is_some());
        if is_trashed && missing == Missing::DropTrashed {
            trash::remove(tx, id)?;
        } else {
            kept.push(id);
        }
    }
    Ok(kept)
}

/// Deletes files and their pending deletes; returns how many could be deleted.
fn delete_files(connection: &mut Connection, folder: &Path, paths: &[PathBuf]) -> Result<usize> {
    let is_deleted = |path: &&PathBuf| {
        remove_file(path)
            .inspect_err(|error| tracing::warn!(%error, "cannot delete a leftover file; the next start tries again"))
            .is_ok()
    };
    let deleted: Vec<&PathBuf> = paths.iter().filter(is_deleted).collect();
    let tx = connection::begin(connection)?;
    for path in deleted.iter().filter_map(|path| relative_path(folder, path)) {
        pending_delete::cancel(&tx, &path)?;
    }
    tx.commit()?;
    tracing::debug!(n_deleted = deleted.len(), n_pending = paths.len() - deleted.len(), "leftover files");
    Ok(deleted.len())
}

/// The path as pending deletes store it, the same on every system.
fn relative_path(folder: &Path, path: &Path) -> Option<String> {
    let parts: Option<Vec<&str>> = path.strip_prefix(folder).ok()?.iter().map(|part| part.to_str()).collect();
    Some(parts?.join("/"))
}

fn scan(folder: &Path) -> Result<Scan> {
    let mut scan = Scan::default();
    let images = folder.join(IMAGES);
    for shard in entries(&images)?.into_iter().filter(|path| path.is_dir()) {
        for path in entries(&shard)? {
            scan.add_image_path(path);
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
    fn add_image_path(&mut self, path: PathBuf) {
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
                Ok(node) => self.sidecars.push((hash.to_owned(), node, path)),
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

/// An imported image, by the sidecar file next to it.
fn read_imported(hash: &str, format: ImageFormat, image: &Path, sidecar: &Path) -> Option<Candidate> {
    let is_short = fs::metadata(sidecar).is_ok_and(|file| file.is_file() && file.len() <= sidecar::MAX_BYTES);
    let sidecar = Sidecar::from_json(&fs::read_to_string(sidecar).ok().filter(|_| is_short)?)?;
    let recipe = match format.0 {
        Format::Png => found_recipe(imagefile::read_head(image, sidecar::KEYWORD).ok()?.recipe),
        Format::Jpeg | Format::WebP => None,
    };
    candidate(hash, format, image, sidecar, recipe)
}

/// A generated image, by the sidecar inside it.
fn read_generated(hash: &str, format: ImageFormat, image: &Path) -> Option<Candidate> {
    if format.0 != Format::Png {
        return None;
    }
    let head = imagefile::read_head(image, sidecar::KEYWORD).ok()?;
    let sidecar = Sidecar::from_json(&head.text?).filter(|sidecar| sidecar.size == head.size)?;
    candidate(hash, format, image, sidecar, found_recipe(head.recipe))
}

fn candidate(
    hash: &str,
    format: ImageFormat,
    image: &Path,
    sidecar: Sidecar,
    recipe: Option<Recipe>,
) -> Option<Candidate> {
    let size_bytes = fs::metadata(image).ok()?.len();
    let pixel_hash = sidecar.pixel_hash.clone();
    let file = ImageFile { hash: hash.to_owned(), format, size_bytes, size: sidecar.size, pixel_hash };
    Some(Candidate { sidecar, file, recipe })
}

/// Inserts the images in the order in which they were made, and then links them to their parents.
fn adopt(tx: &Transaction<'_>, mut candidates: Vec<Candidate>) -> Result<Vec<NodeId>> {
    candidates.sort_by_key(|candidate| (candidate.sidecar.order, candidate.sidecar.node));
    candidates.dedup_by_key(|candidate| candidate.sidecar.node);
    let mut last = schema::last_sequence(tx)?;
    let mut sidecars = Vec::new();
    for Candidate { sidecar, file, recipe } in candidates {
        let order = if schema::is_free(tx, sidecar.order)? { sidecar.order } else { last + 1 };
        last = last.max(order);
        let new = NewNode { id: sidecar.node, ..NewNode::new(sidecar.project, sidecar.origin, sidecar.prompt.clone()) };
        NewEntry { new, order, file, recipe, created_ms: sidecar.created_ms }.insert(tx)?;
        sidecars.push(sidecar);
    }
    sidecars.iter().try_for_each(|sidecar| link(tx, sidecar))?;
    Ok(sidecars.iter().map(|sidecar| sidecar.node).collect())
}

/// Sets the parent and the references that a sidecar names.
fn link(tx: &Transaction<'_>, sidecar: &Sidecar) -> Result<()> {
    let Some(own) = node::key(tx, sidecar.node)? else { return Ok(()) };
    let mut references = sidecar.references.clone();
    let mut parent = None;
    for (ancestor_idx, ancestor) in sidecar.ancestors.iter().enumerate() {
        match node::key(tx, *ancestor)? {
            // Only an earlier node, so that wrong sidecars cannot make a cycle.
            Some(found) if found.project == own.project && found.seq < own.seq => {
                parent = Some(found.seq);
                break;
            }
            Some(_) if ancestor_idx == 0 => references.push(*ancestor),
            _ => {}
        }
    }
    node::set_parent(tx, own.seq, parent)?;
    node::set_references(tx, own.seq, &references)
}
