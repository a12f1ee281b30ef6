//! Libraries in temporary folders, and images to put into them.

use std::path::PathBuf;

use imagefile::{Encoding, encode};
use protocol::{
    GalleryFilter, Image, ImageParameters, Kind, Node, NodeId, Origin, ProjectId, Recipe, RecipeInput, RecipeModel,
    Size, TextParameters, Thinking,
};
use store::{Added, ImportSource, ImportedImage, NewNode, Store};
use tempfile::TempDir;

/// A library in a folder that goes away with it.
pub(crate) struct Library {
    pub(crate) store: Store,
    pub(crate) folder: TempDir,
}

impl Library {
    pub(crate) fn new() -> Self {
        let folder = Self::outside();
        let store = Store::open(folder.path(), 1).unwrap().store;
        Self { store, folder }
    }

    /// A folder outside of the library; in memory where the system has a disk there, because libraries are synced
    /// often and hundreds of them are made.
    pub(crate) fn outside() -> TempDir {
        tempfile::tempdir_in("/dev/shm").or_else(|_none| tempfile::tempdir()).unwrap()
    }

    /// Ends as a crash would, without closing, and opens again.
    pub(crate) fn crash_and_reopen(self) -> (Self, store::Recovery) {
        let Self { store, folder } = self;
        drop(store);
        let opened = Store::open(folder.path(), 2).unwrap();
        (Self { store: opened.store, folder }, opened.recovery)
    }

    /// Closes and opens again.
    pub(crate) fn close_and_reopen(self) -> (Self, store::Recovery) {
        self.store.close(3).unwrap();
        self.crash_and_reopen()
    }

    /// Paints an image from an prompt, as a new project.
    pub(crate) fn create(&self, prompt: &str) -> Added {
        self.add(ProjectId::new(), None, prompt)
    }

    /// Paints an image from another.
    pub(crate) fn edit(&self, parent: &Node, prompt: &str) -> Added {
        self.add(parent.project, Some(parent.id), prompt)
    }

    pub(crate) fn add(&self, project: ProjectId, parent: Option<NodeId>, prompt: &str) -> Added {
        let new = new_node(project, parent, prompt);
        let image = image(prompt);
        self.store.add_result(&new, &image, Some(&recipe(prompt, image.size())), 1_000).unwrap()
    }

    pub(crate) fn import(&self, name: &str) -> ImportedImage {
        self.store.import(ImportSource::Bytes { name: name.to_owned(), bytes: png(name) }, None, 1_000).unwrap()
    }

    /// Titles of what a filter finds.
    pub(crate) fn find(&self, filter: &GalleryFilter) -> Vec<String> {
        let page = self.store.gallery(filter, None, 500).unwrap();
        assert_eq!(page.total, page.nodes.len() as u64);
        page.nodes.into_iter().map(|node| node.prompt).collect()
    }

    pub(crate) fn search(&self, text: &str) -> Vec<String> {
        let mut found = self.find(&GalleryFilter { text: text.to_owned(), ..GalleryFilter::default() });
        found.sort();
        found
    }

    /// Every file below the library's folder of images.
    pub(crate) fn image_files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for shard in std::fs::read_dir(self.folder.path().join("images")).unwrap() {
            files.extend(std::fs::read_dir(shard.unwrap().path()).unwrap().map(|entry| entry.unwrap().path()));
        }
        files.sort();
        files
    }
}

pub(crate) fn new_node(project: ProjectId, parent: Option<NodeId>, prompt: &str) -> NewNode {
    let origin = if parent.is_some() { Origin::Edit } else { Origin::Generate };
    NewNode { parent, took_ms: Some(250), ..NewNode::new(project, origin, prompt.to_owned()) }
}

/// An image that differs with its text.
pub(crate) fn image(text: &str) -> Image {
    let hash = text.bytes().fold(7_u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(u32::from(byte)));
    let rgb = (0..24 * 16 * 3_u32).map(|idx| (hash.rotate_left(idx % 32).wrapping_add(idx)) as u8).collect();
    Image::new(24, 16, rgb).unwrap()
}

pub(crate) fn png(text: &str) -> Vec<u8> {
    encode("a.png".as_ref(), &image(text), Encoding::Png, None).unwrap()
}

pub(crate) fn recipe(prompt: &str, size: Size) -> Recipe {
    Recipe {
        version: protocol::recipe::RECIPE_VERSION,
        kind: Kind::Generate,
        inputs: vec![RecipeInput::Text { text: prompt.to_owned() }],
        thinking: Thinking::Off,
        plan: Some(format!("plan for {prompt}")),
        parameters: ImageParameters { seed: Some(42), ..ImageParameters::default() },
        text: TextParameters::plan(),
        size,
        noise: None,
        model: RecipeModel { name: "pocket".to_owned(), hash: "00".repeat(32), quantization: "bf16".to_owned() },
        engine: "0.1.0".to_owned(),
    }
}
