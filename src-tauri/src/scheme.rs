//! Images for the web view: `image://localhost/image/<id>`, `/thumbnail/<id>`, `/preview/<id>`.
//!
//! An address holds an id and nothing else. What is not exactly one of the
//! three forms, or names nothing, is answered with 404.

use std::path::Path;
use std::sync::Arc;

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use protocol::{Image, NodeId, PreviewId};
use studio::{Rendition, Studio};
use tauri::UriSchemeResponder;
use tauri::http::{Request, Response, StatusCode};

/// The scheme's name.
pub(crate) const NAME: &str = "image";

/// What an address names.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Image(NodeId, Rendition),
    Preview(PreviewId),
}

/// Answers a request away from the window's thread.
pub(crate) fn answer(studio: Studio, request: &Request<Vec<u8>>, responder: UriSchemeResponder) {
    let wanted = parse(request.uri().path());
    tauri::async_runtime::spawn_blocking(move || {
        let found = wanted.and_then(|wanted| read(&studio, &wanted));
        responder.respond(respond(found));
    });
}

fn parse(path: &str) -> Option<Wanted> {
    let (kind, id) = path.strip_prefix('/')?.split_once('/')?;
    match kind {
        "image" => Some(Wanted::Image(id.parse().ok()?, Rendition::Full)),
        "thumbnail" => Some(Wanted::Image(id.parse().ok()?, Rendition::Thumbnail)),
        "preview" => Some(Wanted::Preview(id.parse().ok()?)),
        _ => None,
    }
}

/// The bytes with their type, which is one of three whatever the file says of itself.
fn read(studio: &Studio, wanted: &Wanted) -> Option<(Vec<u8>, &'static str)> {
    match wanted {
        Wanted::Image(id, rendition) => {
            let path = studio.path(*id, *rendition).ok()?;
            let content_type = content_type(&path)?;
            Some((std::fs::read(path).ok()?, content_type))
        }
        Wanted::Preview(id) => Some((encode(&studio.preview(*id)?)?, "image/png")),
    }
}

fn content_type(path: &Path) -> Option<&'static str> {
    match path.extension()?.to_str()? {
        "png" => Some("image/png"),
        "jpg" | "jpeg" => Some("image/jpeg"),
        "webp" => Some("image/webp"),
        _ => None,
    }
}

/// As fast as a PNG can be: it is looked at once.
fn encode(image: &Arc<Image>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::NoFilter)
        .write_image(image.rgb(), image.width(), image.height(), ExtendedColorType::Rgb8)
        .ok()?;
    Some(bytes)
}

fn respond(found: Option<(Vec<u8>, &'static str)>) -> Response<Vec<u8>> {
    let status = if found.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
    // What an id names never changes.
    let caching = if found.is_some() { "private, max-age=31536000, immutable" } else { "no-store" };
    let (bytes, content_type) = found.unwrap_or((Vec::new(), "image/png"));
    let mut response = Response::new(bytes);
    *response.status_mut() = status;
    for (name, value) in [
        ("content-type", content_type),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'"),
        ("cache-control", caching),
    ] {
        response.headers_mut().insert(name, tauri::http::HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_one_image() {
        let id = NodeId::new();
        assert_eq!(parse(&format!("/image/{id}")), Some(Wanted::Image(id, Rendition::Full)));
        assert_eq!(parse(&format!("/thumbnail/{id}")), Some(Wanted::Image(id, Rendition::Thumbnail)));
    }

    #[test]
    fn whatever_is_not_an_id_names_nothing() {
        let id = NodeId::new();
        for path in [
            String::new(),
            "/".to_owned(),
            "/image".to_owned(),
            "/image/".to_owned(),
            "/image/../../etc/passwd".to_owned(),
            "/image/%2e%2e%2fetc".to_owned(),
            "/image/..%5C..".to_owned(),
            "/image/CON".to_owned(),
            format!("/image/{id}/"),
            format!("/image/{id}.png"),
            format!("//image/{id}"),
            format!("/Image/{id}"),
            format!("/image/{}", id.to_string().to_uppercase()),
            format!("/image/{id}\0"),
            format!("/library/{id}"),
        ] {
            assert_eq!(parse(&path), None, "{path}");
        }
    }

    #[test]
    fn no_strange_text_names_an_image() {
        let strange: Vec<String> = serde_json::from_str(include_str!("../tests/strange.json")).unwrap();
        let id = NodeId::new();
        for text in strange.iter().filter(|text| text.parse::<NodeId>().is_err()) {
            assert_eq!(parse(text), None, "{text:?}");
            for kind in ["image", "thumbnail", "preview"] {
                for path in [format!("/{kind}/{text}"), format!("/{kind}/{text}{id}x"), format!("/{kind}/{text}/{id}")]
                {
                    assert_eq!(parse(&path), None, "{path:?}");
                }
            }
        }
    }

    #[test]
    fn nothing_is_answered_with_404_and_a_fixed_type() {
        let response = respond(None);
        assert_eq!(response.status(), 404);
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        assert!(response.body().is_empty());
    }
}
