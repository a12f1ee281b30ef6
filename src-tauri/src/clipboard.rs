//! Pictures to the system's clipboard.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use arboard::ImageData;
use protocol::{ErrorCode, Failure, Picture};

/// The clipboard, open from the first picture on: on some systems what was copied lives only as long as it.
#[derive(Clone, Default)]
pub(crate) struct Clipboard(Arc<Mutex<Option<arboard::Clipboard>>>);

impl Clipboard {
    /// Puts a picture there.
    pub(crate) async fn put(&self, picture: Picture) -> Result<(), Failure> {
        let clipboard = Arc::clone(&self.0);
        let put = tauri::async_runtime::spawn_blocking(move || put(&clipboard, &picture));
        put.await.unwrap_or_else(|_panic| Err(refused("it gave no answer")))
    }
}

fn put(clipboard: &Mutex<Option<arboard::Clipboard>>, picture: &Picture) -> Result<(), Failure> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let rgba: Vec<u8> = picture.rgb().chunks_exact(3).flat_map(|pixel| [pixel[0], pixel[1], pixel[2], 255]).collect();
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
    let message = format!("the clipboard did not take the picture ({reason}); export it instead");
    Failure { code: ErrorCode::Internal, message }
}
