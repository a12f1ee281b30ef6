//! Reading the history, and the artist's words and marks in it.

use std::path::PathBuf;

use imagefile::Recipe;
use protocol::{Node, NodeId, Piece, PieceContents, PieceId, Turn, TurnId};
use rusqlite::Transaction;

use crate::table::{image, node, piece, recipe, search, tag, turn};
use crate::{Error, Result, Store};

/// Longest name, in characters.
const MAX_NAME: usize = 200;

/// Longest tag, in characters.
const MAX_TAG: usize = 64;

impl Store {
    /// A piece with everything in it.
    pub fn piece(&self, id: PieceId) -> Result<PieceContents> {
        self.read(|db| {
            let piece = piece::get(db, id)?.ok_or(Error::NoPiece(id))?;
            let seq = piece::seq(db, id)?.ok_or(Error::NoPiece(id))?;
            Ok(PieceContents { piece, nodes: node::of_piece(db, seq)?, turns: turn::of_piece(db, seq)? })
        })
    }

    /// A piece as lists show it.
    pub fn piece_summary(&self, id: PieceId) -> Result<Piece> {
        self.read(|db| piece::get(db, id)?.ok_or(Error::NoPiece(id)))
    }

    /// The conversation of a piece, oldest first; empty for a piece that has not begun.
    pub fn turns(&self, id: PieceId) -> Result<Vec<Turn>> {
        self.read(|db| match piece::seq(db, id)? {
            Some(seq) => turn::of_piece(db, seq),
            None => Ok(Vec::new()),
        })
    }

    /// One picture.
    pub fn node(&self, id: NodeId) -> Result<Node> {
        self.read(|db| node::get(db, id)?.ok_or(Error::NoNode(id)))
    }

    /// How a picture was made, if that is known.
    pub fn recipe(&self, id: NodeId) -> Result<Option<Recipe>> {
        self.read(|db| {
            let standing = node::standing(db, id)?.ok_or(Error::NoNode(id))?;
            recipe::of_node(db, standing.seq)
        })
    }

    /// Where the file of a picture lies: a PNG, JPEG or WebP, by its extension. It never changes; do not write to it.
    pub fn path(&self, id: NodeId) -> Result<PathBuf> {
        let file = self.read(|db| image::of_node(db, &id.to_string())?.ok_or(Error::NoNode(id)))?;
        Ok(self.file(&file.path()))
    }

    /// A picture of the library that shows what has this [`imagefile::picture_hash`], such as the input of a recipe.
    pub fn showing(&self, picture_hash: &str) -> Result<Option<NodeId>> {
        self.read(|db| node::showing(db, picture_hash))
    }

    /// Names a piece; without a name it is called after what it began with.
    pub fn rename_piece(&self, id: PieceId, name: Option<&str>) -> Result<Piece> {
        let name = clean_name(name)?;
        self.write(|tx, _files| {
            let seq = piece::seq(tx, id)?.ok_or(Error::NoPiece(id))?;
            piece::rename(tx, seq, name.as_deref())?;
            for node in node::seqs_of_piece(tx, seq)? {
                search::reindex(tx, node)?;
            }
            piece::get(tx, id)?.ok_or(Error::NoPiece(id))
        })
    }

    /// Names a picture, or takes its name away.
    pub fn rename_node(&self, id: NodeId, name: Option<&str>) -> Result<Node> {
        let name = clean_name(name)?;
        self.write(|tx, _files| {
            change(tx, id, |seq| {
                node::rename(tx, seq, name.as_deref())?;
                search::reindex(tx, seq)
            })
        })
    }

    /// Gives pictures exactly these tags.
    pub fn set_tags(&self, ids: &[NodeId], tags: &[String]) -> Result<Vec<Node>> {
        let tags = clean_tags(tags)?;
        self.change_each(ids, |tx, seq| {
            tag::set(tx, seq, &tags)?;
            search::reindex(tx, seq)
        })
    }

    /// Adds tags to pictures and takes others away; the rest stay.
    pub fn change_tags(&self, ids: &[NodeId], added: &[String], removed: &[String]) -> Result<Vec<Node>> {
        let (added, removed) = (clean_tags(added)?, clean_tags(removed)?);
        self.change_each(ids, |tx, seq| {
            tag::add(tx, seq, &added)?;
            tag::remove(tx, seq, &removed)?;
            search::reindex(tx, seq)
        })
    }

    /// Gives pictures a star or takes it away.
    pub fn set_starred(&self, ids: &[NodeId], starred: bool) -> Result<Vec<Node>> {
        self.change_each(ids, |tx, seq| node::set_starred(tx, seq, starred))
    }

    /// Leaves questions with their answers and pictures out of what the model reads, or takes them in again.
    ///
    /// Gives back the pieces whose conversations changed, with the questions as they are then.
    pub fn set_left_out(&self, ids: &[TurnId], left_out: bool) -> Result<Vec<(PieceId, Vec<Turn>)>> {
        self.write(|tx, _files| {
            let mut pieces = Vec::new();
            for id in ids {
                let piece = turn::set_left_out(tx, *id, left_out)?.ok_or(Error::NoTurn(*id))?;
                if !pieces.contains(&piece) {
                    pieces.push(piece);
                }
            }
            let changed = |piece: PieceId| {
                let seq = piece::seq(tx, piece)?.ok_or(Error::NoPiece(piece))?;
                let mut turns = turn::of_piece(tx, seq)?;
                turns.retain(|turn| ids.contains(&turn.id));
                Ok((piece, turns))
            };
            pieces.into_iter().map(changed).collect()
        })
    }

    /// Changes pictures, all of them or none, and gives them back as they are then.
    pub(crate) fn change_each(
        &self,
        ids: &[NodeId],
        each: impl Fn(&Transaction<'_>, i64) -> Result<()>,
    ) -> Result<Vec<Node>> {
        self.write(|tx, _files| ids.iter().map(|id| change(tx, *id, |seq| each(tx, seq))).collect())
    }
}

fn change(tx: &Transaction<'_>, id: NodeId, change: impl FnOnce(i64) -> Result<()>) -> Result<Node> {
    let standing = node::standing(tx, id)?.ok_or(Error::NoNode(id))?;
    change(standing.seq)?;
    node::get(tx, id)?.ok_or(Error::NoNode(id))
}

/// A name without the space around it; none at all when nothing is left.
pub(crate) fn clean_name(name: Option<&str>) -> Result<Option<String>> {
    clean(name.unwrap_or_default(), "the name", MAX_NAME)
}

/// Tags without the space around them, each once, sorted.
pub(crate) fn clean_tags(tags: &[String]) -> Result<Vec<String>> {
    let mut clean: Vec<String> =
        tags.iter().filter_map(|tag| clean(tag, "the tag", MAX_TAG).transpose()).collect::<Result<_>>()?;
    clean.sort();
    clean.dedup();
    Ok(clean)
}

fn clean(text: &str, what: &'static str, most: usize) -> Result<Option<String>> {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = line.trim();
    if line.chars().count() > most {
        return Err(Error::TooLong { what, most });
    }
    Ok((!line.is_empty()).then(|| line.to_owned()))
}
