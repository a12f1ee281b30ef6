//! Images to the system's clipboard, and from it where the web view shows none of what is there.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use arboard::ImageData;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use protocol::{ErrorCode, Failure, Image};

/// The clipboard, open from the first image on: on some systems what was copied lives only as long as it.
#[derive(Clone, Default)]
pub(crate) struct Clipboard(Arc<Mutex<Option<arboard::Clipboard>>>);

impl Clipboard {
    /// Puts an image there.
    pub(crate) async fn put(&self, image: Image) -> Result<(), Failure> {
        let clipboard = Arc::clone(&self.0);
        let put = tauri::async_runtime::spawn_blocking(move || put(&clipboard, &image));
        put.await.unwrap_or_else(|_panic| Err(refused("it gave no answer")))
    }

    /// The image that is there, as a PNG; nothing where there is none.
    ///
    /// WebKit on Linux tells a page of words and of files' names only.
    pub(crate) async fn take(&self) -> Option<Vec<u8>> {
        let clipboard = Arc::clone(&self.0);
        tauri::async_runtime::spawn_blocking(move || take(&clipboard)).await.ok().flatten()
    }
}

fn take(clipboard: &Mutex<Option<arboard::Clipboard>>) -> Option<Vec<u8>> {
    let mut open = clipboard.lock().unwrap_or_else(PoisonError::into_inner);
    if open.is_none() {
        *open = arboard::Clipboard::new().ok();
    }
    let found = open.as_mut()?.get_image();
    found.inspect_err(|error| tracing::debug!(%error, "no image is on the clipboard")).ok().and_then(|it| png(&it))
}

fn png(image: &ImageData<'_>) -> Option<Vec<u8>> {
    let (width, height) = (u32::try_from(image.width).ok()?, u32::try_from(image.height).ok()?);
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes).write_image(&image.bytes, width, height, ExtendedColorType::Rgba8).ok()?;
    Some(bytes)
}

fn put(clipboard: &Mutex<Option<arboard::Clipboard>>, image: &Image) -> Result<(), Failure> {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let rgba: Vec<u8> = image.rgb().chunks_exact(3).flat_map(|pixel| [pixel[0], pixel[1], pixel[2], 255]).collect();
    let mut open = clipboard.lock().unwrap_or_else(PoisonError::into_inner);
    let mut board = match open.take() {
        Some(board) => board,
        None => arboard::Clipboard::new().map_err(|error| refused(&error.to_string()))?,
    };
    let put = board.set_image(ImageData { width, height, bytes: Cow::Owned(rgba) });
    // One that failed is opened anew the next time.
    put.map_err(|error| refused(&error.to_string()))?;
    *open = Some(board);
    Ok(())
}

fn refused(reason: &str) -> Failure {
    let message = format!("the clipboard did not take the image ({reason}); export it instead");
    Failure { code: ErrorCode::Internal, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_image_of_the_clipboard_becomes_a_file_that_shows_the_same() {
        let rgba: Vec<u8> = (0..2 * 3 * 4).collect();
        let bytes = png(&ImageData { width: 2, height: 3, bytes: Cow::Owned(rgba.clone()) }).unwrap();
        let read = image::load_from_memory(&bytes).unwrap().into_rgba8();
        assert_eq!((read.width(), read.height(), read.into_raw()), (2, 3, rgba));
        assert_eq!(png(&ImageData { width: 0, height: 0, bytes: Cow::Borrowed(&[]) }), None);
    }
}
