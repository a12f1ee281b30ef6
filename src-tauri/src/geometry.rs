//! Position and size of the window, saved for the next start.
//!
//! Kept instead of tauri-plugin-window-state for two reasons. The plugin restores a position as soon as one pixel of the
//! window lies on a screen, so a title bar above a screen cannot be reached any more; and it writes to the system's
//! configuration folder, while everything of ours moves with the data folder.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tauri::{PhysicalPosition, PhysicalSize, WebviewWindow};

/// Pixels of a window that must be on a screen for a user to find and move it.
const MIN_VISIBLE: i32 = 80;

/// Position and size in physical pixels of the desktop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Geometry {
    x: i32,
    y: i32,
    width: u32,
    height: u32,
    is_maximized: bool,
}

/// A screen, in the same pixels.
type Screen = (PhysicalPosition<i32>, PhysicalSize<u32>);

impl Geometry {
    /// Reads what the last run saved.
    pub(crate) fn read(data_folder: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(file(data_folder)).ok()?).ok()
    }

    /// Measures a window; a maximized one keeps the geometry that it had before.
    pub(crate) fn measure(window: &WebviewWindow, before: Option<Self>) -> Option<Self> {
        let is_maximized = window.is_maximized().ok()?;
        if let Some(before) = before.filter(|_| is_maximized) {
            return Some(Self { is_maximized, ..before });
        }
        let (position, size) = (window.outer_position().ok()?, window.inner_size().ok()?);
        Some(Self { x: position.x, y: position.y, width: size.width, height: size.height, is_maximized })
    }

    /// Saves it. A failure is ignored: the next start then uses the default geometry.
    pub(crate) fn write(&self, data_folder: &Path) {
        if let Ok(bytes) = serde_json::to_vec(self) {
            let _ = durable::write_unsynced(&file(data_folder), &bytes);
        }
    }

    /// Moves and resizes a window, unless its screen was disconnected.
    pub(crate) fn apply(&self, window: &WebviewWindow) {
        let screens: Vec<Screen> = window
            .available_monitors()
            .unwrap_or_default()
            .iter()
            .map(|monitor| (*monitor.position(), *monitor.size()))
            .collect();
        if self.is_visible_on(&screens) {
            let _ = window.set_size(PhysicalSize::new(self.width, self.height));
            let _ = window.set_position(PhysicalPosition::new(self.x, self.y));
        }
        if self.is_maximized {
            let _ = window.maximize();
        }
    }

    fn is_visible_on(&self, screens: &[Screen]) -> bool {
        let (right, bottom) = (end(self.x, self.width), end(self.y, self.height));
        self.width >= 400
            && self.height >= 300
            && screens.iter().any(|(position, size)| {
                let overlap_x = right.min(end(position.x, size.width)) - self.x.max(position.x);
                // The title is at the top: a window whose top is above the screen cannot be moved.
                let is_title_visible =
                    self.y >= position.y - MIN_VISIBLE / 4 && self.y <= end(position.y, size.height) - MIN_VISIBLE;
                overlap_x >= MIN_VISIBLE && is_title_visible && bottom > position.y
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
    fn a_window_is_restored_only_where_its_title_can_be_reached() {
        let screens = [
            (PhysicalPosition::new(0, 0), PhysicalSize::new(1920, 1080)),
            (PhysicalPosition::new(1920, 0), PhysicalSize::new(1280, 1024)),
        ];
        let check = |x: i32, y: i32, width: u32, height: u32, expected: bool| {
            let geometry = Geometry { x, y, width, height, is_maximized: false };
            assert_eq!(geometry.is_visible_on(&screens), expected, "{geometry:?}");
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
