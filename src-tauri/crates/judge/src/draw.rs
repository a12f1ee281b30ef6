//! Draws scenes as the training program does: the images that cases begin with, and the truth of the tests.

use protocol::Image;
use serde::Deserialize;

use crate::shape::Shape;
use crate::world::Split;
use crate::{Error, Result};

/// Everything that an image of the world shows, as numbers.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scene {
    /// Width and height in pixels.
    pub size: [u32; 2],
    /// One colour, or two for a divided background.
    pub background: Vec<[f32; 3]>,
    /// How the background is divided.
    pub split: Split,
    /// How much lighter the right side is than the left, and the bottom than the top.
    pub light: [f32; 2],
    /// Seed of the soft texture that lies over everything.
    pub texture: u64,
    /// The things, lowest first.
    pub things: Vec<DrawnThing>,
}

/// One thing of a scene.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrawnThing {
    /// Name of the shape.
    pub shape: String,
    /// Its colour.
    pub rgb: [f32; 3],
    /// Its centre as a part of the width.
    pub x: f32,
    /// Its centre as a part of the height.
    pub y: f32,
    /// Its radius as a part of the shorter side.
    pub radius: f32,
    /// How far it is turned, in radians.
    pub angle: f32,
}

const TEXTURE_SIDE: usize = 8;
const TEXTURE_DEVIATION: f32 = 2.5;
const MAX_PIXELS: u32 = 4096;

/// Draws a scene.
///
/// # Errors
/// [`Error::Scene`] when the size or the background makes no sense, and [`Error::World`] for a shape that does not exist.
pub fn draw(scene: &Scene) -> Result<Image> {
    let [width, height] = scene.size;
    let refused = || Error::Scene { width, height, n_backgrounds: scene.background.len() };
    let (Some(first), Some(second)) = (scene.background.first(), scene.background.last()) else {
        return Err(refused());
    };
    if width == 0 || height == 0 || width > MAX_PIXELS || height > MAX_PIXELS {
        return Err(refused());
    }
    let short = width.min(height) as f32;
    let texture = texture(scene.texture);
    let mut pixels = Vec::with_capacity(width as usize * height as usize * 3);
    let shapes = scene.things.iter().map(|thing| {
        Shape::named(&thing.shape).ok_or_else(|| Error::World(format!("nobody can draw the shape {}", thing.shape)))
    });
    let shapes = shapes.collect::<Result<Vec<_>>>()?;
    for row in 0..height {
        for column in 0..width {
            let (x, y) = ((column as f32 + 0.5) / width as f32, (row as f32 + 0.5) / height as f32);
            let beyond = match scene.split {
                Split::Plain => false,
                Split::Rows => y > 0.5,
                Split::Columns => x > 0.5,
            };
            let light = scene.light[0] * (x - 0.5) + scene.light[1] * (y - 0.5);
            let mut colour = (if beyond { second } else { first }).map(|value| value + light);
            for (thing, shape) in scene.things.iter().zip(&shapes) {
                let radius = thing.radius * short;
                let (dx, dy) = ((x - thing.x) * width as f32 / radius, (y - thing.y) * height as f32 / radius);
                let (sine, cosine) = thing.angle.sin_cos();
                let distance = shape.distance(dx * cosine + dy * sine, dy * cosine - dx * sine);
                let coverage = (0.5 - distance * radius).clamp(0.0, 1.0);
                for (value, over) in colour.iter_mut().zip(thing.rgb) {
                    *value += (over - *value) * coverage;
                }
            }
            let soft = sampled(&texture, x, y);
            pixels.extend(colour.map(|value| (value + soft).round().clamp(0.0, 255.0) as u8));
        }
    }
    Image::new(width, height, pixels).ok_or_else(refused)
}

fn texture(seed: u64) -> [[f32; TEXTURE_SIDE]; TEXTURE_SIDE] {
    let mut state = seed;
    let mut uniform = || {
        // SplitMix64: every seed, however small, gives numbers that look unrelated.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) >> 40) as f32 / (1u32 << 24) as f32
    };
    // Three uniform numbers have a variance of a quarter.
    std::array::from_fn(|_| {
        std::array::from_fn(|_| (uniform() + uniform() + uniform() - 1.5) * 2.0 * TEXTURE_DEVIATION)
    })
}

fn sampled(texture: &[[f32; TEXTURE_SIDE]; TEXTURE_SIDE], x: f32, y: f32) -> f32 {
    let last = TEXTURE_SIDE - 1;
    let place = |at: f32| {
        let at = (at * TEXTURE_SIDE as f32 - 0.5).clamp(0.0, last as f32);
        (at as usize, (at as usize + 1).min(last), at.fract())
    };
    let ((left, right, across), (top, bottom, down)) = (place(x), place(y));
    let at = |row: usize, column: usize| texture.get(row).and_then(|row| row.get(column)).copied().unwrap_or(0.0);
    let mix = |a: f32, b: f32, part: f32| a + (b - a) * part;
    mix(mix(at(top, left), at(top, right), across), mix(at(bottom, left), at(bottom, right), across), down)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene() -> Scene {
        let thing = DrawnThing {
            shape: "circle".to_owned(),
            rgb: [214.0, 40.0, 40.0],
            x: 0.5,
            y: 0.5,
            radius: 0.21,
            angle: 0.0,
        };
        Scene {
            size: [96, 64],
            background: vec![[42.0, 92.0, 212.0]],
            split: Split::Plain,
            light: [0.0; 2],
            texture: 3,
            things: vec![thing],
        }
    }

    #[test]
    fn things_lie_over_the_background_at_their_place() {
        let image = draw(&scene()).expect("drawn");
        let pixel = |x: usize, y: usize| &image.rgb()[(y * 96 + x) * 3..][..3];
        assert!(pixel(48, 32)[0] > 190 && pixel(2, 2)[2] > 190);
    }

    #[test]
    fn a_scene_without_a_background_and_an_unknown_shape_are_refused() {
        assert!(matches!(draw(&Scene { background: vec![], ..scene() }), Err(Error::Scene { .. })));
        let mut odd = scene();
        odd.things[0].shape = "blob".to_owned();
        assert!(draw(&odd).unwrap_err().to_string().contains("blob"));
    }
}
