//! What a library must contain after the changes that it acknowledged.

use std::collections::{BTreeMap, BTreeSet};

use protocol::{GalleryFilter, Node, NodeId, Place, ProjectId};
use serde::{Deserialize, Serialize};
use store::Store;

use crate::Outcome;

/// A change of the library, as the child process reports it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Change {
    Added { node: NodeId, pixel_hash: String },
    Named { node: NodeId, name: String },
    Tagged { node: NodeId, tags: Vec<String> },
    Starred { node: NodeId, starred: bool },
    Trashed { node: NodeId },
    Restored { node: NodeId },
    Emptied,
    TurnAdded { project: ProjectId, prompt: String },
    JobQueued { job: String, order: i64 },
    JobRemoved { job: String },
    BundleOpened { nodes: Vec<NodeId> },
    Other,
}

/// A line that the child process prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Line {
    Started(Change),
    /// The store acknowledged it.
    Finished(Change),
    /// The store returned this error; the change may still have happened.
    Failed(Change, String),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct NodeState {
    pixel_hash: String,
    name: Option<String>,
    tags: Vec<String>,
    starred: bool,
    is_trashed: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Model {
    nodes: BTreeMap<NodeId, NodeState>,
    turns: BTreeSet<(ProjectId, String)>,
    jobs: BTreeMap<String, i64>,
    /// Nodes with a failed change, which may or may not have happened.
    uncertain: BTreeSet<NodeId>,
    is_queue_uncertain: bool,
}

impl Model {
    pub(crate) fn read(store: &Store) -> Outcome<Self> {
        Self::read_without(store, &[])
    }

    /// Leaves out images whose files the store itself reports as missing.
    pub(crate) fn read_without(store: &Store, missing: &[NodeId]) -> Outcome<Self> {
        let mut model = Self::default();
        for node in all_nodes(store)?.into_iter().filter(|node| !missing.contains(&node.id)) {
            let path = store.path(node.id)?;
            let pixel_hash = imagefile::image_hash(&imagefile::read(&path)?.image);
            model.nodes.insert(
                node.id,
                NodeState {
                    pixel_hash,
                    name: node.name,
                    tags: node.tags,
                    starred: node.starred,
                    is_trashed: node.trashed_ms.is_some(),
                },
            );
        }
        let mut after = None;
        loop {
            let page = store.projects(after.as_ref(), 500)?;
            for project in page.projects {
                model.turns.extend(store.turns(project.id)?.into_iter().map(|turn| (project.id, turn.prompt)));
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        model.jobs = store.jobs()?.into_iter().map(|job| (job.id.to_string(), job.order)).collect();
        Ok(model)
    }

    /// Applies an acknowledged change.
    pub(crate) fn apply(&mut self, change: &Change) {
        let mut update = |node: &NodeId, update: &dyn Fn(&mut NodeState)| {
            if let Some(state) = self.nodes.get_mut(node) {
                update(state);
            }
        };
        match change {
            Change::Added { node, pixel_hash } => {
                let state = NodeState { pixel_hash: pixel_hash.clone(), ..NodeState::default() };
                self.nodes.insert(*node, state);
            }
            Change::Named { node, name } => update(node, &|state| state.name = Some(name.clone())),
            Change::Tagged { node, tags } => update(node, &|state| state.tags.clone_from(tags)),
            Change::Starred { node, starred } => update(node, &|state| state.starred = *starred),
            Change::Trashed { node } => update(node, &|state| state.is_trashed = true),
            Change::Restored { node } => update(node, &|state| state.is_trashed = false),
            Change::Emptied => self.nodes.retain(|_, state| !state.is_trashed),
            Change::TurnAdded { project, prompt } => {
                self.turns.insert((*project, prompt.clone()));
            }
            Change::JobQueued { job, order } => {
                self.jobs.insert(job.clone(), *order);
            }
            Change::JobRemoved { job } => {
                self.jobs.remove(job);
            }
            Change::BundleOpened { .. } | Change::Other => {}
        }
    }

    pub(crate) fn with_empty_queue(&self) -> Self {
        Self { jobs: BTreeMap::new(), ..self.clone() }
    }

    /// Names the first image that is not in `found`, whatever its name and tags are.
    pub(crate) fn find_missing_image(&self, found: &Self) -> Option<String> {
        let is_there =
            |id: &NodeId, pixel_hash: &String| found.nodes.get(id).is_some_and(|state| state.pixel_hash == *pixel_hash);
        let lost = self.nodes.iter().find(|(id, state)| !is_there(id, &state.pixel_hash));
        lost.map(|(id, _)| format!("image {id} is missing"))
    }

    /// Records a failed change, which may or may not have happened.
    pub(crate) fn mark_uncertain(&mut self, change: &Change) {
        match change {
            Change::Added { node, .. }
            | Change::Named { node, .. }
            | Change::Tagged { node, .. }
            | Change::Starred { node, .. }
            | Change::Trashed { node }
            | Change::Restored { node } => {
                self.uncertain.insert(*node);
            }
            Change::Emptied => {
                self.uncertain.extend(self.nodes.iter().filter(|(_, state)| state.is_trashed).map(|(id, _)| *id));
            }
            Change::JobQueued { .. } | Change::JobRemoved { .. } => self.is_queue_uncertain = true,
            Change::TurnAdded { .. } | Change::BundleOpened { .. } | Change::Other => {}
        }
    }

    /// Describes the first acknowledged change that is not in `found`; `open` was started and may have happened.
    pub(crate) fn find_missing(&self, found: &Self, open: Option<&Change>) -> Option<String> {
        let mut after = self.clone();
        if let Some(open) = open {
            after.apply(open);
        }
        for (id, before) in self.nodes.iter().filter(|(id, _)| !self.uncertain.contains(id)) {
            let is = found.nodes.get(id);
            let may_be = after.nodes.get(id);
            if is != Some(before) && is != may_be {
                return Some(format!("image {id} was {before:?} and is now {is:?}"));
            }
        }
        if let Some(turn) = self.turns.difference(&found.turns).next() {
            return Some(format!("the turn {turn:?} is missing"));
        }
        if !self.is_queue_uncertain && self.jobs != found.jobs && after.jobs != found.jobs {
            return Some(format!("the queue was {:?} and is now {:?}", self.jobs, found.jobs));
        }
        None
    }
}

/// Parses what a child process printed; it may have been killed in the middle of a line.
pub(crate) fn parse_lines(output: &[u8]) -> Outcome<Vec<Line>> {
    let whole = output.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    let lines = output.get(..whole).unwrap_or_default().split(|byte| *byte == b'\n');
    lines.filter(|line| !line.is_empty()).map(|line| Ok(serde_json::from_slice(line)?)).collect()
}

/// Every image, including those in the trash.
pub(crate) fn all_nodes(store: &Store) -> Outcome<Vec<Node>> {
    let mut nodes = Vec::new();
    for place in [Place::Library, Place::Trash] {
        let filter = GalleryFilter { place, ..GalleryFilter::default() };
        let mut after = None;
        loop {
            let page = store.gallery(&filter, after.as_ref(), 500)?;
            nodes.extend(page.nodes);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    Ok(nodes)
}
