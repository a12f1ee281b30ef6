//! The judge of the pocket model: reads an image of coloured shapes from its
//! pixels alone, and says whether it is what was asked for.
//!
//! It belongs to the tests. It knows nothing of models, and takes nobody's word
//! for what an image shows: [`Reading::of`] finds the background and every
//! shape, and [`complaints`] holds what was found against what was wanted. It
//! judges only images of the pocket world, whose definitions it shares with
//! the training program (`assets/pocket/world.json`).
//!
//! Read [`Reading`] first, then [`wanted`](self) for what counts as right.

#![warn(missing_docs)]

mod case;
mod draw;
mod error;
mod mask;
mod outline;
mod plan;
mod reading;
mod segment;
mod shape;
mod wanted;
mod world;

pub use case::{Case, Input, open_cases};
pub use draw::{DrawnThing, Scene, draw};
pub use error::{Error, Result};
pub use plan::read_plan;
pub use reading::{Ground, Reading, Thing};
pub use shape::Shape;
pub use wanted::{
    Background, Change, Fact, Facts, Parts, Relation, Request, Side, complaints, edit_complaints, parts,
    plan_complaints,
};
pub use world::{Colour, Split, Words, World};
