//! A project as one file to share or archive: a ZIP with its images and a list of their relations.
//!
//! The images are the same as exported ones, with recipes inside, so that any
//! program can unpack them. The list refers to nodes by their index instead of
//! their ids, so opening a bundle twice makes two projects.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use durable::{Overwrite, PendingFile};
use imagefile::limits::MAX_FILE_BYTES;
use protocol::{ExportFormat, Node, NodeId, Origin, ProjectId, Turn, TurnId};
use serde::{Deserialize, Serialize};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::{Error, Result, Store};

mod open;

/// The only version that is written and read.
const VERSION: u32 = 1;

/// Name of the list inside the ZIP.
const LIST: &str = "project.json";

/// Longest list that is read.
const MAX_LIST_BYTES: u64 = 64 << 20;

/// Most images of a bundle that is opened.
const MAX_NODES: usize = 10_000;

/// Longest prompt that is read, in characters; the same limit as for new requests.
const MAX_PROMPT: usize = 20_000;

/// Longest answer or plan that is read, in bytes.
const MAX_ANSWER_BYTES: usize = 1 << 20;

/// The content of [`LIST`].
#[derive(Debug, Serialize, Deserialize)]
struct List {
    version: u32,
    name: String,
    created_ms: u64,
    nodes: Vec<ListedNode>,
    turns: Vec<ListedTurn>,
}

/// Refers to other nodes by their index in the list; they come before it.
#[derive(Debug, Serialize, Deserialize)]
struct ListedNode {
    file: String,
    parent: Option<usize>,
    references: Vec<usize>,
    origin: Origin,
    prompt: String,
    name: Option<String>,
    starred: bool,
    tags: Vec<String>,
    plan: Option<String>,
    took_ms: Option<u64>,
    created_ms: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct ListedTurn {
    prompt: String,
    images: Vec<usize>,
    plan: Option<String>,
    answer: String,
    stopped: bool,
    left_out: bool,
    created_ms: u64,
}

impl Store {
    /// Writes a project as one file, without the images in the trash; an existing file is replaced.
    #[tracing::instrument(level = "debug", skip_all, fields(project = %id))]
    pub fn write_bundle(&self, id: ProjectId, destination: &Path) -> Result<()> {
        self.refuse_inside(destination)?;
        let contents = self.project(id)?;
        let nodes: Vec<&Node> = contents.nodes.iter().filter(|node| node.trashed_ms.is_none()).collect();
        let tree = Tree::new(&contents.nodes, &nodes);

        let failed = |error: std::io::Error| Error::disk("write", destination)(error);
        let mut pending = PendingFile::create(destination).map_err(failed)?;
        let mut archive = ZipWriter::new(pending.file());
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        let mut add = |name: &str, bytes: &[u8]| -> Result<()> {
            archive.start_file(name, options).map_err(|error| failed(error.into()))?;
            archive.write_all(bytes).map_err(failed)
        };

        let mut list = List {
            version: VERSION,
            name: contents.project.name,
            created_ms: contents.project.created_ms,
            nodes: Vec::new(),
            turns: contents.turns.iter().map(|turn| tree.list_turn(turn)).collect(),
        };
        for (idx, node) in nodes.iter().enumerate() {
            let (bytes, extension) = self.encode_for_bundle(node.id)?;
            let file = format!("{:05} {}.{extension}", idx + 1, crate::export::file_name(&node.prompt));
            add(&file, &bytes)?;
            list.nodes.push(tree.list_node(node, file));
        }
        add(LIST, &serde_json::to_vec(&list).map_err(|error| failed(error.into()))?)?;

        archive.finish().map_err(|error| failed(error.into()))?;
        pending.commit(Overwrite::Replace).map_err(failed)
    }

    /// Encodes an image for a bundle, and returns it with its extension.
    fn encode_for_bundle(&self, id: NodeId) -> Result<(Vec<u8>, &'static str)> {
        let path = self.path(id)?;
        let (format, extension) = match path.extension().and_then(|extension| extension.to_str()) {
            Some("jpg") => (ExportFormat::Jpeg, "jpg"),
            Some("webp") => (ExportFormat::Webp, "webp"),
            _ => (ExportFormat::Png, "png"),
        };
        Ok((self.encode_export(id, format, &path)?.1, extension))
    }
}

/// Where the nodes of a project are in the list, and what their parents are.
struct Tree {
    parents: HashMap<NodeId, Option<NodeId>>,
    indices: HashMap<NodeId, usize>,
}

impl Tree {
    fn new(all: &[Node], listed: &[&Node]) -> Self {
        Self {
            parents: all.iter().map(|node| (node.id, node.parent)).collect(),
            indices: listed.iter().enumerate().map(|(idx, node)| (node.id, idx)).collect(),
        }
    }

