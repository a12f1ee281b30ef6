//! Where the window was, and how large, for the next start.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tauri::{PhysicalPosition, PhysicalSize, WebviewWindow};

/// Pixels of a window that must be on a screen for it to be found.
const SEEN: i32 = 80;

/// A window's place in the desktop's pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    x: i32,
    y: i32,
    width: u32,
    height: u32,
    is_maximized: bool,
}

/// A screen, in the same pixels.
type Screen = (PhysicalPosition<i32>, PhysicalSize<u32>);

impl Place {
    /// The place that was remembered.
    pub(crate) fn read(data_folder: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(file(data_folder)).ok()?).ok()
    }

    /// Where a window is now; a maximized one keeps the place that it had before.
    pub(crate) fn of(window: &WebviewWindow, before: Option<Self>) -> Option<Self> {
        let is_maximized = window.is_maximized().ok()?;
        if let Some(before) = before.filter(|_| is_maximized) {
            return Some(Self { is_maximized, ..before });
        }
        let (position, size) = (window.outer_position().ok()?, window.inner_size().ok()?);
        Some(Self { x: position.x, y: position.y, width: size.width, height: size.height, is_maximized })
    }

    /// Remembers it; that it was not possible is no reason to trouble anybody.
    pub(crate) fn write(&self, data_folder: &Path) {
        if let Ok(bytes) = serde_json::to_vec(self) {
            let _ = durable::write_unsynced(&file(data_folder), &bytes);
        }
    }

    /// Puts a window there, unless the screen is gone on which it was.
    pub(crate) fn apply(&self, window: &WebviewWindow) {
        let screens: Vec<Screen> = window
            .available_monitors()
            .unwrap_or_default()
            .iter()
            .map(|monitor| (*monitor.position(), *monitor.size()))
            .collect();
        if self.is_seen_on(&screens) {
            let _ = window.set_size(PhysicalSize::new(self.width, self.height));
            let _ = window.set_position(PhysicalPosition::new(self.x, self.y));
        }
        if self.is_maximized {
            let _ = window.maximize();
        }
    }

    fn is_seen_on(&self, screens: &[Screen]) -> bool {
        let (right, bottom) = (end(self.x, self.width), end(self.y, self.height));
        self.width >= 400
            && self.height >= 300
            && screens.iter().any(|(position, size)| {
                let overlap_x = right.min(end(position.x, size.width)) - self.x.max(position.x);
                // The title is at the top: a window whose top is above the screen cannot be moved.
                let is_top_seen = self.y >= position.y - SEEN / 4 && self.y <= end(position.y, size.height) - SEEN;
                overlap_x >= SEEN && is_top_seen && bottom > position.y
            })
    }
}

fn end(start: i32, length: u32) -> i32 {
    start.saturating_add(i32::try_from(length).unwrap_or(i32::MAX))
}

fn file(data_folder: &Path) -> PathBuf {
    data_folder.join("window.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_put_only_where_it_can_be_found() {
        let screens = [
            (PhysicalPosition::new(0, 0), PhysicalSize::new(1920, 1080)),
            (PhysicalPosition::new(1920, 0), PhysicalSize::new(1280, 1024)),
        ];
        let check = |x: i32, y: i32, width: u32, height: u32, expected: bool| {
            let place = Place { x, y, width, height, is_maximized: false };
            assert_eq!(place.is_seen_on(&screens), expected, "{place:?}");
        };
        check(100, 100, 1400, 900, true);
        check(2000, 100, 1200, 800, true);
        check(5000, 100, 1200, 800, false);
        check(-1390, 100, 1400, 900, false);
        check(100, -400, 1400, 900, false);
        check(100, 1070, 1400, 900, false);
        check(100, 100, 0, 0, false);
        check(i32::MAX, i32::MAX, u32::MAX, u32::MAX, false);
    }
}
