//! Images on their way out of the library, without what only the library needs to know.

use std::fs;
use std::path::{Path, PathBuf};

use imagefile::recipe::RECIPE_KEYWORD;
use imagefile::{DEFAULT_JPEG_QUALITY, Encoding, Format, Overwrite, write_bytes};
use protocol::{ExportFormat, Node, NodeId};
use unicode_normalization::UnicodeNormalization;

use crate::sidecar::KEYWORD;
use crate::table::{image, node, recipe};
use crate::{Error, Result, Store};

/// Longest name of an exported file without its extension, in characters and in bytes.
const MAX_NAME: usize = 80;
const MAX_NAME_BYTES: usize = 200;

impl Store {
    /// Writes an image to where the artist wants it; a file of that name is replaced.
    pub fn export(&self, id: NodeId, format: ExportFormat, destination: &Path) -> Result<()> {
        self.refuse_inside(destination)?;
        let (_, bytes) = self.encode_export(id, format, destination)?;
        write_bytes(destination, &bytes, Overwrite::Replace).map_err(Error::placing(destination, bytes.len()))
    }

    /// Writes images into a folder under names made from theirs; nothing that is there is replaced.
    ///
    /// Gives back the files in the order of the images. When it fails, those before the one named stay.
    pub fn export_many(&self, ids: &[NodeId], format: ExportFormat, folder: &Path) -> Result<Vec<PathBuf>> {
        self.refuse_inside(&folder.join("x"))?;
        ids.iter().map(|id| self.export_beside(*id, format, folder)).collect()
    }

    fn export_beside(&self, id: NodeId, format: ExportFormat, folder: &Path) -> Result<PathBuf> {
        let (node, bytes) = self.encode_export(id, format, folder)?;
        let name = file_name(node.name.as_deref().unwrap_or(&node.prompt));
        let mut number = 1;
        loop {
            let name = if number == 1 { name.clone() } else { format!("{name} ({number})") };
            let path = folder.join(format!("{name}.{}", extension(format)));
            match write_bytes(&path, &bytes, Overwrite::Refuse) {
                Ok(()) => return Ok(path),
                // A link counts as taken, wherever it leads.
                Err(imagefile::Error::Exists { .. } | imagefile::Error::NotReplaceable { .. }) => number += 1,
                Err(error) => return Err(Error::placing(&path, bytes.len())(error)),
            }
        }
    }

    /// The bytes of an image as they leave the library.
    pub(crate) fn encode_export(
        &self,
        id: NodeId,
        format: ExportFormat,
        destination: &Path,
    ) -> Result<(Node, Vec<u8>)> {
        let (node, file, recipe) = self.read(|db| {
            let node = node::get(db, id)?.ok_or(Error::NoNode(id))?;
            let key = node::key(db, id)?.ok_or(Error::NoNode(id))?;
            let file = image::find_by_node(db, &id.to_string())?.ok_or(Error::NoNode(id))?;
            Ok((node, file, recipe::find_by_node(db, key.seq)?))
        })?;
        let path = self.file_path(&file.path());
        let stored = imagefile::read_file(&path)?;
        let is_damaged =
            || Error::disk("export", &path)(std::io::Error::other("it is damaged; take it from a backup of your disk"));
        // Where the file is of the right kind already its pixels are not touched.
        let bytes = match (format, file.format.0) {
            (ExportFormat::Png, Format::Png) => imagefile::without_text(&stored, KEYWORD).ok_or_else(is_damaged)?,
            (ExportFormat::PngPlain, Format::Png) => imagefile::without_text(&stored, KEYWORD)
                .and_then(|png| imagefile::without_text(&png, RECIPE_KEYWORD))
                .ok_or_else(is_damaged)?,
            (ExportFormat::Jpeg, Format::Jpeg) | (ExportFormat::Webp, Format::WebP) => stored,
            (format, _) => {
                let encoding = match format {
                    ExportFormat::Png | ExportFormat::PngPlain => Encoding::Png,
                    ExportFormat::Jpeg => Encoding::Jpeg { quality: DEFAULT_JPEG_QUALITY },
                    ExportFormat::Webp => Encoding::WebP,
                };
                let image = imagefile::read_bytes(&path, &stored)?.image;
                imagefile::encode(destination, &image, encoding, recipe.as_ref())?
            }
        };
        Ok((node, bytes))
    }

