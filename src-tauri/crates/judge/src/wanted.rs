//! What counts as right: a request, a plan, or an edit, held against what an image shows.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::reading::{Reading, Thing};
use crate::shape::Shape;
use crate::world::{Split, World, distance};

/// A thing that is asked for; what is absent may be anything.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Fact {
    /// Name of the shape.
    pub shape: String,
    /// Name of the colour.
    pub colour: String,
    /// Name of the size.
    pub size: Option<String>,
    /// Number of the place, row by row.
    pub place: Option<usize>,
    /// The exact centre as a part of the width, where it is known.
    pub x: Option<f32>,
    /// The exact centre as a part of the height, where it is known.
    pub y: Option<f32>,
    /// The exact radius as a part of the shorter side, where it is known.
    pub radius: Option<f32>,
}

/// A background by the names of its colours.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Background {
    /// One colour, or two.
    pub colours: Vec<String>,
    /// How it is divided.
    pub split: Split,
}

/// How one thing lies to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Higher.
    Above,
    /// Lower.
    Below,
    /// To the left.
    Left,
    /// To the right.
    Right,
    /// To the left or to the right.
    Beside,
}

/// That one thing lies to a side of another; numbers of [`Request::things`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Relation {
    /// The thing of which something is said.
    pub first: usize,
    /// Where it lies.
    pub relation: Side,
    /// As seen from this one.
    pub second: usize,
}

/// What a prompt asks for.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Request {
    /// Exactly these things.
    pub things: Vec<Fact>,
    /// How they lie to each other.
    #[serde(default)]
    pub relations: Vec<Relation>,
    /// The background, where the prompt names it.
    pub background: Option<Background>,
}

/// A whole scene in words.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Facts {
    /// All things.
    pub things: Vec<Fact>,
    /// The background.
    pub background: Background,
}

/// What an edit changes.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Change {
    /// The scene that is edited.
    pub before: Facts,
    /// The scene that is wanted.
    pub after: Facts,
}

/// What is wrong with an image that was asked for; empty when it is right.
pub fn complaints(request: &Request, found: &Reading, world: &World) -> Vec<String> {
    let mut wrong = Vec::new();
    if let Some(background) = &request.background {
        wrong.extend(background_complaint(background, found, world));
    } else if found.ground.is_none() {
        wrong.push("the background cannot be told".to_owned());
    }
    match assigned(&request.things, found, world) {
        Ok(things) => wrong.extend(request.relations.iter().filter_map(|relation| {
            let (one, two) = (things.get(relation.first)?, things.get(relation.second)?);
            (!lies(one, two, relation.relation))
                .then(|| format!("thing {} is not {:?} thing {}", relation.first, relation.relation, relation.second))
        })),
        Err(complaint) => wrong.push(complaint),
    }
    wrong
}

/// What is wrong with an image that follows a plan: the plan names everything.
pub fn plan_complaints(plan: &Facts, found: &Reading, world: &World) -> Vec<String> {
    let request =
        Request { things: plan.things.clone(), relations: Vec::new(), background: Some(plan.background.clone()) };
    complaints(&request, found, world)
}

/// Parts of a request that an image can have right while others are wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// The background is the wanted one; true when none was named and one can be told.
    pub background: bool,
    /// The things have the wanted colours and no others, whatever their shapes and number.
    pub colours: bool,
}

/// Which parts of a request an image has right.
pub fn parts(things: &[Fact], background: Option<&Background>, found: &Reading, world: &World) -> Parts {
    let names =
        found.things.iter().filter_map(|thing| world.colours.get(thing.colour)).map(|colour| colour.name.as_str());
    let wanted: BTreeSet<&str> = things.iter().map(|fact| fact.colour.as_str()).collect();
    Parts {
        background: found.ground.is_some()
            && background.is_none_or(|wanted| background_complaint(wanted, found, world).is_none()),
        colours: names.collect::<BTreeSet<_>>() == wanted,
    }
}

// What an edit does not name may move by about three pixels of 96, grow or shrink by a fifth, and change its shade a little.
const MAX_SHIFT: f32 = 0.035;
const MAX_GROWTH: f32 = 1.2;
const MAX_SHADE: f32 = 30.0;

