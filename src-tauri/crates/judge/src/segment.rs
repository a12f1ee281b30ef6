//! Takes an image apart: the background, and the areas that are things.

use protocol::Image;

use crate::mask::{Mask, areas};
use crate::world::{Split, World, distance};

/// An image with the nearest colour of every pixel.
#[derive(Debug)]
pub(crate) struct Labelled {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) pixels: Vec<[f32; 3]>,
    pub(crate) labels: Vec<usize>,
}

impl Labelled {
    pub(crate) fn of(image: &Image, world: &World) -> Self {
        let pixels: Vec<[f32; 3]> = image.rgb().as_chunks::<3>().0.iter().map(|rgb| rgb.map(f32::from)).collect();
        let labels = pixels.iter().map(|&rgb| world.nearest_colour(rgb)).collect();
        Self { width: image.width() as usize, height: image.height() as usize, pixels, labels }
    }

    pub(crate) fn label(&self, x: usize, y: usize) -> Option<usize> {
        self.labels.get(y * self.width + x).copied()
    }

    pub(crate) fn pixel(&self, x: usize, y: usize) -> [f32; 3] {
        self.pixels.get(y * self.width + x).copied().unwrap_or_default()
    }

    pub(crate) fn mean(&self, area: &Mask) -> [f32; 3] {
        let n = area.count().max(1) as f32;
        let sum = area.iter().fold([0.0; 3], |sum: [f32; 3], (x, y)| {
            let pixel = self.pixel(x, y);
            std::array::from_fn(|i| sum[i] + pixel[i])
        });
        sum.map(|value| value / n)
    }
}

/// The background's colours, first and second, and how they lie.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Layout {
    pub(crate) split: Split,
    pub(crate) labels: Vec<usize>,
}

impl Layout {
    /// Which of the two colours belongs at a point.
    pub(crate) fn part(&self, x: usize, y: usize, width: usize, height: usize) -> usize {
        match self.split {
            Split::Plain => 0,
            Split::Rows => usize::from(2 * y >= height),
            Split::Columns => usize::from(2 * x >= width),
        }
    }
}

const RING_PIXELS: usize = 2;

/// The background as the outermost pixels tell it, corner by corner; `None` when they disagree.
pub(crate) fn background(image: &Labelled, n_colours: usize) -> Option<Layout> {
    let (width, height) = (image.width, image.height);
    let mut counts = [[0usize; 2]; 2].map(|row| row.map(|_| vec![0usize; n_colours]));
    for y in 0..height {
        for x in 0..width {
            let is_ring = x.min(y).min(width - 1 - x).min(height - 1 - y) < RING_PIXELS;
            if let (true, Some(label)) = (is_ring, image.label(x, y)) {
                counts[usize::from(2 * y >= height)][usize::from(2 * x >= width)][label] += 1;
            }
        }
    }
    let corner = |counts: &Vec<usize>| {
        let (label, most) = counts.iter().enumerate().max_by_key(|(_, n)| **n)?;
        (5 * most > 3 * counts.iter().sum::<usize>()).then_some(label)
    };
    let [[top_left, top_right], [bottom_left, bottom_right]] = &counts;
    let (a, b, c, d) = (corner(top_left)?, corner(top_right)?, corner(bottom_left)?, corner(bottom_right)?);
    match (a == b && c == d, a == c && b == d) {
        (true, true) => Some(Layout { split: Split::Plain, labels: vec![a] }),
        (true, false) => Some(Layout { split: Split::Rows, labels: vec![a, c] }),
        (false, true) => Some(Layout { split: Split::Columns, labels: vec![a, b] }),
        (false, false) => None,
    }
}

/// Part of the background whose colours lie on the wrong side of the middle.
pub(crate) fn misplaced(image: &Labelled, layout: &Layout) -> f32 {
    let (mut n_right, mut n_wrong) = (0u32, 0u32);
    for y in 0..image.height {
        for x in 0..image.width {
            let Some(at) = image.label(x, y).and_then(|label| layout.labels.iter().position(|&own| own == label))
            else {
                continue;
            };
            if at == layout.part(x, y, image.width, image.height) { n_right += 1 } else { n_wrong += 1 }
        }
    }
    n_wrong as f32 / (n_right + n_wrong).max(1) as f32
}

// A thing is at least this part of the shorter side's square; the smallest that are drawn have twice as much.
const LEAST_AREA: f32 = 0.004;
// Part of an area that is left without its outermost pixels; of the lines that blurred edges leave, next to nothing is.
const LEAST_CORE: f32 = 0.15;
// How far a blend of two colours may be from the straight line between them.
const BLEND: f32 = 32.0;

/// The areas that are neither background nor an edge's blend of two colours, with their colours.
pub(crate) fn bodies(image: &Labelled, layout: &Layout) -> Vec<(usize, Mask)> {
    let short = image.width.min(image.height) as f32;
    let mut kept: Vec<(usize, Mask)> = Vec::new();
    for (label, area) in areas(&image.labels, image.width) {
        let n = area.count() as f32;
        if n < LEAST_AREA * short * short {
            break;
        }
        if layout.labels.contains(&label) {
            continue;
        }
        let core = area.core();
        if (core.count() as f32) < LEAST_CORE * n || is_blend(image, layout, &area, &kept) {
            continue;
        }
        kept.push((label, area));
    }
    kept
}

/// Whether an area lies around a larger one and has colours between that one's and the background's.
fn is_blend(image: &Labelled, layout: &Layout, area: &Mask, larger: &[(usize, Mask)]) -> bool {
    let around = area.grown(1);
    // Only lines: nothing is left of them when two more pixels are taken off all around.
    if area.core().core().count() > 0 {
        return false;
    }
    let Some((_, neighbor)) = larger.iter().find(|(_, other)| around.meets(other)) else { return false };
    let colour = image.mean(&neighbor.core());
    let background = Mask::of(image.width, image.height, |x, y| {
        around.has(x, y) && image.label(x, y).is_some_and(|label| layout.labels.contains(&label))
    });
    let ground = image.mean(&background);
    background.count() > 0 && off_line(image.mean(area), colour, ground) < BLEND
}

/// How far a colour is from the straight line between two others.
fn off_line(colour: [f32; 3], from: [f32; 3], to: [f32; 3]) -> f32 {
    let part = along(colour, from, to);
    distance(colour, std::array::from_fn(|i| from[i] + (to[i] - from[i]) * part))
}

/// How far a colour lies on the way from one colour to another, 0 to 1.
pub(crate) fn along(colour: [f32; 3], from: [f32; 3], to: [f32; 3]) -> f32 {
    let dot = |a: [f32; 3], b: [f32; 3]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let minus = |a: [f32; 3], b: [f32; 3]| std::array::from_fn(|i| a[i] - b[i]);
    let way = minus(to, from);
    (dot(minus(colour, from), way) / dot(way, way).max(1e-3)).clamp(0.0, 1.0)
}
