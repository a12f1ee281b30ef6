//! Libraries in temporary folders, and pictures to put into them.

use std::path::PathBuf;

use imagefile::{Encoding, Recipe, RecipeInput, RecipeKind, RecipeModel, encode};
use protocol::{
    GalleryFilter, ImageParameters, Node, NodeId, Origin, Picture, PieceId, Size, TextParameters, Thinking,
};
use store::{Added, Imported, NewNode, Source, Store};
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

    /// Paints a picture from an instruction, as a new piece.
    pub(crate) fn create(&self, title: &str) -> Added {
        self.add(PieceId::new(), None, title)
    }

    /// Paints a picture from another.
    pub(crate) fn edit(&self, parent: &Node, title: &str) -> Added {
        self.add(parent.piece, Some(parent.id), title)
    }

    pub(crate) fn add(&self, piece: PieceId, parent: Option<NodeId>, title: &str) -> Added {
        let new = new_node(piece, parent, title);
        let picture = picture(title);
        self.store.add_result(&new, &picture, Some(&recipe(title, picture.size())), 1_000).unwrap()
    }

    pub(crate) fn import(&self, name: &str) -> Imported {
        self.store.import(Source::Bytes { name: name.to_owned(), bytes: png(name) }, None, 1_000).unwrap()
    }

    /// Titles of what a filter finds.
    pub(crate) fn find(&self, filter: &GalleryFilter) -> Vec<String> {
        let page = self.store.gallery(filter, None, 500).unwrap();
        assert_eq!(page.total, page.nodes.len() as u64);
        page.nodes.into_iter().map(|node| node.title).collect()
    }

    pub(crate) fn search(&self, text: &str) -> Vec<String> {
        let mut found = self.find(&GalleryFilter { text: text.to_owned(), ..GalleryFilter::default() });
        found.sort();
        found
    }

    /// Every file below the library's folder of pictures.
    pub(crate) fn image_files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for shard in std::fs::read_dir(self.folder.path().join("images")).unwrap() {
            files.extend(std::fs::read_dir(shard.unwrap().path()).unwrap().map(|entry| entry.unwrap().path()));
        }
        files.sort();
        files
    }
}

pub(crate) fn new_node(piece: PieceId, parent: Option<NodeId>, title: &str) -> NewNode {
    let origin = if parent.is_some() { Origin::Edited } else { Origin::Created };
    NewNode { parent, took_ms: Some(250), ..NewNode::new(piece, origin, title.to_owned()) }
}

/// A picture that differs with its text.
pub(crate) fn picture(text: &str) -> Picture {
    let hash = text.bytes().fold(7_u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(u32::from(byte)));
    let rgb = (0..24 * 16 * 3_u32).map(|idx| (hash.rotate_left(idx % 32).wrapping_add(idx)) as u8).collect();
    Picture::new(24, 16, rgb).unwrap()
}

pub(crate) fn png(text: &str) -> Vec<u8> {
    encode("a.png".as_ref(), &picture(text), Encoding::Png, None).unwrap()
}

pub(crate) fn recipe(instruction: &str, size: Size) -> Recipe {
    Recipe {
        version: imagefile::recipe::RECIPE_VERSION,
        request: RecipeKind::Generate,
        inputs: vec![RecipeInput::Text { text: instruction.to_owned() }],
        thinking: Thinking::Off,
        thought: Some(format!("plan for {instruction}")),
        parameters: ImageParameters { seed: Some(42), ..ImageParameters::default() },
        text: TextParameters::thought(),
        size,
        noise: None,
        model: RecipeModel { name: "pocket".to_owned(), hash: "00".repeat(32), quantization: "bf16".to_owned() },
        engine: "0.1.0".to_owned(),
    }
}