/// What is wrong with an edited image: what was asked for is there, and what was not named stayed as it was.
pub fn edit_complaints(change: &Change, before: &Reading, found: &Reading, world: &World) -> Vec<String> {
    let mut wrong = Vec::new();
    wrong.extend(background_complaint(&change.after.background, found, world));
    if change.before.background == change.after.background {
        let means = |reading: &Reading| reading.ground.as_ref().map(|ground| ground.means.clone()).unwrap_or_default();
        let is_kept =
            means(before).into_iter().zip(means(found)).all(|(before, after)| distance(before, after) <= MAX_SHADE);
        if !is_kept {
            wrong.push("the background changed its shade".to_owned());
        }
    }
    match assigned(&change.after.things, found, world) {
        Err(complaint) => wrong.push(complaint),
        Ok(things) => {
            for (wanted, thing) in change.after.things.iter().zip(things) {
                let (true, Some(x), Some(y), Some(radius)) =
                    (change.before.things.contains(wanted), wanted.x, wanted.y, wanted.radius)
                else {
                    continue;
                };
                let growth = (thing.radius / radius).max(radius / thing.radius);
                if (thing.x - x).abs().max((thing.y - y).abs()) > MAX_SHIFT || growth > MAX_GROWTH {
                    wrong.push(format!("the {} {} did not stay as it was", wanted.colour, wanted.shape));
                }
            }
        }
    }
    wrong
}

fn background_complaint(wanted: &Background, found: &Reading, world: &World) -> Option<String> {
    let Some(ground) = &found.ground else { return Some("the background cannot be told".to_owned()) };
    let names: Vec<&str> = ground
        .colours
        .iter()
        .filter_map(|&index| world.colours.get(index))
        .map(|colour| colour.name.as_str())
        .collect();
    (ground.split != wanted.split || names != wanted.colours)
        .then(|| format!("the background is {}", names.join(" and ")))
}

/// The thing that was found for each that was wanted, if there are exactly these.
fn assigned<'a>(wanted: &[Fact], found: &'a Reading, world: &World) -> Result<Vec<&'a Thing>, String> {
    if found.things.len() != wanted.len() {
        return Err(format!("{} things in place of {}", found.things.len(), wanted.len()));
    }
    let mut left: Vec<&Thing> = found.things.iter().collect();
    // Those of which most is said choose first: what is left fits the others if anything does.
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    let said = |fact: &Fact| usize::from(fact.size.is_some()) + usize::from(fact.place.is_some());
    order.sort_by_key(|&index| std::cmp::Reverse(wanted.get(index).map(said)));
    let mut chosen: Vec<Option<&Thing>> = vec![None; wanted.len()];
    for index in order {
        let Some(fact) = wanted.get(index) else { continue };
        let Some(at) = left.iter().position(|thing| is(thing, fact, world)) else {
            return Err(format!("no {} {} as it should be", fact.colour, fact.shape));
        };
        if let Some(slot) = chosen.get_mut(index) {
            *slot = Some(left.remove(at));
        }
    }
    Ok(chosen.into_iter().flatten().collect())
}

fn is(thing: &Thing, fact: &Fact, world: &World) -> bool {
    let colour = world.colours.get(thing.colour).is_some_and(|colour| colour.name == fact.colour);
    let size =
        fact.size.as_ref().is_none_or(|wanted| world.sizes.get(thing.size).is_some_and(|(name, _)| name == wanted));
    let place = fact.place.is_none_or(|wanted| wanted == thing.place);
    thing.shape.map(Shape::name) == Some(fact.shape.as_str()) && colour && size && place
}

fn lies(one: &Thing, two: &Thing, side: Side) -> bool {
    let (dx, dy) = (one.x - two.x, one.y - two.y);
    match side {
        Side::Above => dy < 0.0 && dy.abs() > dx.abs(),
        Side::Below => dy > 0.0 && dy.abs() > dx.abs(),
        Side::Left => dx < 0.0 && dx.abs() > dy.abs(),
        Side::Right => dx > 0.0 && dx.abs() > dy.abs(),
        Side::Beside => dx.abs() > dy.abs(),
    }
}
