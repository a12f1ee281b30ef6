//! Writing an image.

use std::io::Cursor;
use std::path::Path;

use image::ImageEncoder;
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageError};
use image_webp::{ColorType as WebPColor, WebPEncoder};
use png::text_metadata::ITXtChunk;
use protocol::{Image, Recipe};

use crate::limits::MAX_TEXT_BYTES;
use crate::recipe::RECIPE_KEYWORD;
use crate::{Error, Format, Overwrite, Result, check_destination, write_bytes};

/// Quality of a JPEG when nobody says otherwise.
pub const DEFAULT_JPEG_QUALITY: u8 = 92;

/// Largest side of a WebP.
const WEBP_MAX_SIDE: u32 = 16_383;

/// Room for the label in a PNG's text, beside the recipe.
const LABEL_BYTES: usize = 4096;

/// Keyword of XMP in a PNG.
const XMP_KEYWORD: &str = "XML:com.adobe.xmp";

/// What XMP in a JPEG begins with.
const XMP_NAMESPACE: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";

/// The label that tells programs and people that a model made the image (IPTC digital source type).
const XMP: &str = concat!(
    "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>",
    "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">",
    "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">",
    "<rdf:Description rdf:about=\"\" xmlns:Iptc4xmpExt=\"http://iptc.org/std/Iptc4xmpExt/2008-02-29/\">",
    "<Iptc4xmpExt:DigitalSourceType>",
    "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
    "</Iptc4xmpExt:DigitalSourceType>",
    "</rdf:Description></rdf:RDF></x:xmpmeta>",
    "<?xpacket end=\"w\"?>"
);

/// A format with its settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Without loss, and the only one that carries the recipe.
    Png,
    /// Small and lossy.
    Jpeg {
        /// 1 to 100.
        quality: u8,
    },
    /// Without loss, smaller than PNG.
    WebP,
}

impl Encoding {
    /// The format that a name asks for by its extension, in any case.
    pub fn for_path(path: &Path) -> Result<Self> {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        match extension.to_ascii_lowercase().as_str() {
            "png" => Ok(Self::Png),
            "jpg" | "jpeg" => Ok(Self::Jpeg { quality: DEFAULT_JPEG_QUALITY }),
            "webp" => Ok(Self::WebP),
            _ => Err(Error::UnknownExtension { path: path.to_owned() }),
        }
    }

    fn format(self) -> Format {
        match self {
            Self::Png => Format::Png,
            Self::Jpeg { .. } => Format::Jpeg,
            Self::WebP => Format::WebP,
        }
    }
}

/// Writes an image in the format that the name asks for.
///
/// With a recipe the file is labelled as made by a model, and a PNG carries the
/// recipe itself. The name shows the whole file or what it showed before.
pub fn write(path: &Path, image: &Image, recipe: Option<&Recipe>, overwrite: Overwrite) -> Result<()> {
    write_as(path, image, Encoding::for_path(path)?, recipe, overwrite)
}

/// Writes a PNG, whatever the name says; see [`write()`].
pub fn write_png(path: &Path, image: &Image, recipe: Option<&Recipe>, overwrite: Overwrite) -> Result<()> {
    write_as(path, image, Encoding::Png, recipe, overwrite)
}

/// Writes a JPEG of a quality of 1 to 100, whatever the name says; see [`write()`].
pub fn write_jpeg(
    path: &Path,
    image: &Image,
    quality: u8,
    recipe: Option<&Recipe>,
    overwrite: Overwrite,
) -> Result<()> {
    write_as(path, image, Encoding::Jpeg { quality }, recipe, overwrite)
}

/// Writes a lossless WebP, whatever the name says; see [`write()`].
pub fn write_webp(path: &Path, image: &Image, recipe: Option<&Recipe>, overwrite: Overwrite) -> Result<()> {
    write_as(path, image, Encoding::WebP, recipe, overwrite)
}

fn write_as(
    path: &Path,
    image: &Image,
    encoding: Encoding,
    recipe: Option<&Recipe>,
    overwrite: Overwrite,
) -> Result<()> {
    check_destination(path, overwrite)?;
    write_bytes(path, &encode(path, image, encoding, recipe)?, overwrite)
}

/// The bytes of a file; `path` only names them in errors.
pub fn encode(path: &Path, image: &Image, encoding: Encoding, recipe: Option<&Recipe>) -> Result<Vec<u8>> {
    let format = encoding.format();
    let encoded = match encoding {
        Encoding::Png => {
            let json = recipe.map(Recipe::to_json);
            if let Some(size_bytes) = json.as_ref().map(String::len).filter(|n| n + LABEL_BYTES > MAX_TEXT_BYTES) {
                return Err(Error::RecipeTooLong { path: path.to_owned(), size_bytes });
            }
            encode_png(image, json).map_err(|error| error.to_string())
        }
        Encoding::Jpeg { quality } => {
            if !(1..=100).contains(&quality) {
                return Err(Error::Quality { quality });
            }
            encode_jpeg(image, quality, recipe.is_some()).map_err(|error| error.to_string())
        }
        Encoding::WebP => {
            let (width, height) = (image.width(), image.height());
            if width > WEBP_MAX_SIDE || height > WEBP_MAX_SIDE {
                return Err(Error::TooLargeToWrite { path: path.to_owned(), format, width, height });
            }
            encode_webp(image, recipe.is_some()).map_err(|error| error.to_string())
        }
    };
    encoded.map_err(|reason| Error::Encode { path: path.to_owned(), format, reason })
}

fn encode_png(image: &Image, recipe: Option<String>) -> std::result::Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, image.width(), image.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    if let Some(json) = recipe {
        writer.write_text_chunk(&ITXtChunk::new(RECIPE_KEYWORD, json))?;
        writer.write_text_chunk(&ITXtChunk::new(XMP_KEYWORD, XMP))?;
    }
    writer.write_image_data(image.rgb())?;
    writer.finish()?;
    Ok(bytes)
}

fn encode_jpeg(image: &Image, quality: u8, is_labelled: bool) -> std::result::Result<Vec<u8>, ImageError> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality).write_image(
        image.rgb(),
        image.width(),
        image.height(),
        ExtendedColorType::Rgb8,
    )?;
    if is_labelled {
        label_jpeg(&mut bytes);
    }
    Ok(bytes)
}

/// Puts the label behind the first segment, which says that the file is a JFIF.
fn label_jpeg(bytes: &mut Vec<u8>) {
    let n_first = match bytes.get(2..6) {
        Some([0xff, 0xe0, high, low]) => 2 + usize::from(u16::from_be_bytes([*high, *low])),
        _ => 0,
    };
    // The length counts itself, and the label is short by construction.
    let n_bytes = (2 + XMP_NAMESPACE.len() + XMP.len()) as u16;
    let segment = [&[0xff, 0xe1], n_bytes.to_be_bytes().as_slice(), XMP_NAMESPACE, XMP.as_bytes()].concat();
    bytes.splice(2 + n_first..2 + n_first, segment);
}

fn encode_webp(image: &Image, is_labelled: bool) -> std::result::Result<Vec<u8>, image_webp::EncodingError> {
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder = WebPEncoder::new(&mut bytes);
    if is_labelled {
        encoder.set_xmp_metadata(XMP.as_bytes().to_vec());
    }
    encoder.encode(image.rgb(), image.width(), image.height(), WebPColor::Rgb8)?;
    Ok(bytes.into_inner())
}
