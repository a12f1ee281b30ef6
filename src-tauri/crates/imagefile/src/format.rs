//! What a file is, by its first bytes and never by its name.

use std::fmt;

/// A format that is read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Portable Network Graphics.
    Png,
    /// JPEG, baseline or progressive.
    Jpeg,
    /// WebP, lossy or lossless.
    WebP,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::WebP => "WebP",
        })
    }
}

/// What the first bytes of a file say that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sniffed {
    /// One of ours.
    Known(Format),
    /// Something else that has a name, with its article.
    Foreign(&'static str),
    /// Nothing that is known.
    Unknown,
}

/// Recognizes a file by its first bytes.
pub(crate) fn sniff(bytes: &[u8]) -> Sniffed {
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    let at = |offset: usize, magic: &[u8]| bytes.get(offset..).is_some_and(|rest| rest.starts_with(magic));

    if starts(b"\x89PNG\r\n\x1a\n") {
        return Sniffed::Known(Format::Png);
    }
    if starts(b"\xff\xd8\xff") {
        return Sniffed::Known(Format::Jpeg);
    }
    if starts(b"RIFF") && at(8, b"WEBP") {
        return Sniffed::Known(Format::WebP);
    }

    let foreign: [(bool, &'static str); 15] = [
        (starts(b"GIF8"), "a GIF"),
        (starts(b"BM"), "a BMP"),
        (starts(b"II*\0") || starts(b"MM\0*"), "a TIFF or a camera's raw file"),
        (at(4, b"ftypavif") || at(4, b"ftypavis"), "an AVIF"),
        (at(4, b"ftyphei") || at(4, b"ftypmif1") || at(4, b"ftyphev"), "a HEIC"),
        (at(4, b"ftyp"), "a video"),
        (starts(b"\xff\x0a") || at(4, b"JXL \r\n"), "a JPEG XL"),
        (starts(b"8BPS"), "a Photoshop document"),
        (starts(b"%PDF"), "a PDF"),
        (starts(b"PK\x03\x04") || starts(b"PK\x05\x06"), "a ZIP archive"),
        (starts(b"\x1f\x8b"), "a gzip archive"),
        (starts(b"GGUF"), "a file of weights"),
        // Protocols 2 to 5; such a file could run code in a program that loads it.
        (matches!(bytes, [0x80, 2..=5, ..]), "a Python pickle"),
        (is_markup(bytes, &["<svg", "<?xml"]), "an SVG or XML document"),
        (is_markup(bytes, &["<!doctype", "<html", "<head", "<body", "<script", "<!--"]), "an HTML page"),
    ];
    foreign.iter().find(|(matches, _)| *matches).map_or(Sniffed::Unknown, |(_, name)| Sniffed::Foreign(name))
}

/// Whether a text begins with one of `tags`, written in lower case here and in any case there.
fn is_markup(bytes: &[u8], tags: &[&str]) -> bool {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    tags.iter().any(|tag| text.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_decide() {
        let check = |bytes: &[u8], expected| assert_eq!(sniff(bytes), expected, "{bytes:?}");
        check(b"\x89PNG\r\n\x1a\n....", Sniffed::Known(Format::Png));
        check(b"\xff\xd8\xff\xe0", Sniffed::Known(Format::Jpeg));
        check(b"RIFF\x10\0\0\0WEBPVP8 ", Sniffed::Known(Format::WebP));
        check(b"RIFF\x10\0\0\0WAVEfmt ", Sniffed::Unknown);
        check(b"GIF89a=1;/*", Sniffed::Foreign("a GIF"));
        check(b"\xef\xbb\xbf \n<SVG xmlns", Sniffed::Foreign("an SVG or XML document"));
        check(b"<!DOCTYPE html>", Sniffed::Foreign("an HTML page"));
        check(b"\x80\x04\x95", Sniffed::Foreign("a Python pickle"));
        check(b"\0\0\0\x1cftypavif", Sniffed::Foreign("an AVIF"));
        check(b"\0\0\0\x1cftypheic", Sniffed::Foreign("a HEIC"));
        check(b"hello", Sniffed::Unknown);
        check(b"", Sniffed::Unknown);
    }
}
