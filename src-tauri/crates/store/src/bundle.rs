//! A project as one file, to give away or to keep: a ZIP with its images and a list of what they are to each other.
//!
//! Images lie in it as they are exported, recipes inside, so that any program
//! can unpack them. The list numbers them anew: ids stay in the library that
//! gave them, and a project opened twice is there twice.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use durable::{Overwrite, PendingFile};
use imagefile::limits::MAX_FILE_BYTES;
use protocol::{ExportFormat, NodeId, Origin, ProjectId, Turn, TurnId};
use serde::{Deserialize, Serialize};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::{Error, Result, Store};

mod open;

/// The form that is written and read.
const VERSION: u32 = 1;

/// Name of the list in the ZIP.
const LIST: &str = "project.json";

/// Longest list that is read, in bytes.
const MAX_LIST_BYTES: u64 = 64 << 20;

/// Most images of a project that is opened.
const MAX_NODES: usize = 10_000;

/// Longest question or title that is read, in characters: what the studio lets be asked.
const MAX_WORDS: usize = 20_000;

/// Longest answer or plan of a model that is read, in bytes.
const MAX_ANSWER_BYTES: usize = 1 << 20;

/// A project without its pixels.
#[derive(Debug, Serialize, Deserialize)]
struct List {
    version: u32,
    name: String,
    created_ms: u64,
    nodes: Vec<ListedNode>,
    turns: Vec<ListedTurn>,
}

/// An image; others are meant by their place in the list, and come before it.
#[derive(Debug, Serialize, Deserialize)]
struct ListedNode {
    file: String,
    parent: Option<usize>,
    references: Vec<usize>,
    origin: Origin,
    title: String,
    name: Option<String>,
    starred: bool,
    tags: Vec<String>,
    plan: Option<String>,
    took_ms: Option<u64>,
    created_ms: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct ListedTurn {
    question: String,
    images: Vec<usize>,
    plan: Option<String>,
    answer: String,
    stopped: bool,
    #[serde(default)]
    left_out: bool,
    created_ms: u64,
}

impl Store {
    /// Writes a project as one file; images in the trash are left out. A file of that name is replaced.
    pub fn bundle(&self, id: ProjectId, destination: &Path) -> Result<()> {
        self.refuse_inside(destination)?;
        let contents = self.project(id)?;
        let parents: HashMap<NodeId, Option<NodeId>> =
            contents.nodes.iter().map(|node| (node.id, node.parent)).collect();
        let kept: Vec<_> = contents.nodes.iter().filter(|node| node.trashed_ms.is_none()).collect();
        let places: HashMap<NodeId, usize> = kept.iter().enumerate().map(|(place, node)| (node.id, place)).collect();
        let nearest = |mut parent: Option<NodeId>| {
            while let Some(id) = parent {
                if let Some(place) = places.get(&id) {
                    return Some(*place);
                }
                parent = parents.get(&id).copied().flatten();
            }
            None
        };
        let known = |ids: &[NodeId]| ids.iter().filter_map(|id| places.get(id).copied()).collect();

        let failed = |error: std::io::Error| Error::disk("write", destination)(error);
        let mut pending = PendingFile::create(destination).map_err(failed)?;
        let mut archive = ZipWriter::new(pending.file());
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        let mut add = |name: &str, bytes: &[u8]| -> Result<()> {
            archive.start_file(name, options).map_err(|error| failed(error.into()))?;
            archive.write_all(bytes).map_err(failed)
        };

        let mut nodes = Vec::new();
        for (place, node) in kept.iter().enumerate() {
            let (bytes, extension) = self.packed(node.id)?;
            let file = format!("{:05} {}.{extension}", place + 1, crate::export::file_name(&node.title));
            add(&file, &bytes)?;
            nodes.push(ListedNode {
                file,
                parent: nearest(node.parent),
                references: known(&node.references),
                origin: node.origin,
                title: node.title.clone(),
                name: node.name.clone(),
                starred: node.starred,
                tags: node.tags.clone(),
                plan: node.plan.clone(),
                took_ms: node.took_ms,
                created_ms: node.created_ms,
            });
        }
        let listed_turn = |turn: &Turn| ListedTurn {
            question: turn.question.clone(),
            images: known(&turn.images),
            plan: turn.plan.clone(),
            answer: turn.answer.clone(),
            stopped: turn.stopped,
            left_out: turn.left_out,
            created_ms: turn.created_ms,
        };
        let list = List {
            version: VERSION,
            name: contents.project.name,
            created_ms: contents.project.created_ms,
            nodes,
            turns: contents.turns.iter().map(listed_turn).collect(),
        };
        add(LIST, &serde_json::to_vec(&list).map_err(|error| failed(error.into()))?)?;

        archive.finish().map_err(|error| failed(error.into()))?;
        pending.commit(Overwrite::Replace).map_err(failed)
    }

