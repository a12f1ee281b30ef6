//! What an image shows.

use protocol::Image;

use crate::mask::Mask;
use crate::outline::{Coverage, fits};
use crate::segment::{Labelled, Layout, along, background, bodies, misplaced};
use crate::shape::Shape;
use crate::world::{Split, World};

/// A thing that was found in an image; colour, size and place are numbers of the world's lists.
#[derive(Clone, Debug, PartialEq)]
pub struct Thing {
    /// Its shape; `None` when no outline fits.
    pub shape: Option<Shape>,
    /// Number of its colour.
    pub colour: usize,
    /// Number of its size.
    pub size: usize,
    /// Number of its place, row by row.
    pub place: usize,
    /// Its centre as a part of the width.
    pub x: f32,
    /// Its centre as a part of the height.
    pub y: f32,
    /// Its radius as a part of the shorter side.
    pub radius: f32,
    /// How well the outline fits, 0 to 1.
    pub likeness: f32,
}

/// The background that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Ground {
    /// How it is divided.
    pub split: Split,
    /// Numbers of its colours: one, or above and below, or left and right.
    pub colours: Vec<usize>,
    /// What these colours are on average.
    pub means: Vec<[f32; 3]>,
}

/// All that an image shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The background; `None` when it cannot be told.
    pub ground: Option<Ground>,
    /// The things, largest area first; empty without a background.
    pub things: Vec<Thing>,
}

// The worst fit of a true outline after blurring is above this, and of a wrong one mostly below.
const LEAST_LIKENESS: f32 = 0.8;
const MAX_MISPLACED: f32 = 0.04;

impl Reading {
    /// Reads an image with the eyes of a world: only its colours and shapes are looked for.
    pub fn of(image: &Image, world: &World) -> Self {
        let labelled = Labelled::of(image, world);
        let layout =
            background(&labelled, world.colours.len()).filter(|layout| misplaced(&labelled, layout) < MAX_MISPLACED);
        let Some(layout) = layout else { return Self { ground: None, things: Vec::new() } };
        let bodies = bodies(&labelled, &layout);
        let covered: Vec<Mask> = bodies.iter().map(|(_, body)| body.grown(3)).collect();
        let means = layout.labels.iter().enumerate().map(|(part, &label)| {
            let area = Mask::of(labelled.width, labelled.height, |x, y| {
                labelled.label(x, y) == Some(label)
                    && layout.part(x, y, labelled.width, labelled.height) == part
                    && !covered.iter().any(|body| body.has(x, y))
            });
            labelled.mean(&area)
        });
        let means: Vec<[f32; 3]> = means.collect();
        let measured: Vec<_> = world.shapes.iter().map(|&shape| (shape, shape.measures())).collect();
        let things = bodies.iter().enumerate().filter_map(|(number, (colour, body))| {
            let others = Mask::of(labelled.width, labelled.height, |x, y| {
                bodies.iter().enumerate().any(|(other, (_, area))| other != number && area.has(x, y))
            });
            let coverage = coverage(&labelled, &layout, &means, body, &others);
            let fit = *fits(&coverage, &measured).first()?;
            let (width, height) = (labelled.width as f32, labelled.height as f32);
            let (x, y, radius) = (fit.x / width, fit.y / height, fit.radius / width.min(height));
            Some(Thing {
                shape: (fit.likeness >= LEAST_LIKENESS).then_some(fit.shape),
                colour: *colour,
                size: world.nearest_size(radius),
                place: world.nearest_place(x, y),
                x,
                y,
                radius,
                likeness: fit.likeness,
            })
        });
        Self {
            things: things.collect(),
            ground: Some(Ground { split: layout.split, colours: layout.labels.clone(), means }),
        }
    }

    /// One line for people: what was found.
    pub fn describe(&self, world: &World) -> String {
        let colour = |index: usize| world.colours.get(index).map_or("?", |colour| colour.name.as_str());
        let Some(ground) = &self.ground else { return "no clear background".to_owned() };
        let things = self.things.iter().map(|thing| {
            let size = world.sizes.get(thing.size).map_or("?", |(name, _)| name);
            let shape = thing.shape.map_or("unclear shape", Shape::name);
            format!("{size} {} {shape} at place {}", colour(thing.colour), thing.place)
        });
        let grounds: Vec<&str> = ground.colours.iter().map(|&index| colour(index)).collect();
        format!("{} on {}", things.collect::<Vec<_>>().join(", "), grounds.join(" and "))
    }
}

/// How much of each pixel around a body is the body's and not the background's.
fn coverage(image: &Labelled, layout: &Layout, means: &[[f32; 3]], body: &Mask, others: &Mask) -> Coverage {
    let core = body.core();
    let colour = image.mean(if core.count() > 0 { &core } else { body });
    let near = body.grown(3);
    let (mut left, mut top, mut right, mut bottom) = (usize::MAX, usize::MAX, 0, 0);
    for (x, y) in near.iter() {
        (left, top, right, bottom) = (left.min(x), top.min(y), right.max(x), bottom.max(y));
    }
    let mut values = Vec::new();
    for y in top..=bottom {
        for x in left..=right {
            let part = layout.part(x, y, image.width, image.height);
            let ground = means.get(part).copied().unwrap_or_default();
            let is_own = near.has(x, y) && !others.has(x, y);
            values.push(if is_own { along(image.pixel(x, y), ground, colour) } else { 0.0 });
        }
    }
    Coverage { left, top, width: right - left + 1, values }
}