    /// The nearest ancestor in the list: those in the trash are left out.
    fn find_parent(&self, node: &Node) -> Option<usize> {
        let ancestors = std::iter::successors(node.parent, |id| self.parents.get(id).copied().flatten());
        ancestors.into_iter().find_map(|id| self.indices.get(&id).copied())
    }

    fn find_indices(&self, ids: &[NodeId]) -> Vec<usize> {
        ids.iter().filter_map(|id| self.indices.get(id).copied()).collect()
    }

    fn list_node(&self, node: &Node, file: String) -> ListedNode {
        ListedNode {
            file,
            parent: self.find_parent(node),
            references: self.find_indices(&node.references),
            origin: node.origin,
            prompt: node.prompt.clone(),
            name: node.name.clone(),
            starred: node.starred,
            tags: node.tags.clone(),
            plan: node.plan.clone(),
            took_ms: node.took_ms,
            created_ms: node.created_ms,
        }
    }

    fn list_turn(&self, turn: &Turn) -> ListedTurn {
        ListedTurn {
            prompt: turn.prompt.clone(),
            images: self.find_indices(&turn.images),
            plan: turn.plan.clone(),
            answer: turn.answer.clone(),
            stopped: turn.stopped,
            left_out: turn.left_out,
            created_ms: turn.created_ms,
        }
    }
}

/// A bundle that is being read. It is not trusted: every length in it is limited.
struct Archive<'a> {
    path: &'a Path,
    zip: ZipArchive<File>,
}

impl<'a> Archive<'a> {
    fn open(path: &'a Path) -> Result<Self> {
        let failed = |error| Error::disk("read", path)(error);
        // Checked first, because opening a pipe would block.
        if !std::fs::metadata(path).map_err(failed)?.is_file() {
            return Err(Error::Bundle { path: path.to_owned(), reason: "it is not a file".to_owned() });
        }
        let file = File::open(path).map_err(failed)?;
        let zip = ZipArchive::new(file).map_err(|error| invalid_bundle(path, &error))?;
        Ok(Self { path, zip })
    }

    /// Reads and validates the list; times in the future become `now_ms`.
    fn list(&mut self, now_ms: u64) -> Result<List> {
        let bytes = self.entry(LIST, MAX_LIST_BYTES)?;
        let mut list: List = serde_json::from_slice(&bytes).map_err(|error| invalid_bundle(self.path, &error))?;
        let refers_back = |(idx, node): (usize, &ListedNode)| {
            node.parent.is_none_or(|parent| parent < idx) && node.references.iter().all(|other| *other < idx)
        };
        if list.version != VERSION {
            return Err(invalid_bundle(
                self.path,
                &format!("its version is {}, and only version {VERSION} is supported", list.version),
            ));
        }
        let is_prompt = |text: &str| text.chars().count() <= MAX_PROMPT;
        let is_short = |plan: &Option<String>| plan.as_ref().is_none_or(|plan| plan.len() <= MAX_ANSWER_BYTES);
        let are_texts_valid = list.nodes.iter().all(|node| is_prompt(&node.prompt) && is_short(&node.plan))
            && list.turns.iter().all(|turn| {
                !turn.prompt.trim().is_empty()
                    && is_prompt(&turn.prompt)
                    && turn.answer.len() <= MAX_ANSWER_BYTES
                    && is_short(&turn.plan)
            });
        if !are_texts_valid {
            return Err(invalid_bundle(self.path, &"one of its texts is empty or too long"));
        }
        // No file twice: a small bundle must not expand to many nodes.
        let files: HashSet<&String> = list.nodes.iter().map(|node| &node.file).collect();
        if files.len() < list.nodes.len()
            || list.nodes.len() > MAX_NODES
            || !list.nodes.iter().enumerate().all(refers_back)
        {
            return Err(invalid_bundle(self.path, &"its list of images is inconsistent"));
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
        let entry = self.zip.by_name(name).map_err(|error| invalid_bundle(path, &error))?;
        let mut bytes = Vec::new();
        entry.take(max_bytes + 1).read_to_end(&mut bytes).map_err(|error| invalid_bundle(path, &error))?;
        if bytes.len() as u64 > max_bytes {
            return Err(invalid_bundle(path, &"one of its entries is too long"));
        }
        Ok(bytes)
    }
}

/// The reason comes from an untrusted file, so it is cut to one short line.
fn invalid_bundle(path: &Path, reason: &impl ToString) -> Error {
    let reason = reason.to_string().chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
    Error::Bundle { path: path.to_owned(), reason }
}

fn turn_from_list(listed: ListedTurn, ids: &[NodeId]) -> Turn {
    Turn {
        id: TurnId::new(),
        prompt: listed.prompt,
        images: listed.images.iter().filter_map(|idx| ids.get(*idx).copied()).collect(),
        plan: listed.plan,
        answer: listed.answer,
        stopped: listed.stopped,
        left_out: listed.left_out,
        created_ms: listed.created_ms,
    }
}