    /// An image as it lies in a bundle, with its extension.
    fn packed(&self, id: NodeId) -> Result<(Vec<u8>, &'static str)> {
        let path = self.path(id)?;
        let (format, extension) = match path.extension().and_then(|extension| extension.to_str()) {
            Some("jpg") => (ExportFormat::Jpeg, "jpg"),
            Some("webp") => (ExportFormat::Webp, "webp"),
            _ => (ExportFormat::Png, "png"),
        };
        Ok((self.exported(id, format, &path)?.1, extension))
    }
}

/// A bundle that is being read; every length in it is held against a bound.
struct Archive<'a> {
    path: &'a Path,
    zip: ZipArchive<File>,
}

impl<'a> Archive<'a> {
    fn open(path: &'a Path) -> Result<Self> {
        let failed = |error| Error::disk("read", path)(error);
        // Asked before it is opened: a pipe would wait for its other end.
        if !std::fs::metadata(path).map_err(failed)?.is_file() {
            return Err(Error::Bundle { path: path.to_owned(), reason: "it is not a file".to_owned() });
        }
        let file = File::open(path).map_err(failed)?;
        let zip = ZipArchive::new(file).map_err(|error| bad(path, &error))?;
        Ok(Self { path, zip })
    }

    /// The list; times to come are taken for now.
    fn list(&mut self, now_ms: u64) -> Result<List> {
        let bytes = self.entry(LIST, MAX_LIST_BYTES)?;
        let mut list: List = serde_json::from_slice(&bytes).map_err(|error| bad(self.path, &error))?;
        let is_sound = |(place, node): (usize, &ListedNode)| {
            node.parent.is_none_or(|parent| parent < place) && node.references.iter().all(|other| *other < place)
        };
        if list.version != VERSION {
            return Err(bad(self.path, &format!("it has form {}, and form {VERSION} is read here", list.version)));
        }
        let is_readable = |words: &str| words.chars().count() <= MAX_WORDS;
        let is_short = |plan: &Option<String>| plan.as_ref().is_none_or(|it| it.len() <= MAX_ANSWER_BYTES);
        let are_words_sound = list.nodes.iter().all(|node| is_readable(&node.title) && is_short(&node.plan))
            && list.turns.iter().all(|turn| {
                !turn.question.trim().is_empty()
                    && is_readable(&turn.question)
                    && turn.answer.len() <= MAX_ANSWER_BYTES
                    && is_short(&turn.plan)
            });
        if !are_words_sound {
            return Err(bad(self.path, &"a text in it is empty or too long"));
        }
        // Each file once: a small bundle cannot stand for a large one.
        let files: HashSet<&String> = list.nodes.iter().map(|node| &node.file).collect();
        if files.len() < list.nodes.len()
            || list.nodes.len() > MAX_NODES
            || !list.nodes.iter().enumerate().all(is_sound)
        {
            return Err(bad(self.path, &"its list of images contradicts itself"));
        }
        let nodes = list.nodes.iter_mut().map(|node| &mut node.created_ms);
        let turns = list.turns.iter_mut().map(|turn| &mut turn.created_ms);
        for created_ms in nodes.chain(turns).chain([&mut list.created_ms]) {
            *created_ms = now_ms.min(*created_ms);
        }
        Ok(list)
    }

    fn image(&mut self, name: &str) -> Result<Vec<u8>> {
        self.entry(name, MAX_FILE_BYTES)
    }

    fn entry(&mut self, name: &str, max_bytes: u64) -> Result<Vec<u8>> {
        let path = self.path;
        let entry = self.zip.by_name(name).map_err(|error| bad(path, &error))?;
        let mut bytes = Vec::new();
        entry.take(max_bytes + 1).read_to_end(&mut bytes).map_err(|error| bad(path, &error))?;
        if bytes.len() as u64 > max_bytes {
            return Err(bad(path, &"a part of it is too long"));
        }
        Ok(bytes)
    }
}

/// What is wrong with a bundle, as one short line.
fn bad(path: &Path, reason: &impl ToString) -> Error {
    let reason = reason.to_string().chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
    Error::Bundle { path: path.to_owned(), reason }
}

fn turn(listed: ListedTurn, ids: &[NodeId]) -> Turn {
    Turn {
        id: TurnId::new(),
        question: listed.question,
        images: listed.images.iter().filter_map(|place| ids.get(*place).copied()).collect(),
        plan: listed.plan,
        answer: listed.answer,
        stopped: listed.stopped,
        left_out: listed.left_out,
        created_ms: listed.created_ms,
    }
}
