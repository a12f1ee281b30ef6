//! What counts as a good edit: what was asked for is there, and what was not named stayed.

use judge::{Background, Change, DrawnThing, Fact, Facts, Reading, Scene, Split, World, draw, edit_complaints};

const RED: [f32; 3] = [214.0, 40.0, 40.0];
const GREEN: [f32; 3] = [46.0, 158.0, 72.0];

/// A circle of a colour in the centre, and a small blue square at the top left.
fn scene(circle: [f32; 3]) -> Scene {
    let thing =
        |shape: &str, rgb, at, radius| DrawnThing { shape: shape.to_owned(), rgb, x: at, y: at, radius, angle: 0.0 };
    Scene {
        size: [96, 96],
        background: vec![[246.0, 212.0, 48.0]],
        split: Split::Plain,
        light: [0.0, 4.0],
        texture: 5,
        things: vec![thing("circle", circle, 0.5, 0.15), thing("square", [42.0, 92.0, 212.0], 0.2, 0.105)],
    }
}

fn facts(circle: &str) -> Facts {
    let fact = |shape: &str, colour: &str, size: &str, place, at, radius| Fact {
        shape: shape.to_owned(),
        colour: colour.to_owned(),
        size: Some(size.to_owned()),
        place: Some(place),
        x: Some(at),
        y: Some(at),
        radius: Some(radius),
    };
    Facts {
        things: vec![fact("circle", circle, "medium", 4, 0.5, 0.15), fact("square", "blue", "small", 0, 0.2, 0.105)],
        background: Background { colours: vec!["yellow".to_owned()], split: Split::Plain },
    }
}

/// What is said of an image that should show the red circle turned green and all else as it was.
fn said_of(after: &Scene) -> Vec<String> {
    let world = World::named("small").expect("a world");
    let read = |scene: &Scene| Reading::of(&draw(scene).expect("drawn"), &world);
    let change = Change { before: facts("red"), after: facts("green") };
    edit_complaints(&change, &read(&scene(RED)), &read(after), &world)
}

fn check_refused(what: &str, complaint: &str, break_it: impl FnOnce(&mut Scene)) {
    let mut after = scene(GREEN);
    break_it(&mut after);
    let said = said_of(&after);
    assert!(said.iter().any(|one| one.contains(complaint)), "{what}: {said:?}");
}

#[test]
fn an_edit_that_does_what_was_asked_and_no_more_is_right() {
    assert_eq!(said_of(&scene(GREEN)), Vec::<String>::new());
}

#[test]
fn an_edit_that_does_nothing_is_refused() {
    assert!(!said_of(&scene(RED)).is_empty());
}

#[test]
fn what_was_not_named_must_stay() {
    check_refused("a square that moved within its place", "did not stay", |after| after.things[1].x = 0.26);
    check_refused("a square that grew", "blue square", |after| after.things[1].radius = 0.15);
    check_refused("a square of another colour", "blue square", |after| after.things[1].rgb = RED);
    check_refused("a square that became a star", "blue square", |after| after.things[1].shape = "star".to_owned());
    check_refused("a square that is gone", "1 things", |after| after.things.truncate(1));
    check_refused("a darker background", "shade", |after| after.background = vec![[222.0, 188.0, 36.0]]);
    check_refused("another background", "background is", |after| after.background = vec![[244.0, 244.0, 242.0]]);
}
