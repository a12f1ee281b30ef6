//! What the pocket world consists of: the same file that the training program reads.

use serde::{Deserialize, Serialize};

use crate::shape::Shape;
use crate::{Error, Result};

const DEFINED: &str = include_str!("../../../../assets/pocket/world.json");

/// How a background is divided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Split {
    /// One colour everywhere.
    #[default]
    #[serde(rename = "")]
    Plain,
    /// The first colour above, the second below.
    #[serde(rename = "rows")]
    Rows,
    /// The first colour on the left, the second on the right.
    #[serde(rename = "columns")]
    Columns,
}

/// A colour that has a name.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Colour {
    /// Its name.
    pub name: String,
    /// Its ordinary shade.
    pub rgb: [f32; 3],
}

/// The shapes, colours, sizes and places that images of a world may have.
#[derive(Clone, Debug, PartialEq)]
pub struct World {
    /// The shapes in use.
    pub shapes: Vec<Shape>,
    /// The colours in use.
    pub colours: Vec<Colour>,
    /// Names of the sizes, and their radii as parts of the shorter side.
    pub sizes: Vec<(String, f32)>,
    /// Centres of the three columns and rows as parts of width and height.
    pub thirds: [f32; 3],
    /// Most things in an image.
    pub max_things: usize,
    /// How the model says all this, language by language.
    pub words: Vec<Words>,
}

/// The words of plans and answers in one language; its lists are those of the whole world.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Words {
    /// Names of the shapes.
    pub shapes: Vec<String>,
    /// Names of the colours.
    pub colours: Vec<String>,
    /// Names of the sizes.
    pub sizes: Vec<String>,
    /// Names of the nine places.
    pub places: Vec<String>,
    /// How a plan begins, and what it then speaks of.
    pub needs: (String, String),
    /// What is said of a background that is divided across.
    pub rows: (String, String),
    /// What is said of a background that is divided down.
    pub columns: (String, String),
}

#[derive(Deserialize)]
struct Defined {
    shapes: Vec<String>,
    colours: Vec<Colour>,
    sizes: Vec<DefinedSize>,
    thirds: [f32; 3],
    words: std::collections::BTreeMap<String, Words>,
    worlds: std::collections::BTreeMap<String, DefinedWorld>,
}

#[derive(Deserialize)]
struct DefinedSize {
    name: String,
    radius: f32,
}

#[derive(Deserialize)]
struct DefinedWorld {
    shapes: usize,
    colours: usize,
    things: usize,
}

impl World {
    /// A world by its name in world.json: `pocket` is the whole of it, `small` its first part.
    ///
    /// # Errors
    /// [`Error::World`] when there is no such world, or a shape that nobody can draw.
    pub fn named(name: &str) -> Result<Self> {
        let defined: Defined = serde_json::from_str(DEFINED).map_err(|error| Error::World(error.to_string()))?;
        let part = defined.worlds.get(name).ok_or_else(|| Error::World(format!("there is no world {name}")))?;
        let shapes =
            defined.shapes.iter().take(part.shapes).map(|name| {
                Shape::named(name).ok_or_else(|| Error::World(format!("nobody can draw the shape {name}")))
            });
        Ok(Self {
            shapes: shapes.collect::<Result<_>>()?,
            colours: defined.colours.into_iter().take(part.colours).collect(),
            sizes: defined.sizes.into_iter().map(|size| (size.name, size.radius)).collect(),
            thirds: defined.thirds,
            max_things: part.things,
            words: defined.words.into_values().collect(),
        })
    }

    /// The number of the colour nearest to a pixel.
    pub(crate) fn nearest_colour(&self, rgb: [f32; 3]) -> usize {
        nearest(self.colours.iter().map(|colour| distance(colour.rgb, rgb)))
    }

    /// The size whose radius is nearest by ratio.
    pub(crate) fn nearest_size(&self, radius: f32) -> usize {
        nearest(self.sizes.iter().map(|(_, size)| (radius / size).ln().abs()))
    }

    /// The place, 0 to 8 row by row, whose centre is nearest to a point.
    pub(crate) fn nearest_place(&self, x: f32, y: f32) -> usize {
        let third = |at: f32| nearest(self.thirds.iter().map(|centre| (centre - at).abs()));
        third(y) * 3 + third(x)
    }
}

/// The position of the smallest number.
pub(crate) fn nearest(distances: impl Iterator<Item = f32>) -> usize {
    distances.enumerate().min_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(index, _)| index)
}

/// How far two colours are apart, 0 to 441.
pub(crate) fn distance(a: [f32; 3], b: [f32; 3]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_world_has_eight_shapes_and_ten_colours_that_stand_apart() {
        let world = World::named("pocket").expect("a world");
        assert_eq!((world.shapes.len(), world.colours.len(), world.max_things), (8, 10, 3));
        for (index, colour) in world.colours.iter().enumerate() {
            assert_eq!(world.nearest_colour(colour.rgb), index);
            for other in &world.colours[index + 1..] {
                assert!(distance(colour.rgb, other.rgb) > 60.0, "{} and {}", colour.name, other.name);
            }
        }
    }

    #[test]
    fn a_world_that_is_not_defined_is_refused_by_name() {
        assert!(World::named("large").unwrap_err().to_string().contains("large"));
    }

    #[test]
    fn places_are_numbered_row_by_row() {
        let world = World::named("small").expect("a world");
        assert_eq!(
            [(0.2, 0.2), (0.8, 0.2), (0.5, 0.5), (0.25, 0.8)].map(|(x, y)| world.nearest_place(x, y)),
            [0, 2, 4, 6]
        );
    }
}