    /// Refuses to write among the library's own files.
    pub(crate) fn refuse_inside(&self, destination: &Path) -> Result<()> {
        let folder = destination.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let real = |path: &Path| fs::canonicalize(path).ok();
        match (real(folder), real(&self.folder)) {
            (Some(folder), Some(library)) if folder.starts_with(&library) => {
                Err(Error::InsideLibrary { path: destination.to_owned() })
            }
            _ => Ok(()),
        }
    }
}

fn extension(format: ExportFormat) -> &'static str {
    match format {
        ExportFormat::Png | ExportFormat::PngPlain => "png",
        ExportFormat::Jpeg => "jpg",
        ExportFormat::Webp => "webp",
    }
}

/// A text as the name of a file that every system takes, without an extension.
///
/// Only its first line is used; what is left of nothing is called `image`.
#[must_use]
pub fn file_name(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let stem = match Path::new(line).extension().and_then(|extension| extension.to_str()) {
        Some(extension) if matches!(extension.to_ascii_lowercase().as_str(), "png" | "jpg" | "jpeg" | "webp") => {
            line.get(..line.len() - extension.len() - 1).unwrap_or(line)
        }
        _ => line,
    };
    let allowed = |c: char| match c {
        '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' => ' ',
        c if c.is_control() || is_invisible(c) => ' ',
        c => c,
    };
    let mut name = String::new();
    for c in stem.nfc().map(allowed) {
        if name.len() + c.len_utf8() > MAX_NAME_BYTES || name.chars().count() >= MAX_NAME {
            break;
        }
        if !(c == ' ' && name.ends_with(' ')) {
            name.push(c);
        }
    }
    // Windows drops dots and spaces at the end; a dot at the start hides the file elsewhere.
    let name = name.trim_matches([' ', '.']);
    let device = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let is_number = |rest: &str| matches!(rest.chars().collect::<Vec<_>>().as_slice(), ['0'..='9' | '¹' | '²' | '³']);
    let is_numbered = |prefix| device.strip_prefix(prefix).is_some_and(is_number);
    if matches!(device.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$")
        || is_numbered("COM")
        || is_numbered("LPT")
    {
        return format!("_{name}");
    }
    if name.is_empty() { "image".to_owned() } else { name.to_owned() }
}

/// Whether a character cannot be seen in a name, or reorders what stands around it.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_by_every_system() {
        let check = |text: &str, expected: &str| assert_eq!(file_name(text), expected, "{text:?}");
        check("A red fox in the snow", "A red fox in the snow");
        check("photo.JPEG", "photo");
        check("v1.2 of it", "v1.2 of it");
        check("../../etc/passwd", "etc passwd");
        check("..\\..\\x", "x");
        check("C:\\Windows\\x.png", "C Windows x");
        check("con", "_con");
        check("COM1.txt", "_COM1.txt");
        check("COM¹", "_COM¹");
        check("comet", "comet");
        check("comb", "comb");
        check("trailing. . ", "trailing");
        check(".hidden", "hidden");
        check("a\u{202e}gnp.exe", "a gnp.exe");
        check("first\nsecond", "first");
        check("a\0b\u{1b}[31m", "a b [31m");
        check("", "image");
        check("///", "image");
        check("画：一只猫 🦊", "画：一只猫 🦊");
        check("e\u{301}", "é");
        check(&"画".repeat(500), &"画".repeat(66));
        check(&"x".repeat(500), &"x".repeat(80));
    }
}
