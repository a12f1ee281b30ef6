//! The judge's eyes, held against scenes whose truth is known: clean, soft, blurred, and broken.

use judge::{
    Background, DrawnThing, Fact, Parts, Reading, Request, Scene, Shape, Split, World, complaints, draw, parts,
};
use protocol::Image;

/// Repeatable numbers; SplitMix64.
struct Lots(u64);

impl Lots {
    fn below(&mut self, n: usize) -> usize {
        (self.part() * n as f32) as usize % n
    }

    fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.part()
    }

    fn part(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) >> 40) as f32 / (1u32 << 24) as f32
    }
}

/// A random scene as the training draws them, and the words that say all of it.
fn scene(world: &World, size: [u32; 2], lots: &mut Lots) -> (Scene, Request) {
    let short = size[0].min(size[1]) as f32;
    let is_split = lots.below(4) == 0;
    let n_grounds = if is_split { 2 } else { 1 };
    let mut colours: Vec<usize> = (0..world.colours.len()).collect();
    for index in 0..colours.len() {
        let other = lots.below(colours.len());
        colours.swap(index, other);
    }
    let (grounds, free) = colours.split_at(n_grounds);
    let split = if !is_split {
        Split::Plain
    } else if lots.below(2) == 0 {
        Split::Rows
    } else {
        Split::Columns
    };
    let shade = |colour: usize, lots: &mut Lots| {
        let all = lots.between(-7.0, 7.0);
        world.colours[colour].rgb.map(|value| (value + all + lots.between(-4.0, 4.0)).clamp(0.0, 255.0))
    };
    let background = grounds.iter().map(|&colour| shade(colour, lots)).collect();
    let n_things = 1 + lots.below(world.max_things);
    let (mut things, mut facts): (Vec<DrawnThing>, Vec<Fact>) = (Vec::new(), Vec::new());
    let mut attempts = 0;
    while things.len() < n_things && attempts < 60 {
        attempts += 1;
        let (shape, size_index, place) = (world.shapes[lots.below(world.shapes.len())], lots.below(3), lots.below(9));
        let radius = world.sizes[size_index].1 * lots.between(0.96, 1.04);
        let mut at = |third: usize, side: u32| {
            let margin = (radius * 1.1 + 0.02) * short / side as f32;
            (world.thirds[third] + lots.between(-0.025, 0.025)).clamp(margin, 1.0 - margin)
        };
        let (x, y) = (at(place % 3, size[0]), at(place / 3, size[1]));
        let is_free = things.iter().zip(&facts).all(|(other, fact)| {
            let gap = ((x - other.x) * size[0] as f32).hypot((y - other.y) * size[1] as f32) / short;
            gap >= 1.08 * (radius + other.radius) + 0.03 && fact.place != Some(place)
        });
        if !is_free {
            continue;
        }
        let colour = free[lots.below(free.len())];
        let rgb = shade(colour, lots);
        things.push(DrawnThing { shape: shape.name().to_owned(), rgb, x, y, radius, angle: lots.between(-0.1, 0.1) });
        facts.push(Fact {
            shape: shape.name().to_owned(),
            colour: world.colours[colour].name.clone(),
            size: Some(world.sizes[size_index].0.clone()),
            place: Some(place),
            x: None,
            y: None,
            radius: None,
        });
    }
    let names = grounds.iter().map(|&colour| world.colours[colour].name.clone()).collect();
    let light = [lots.between(-6.0, 6.0), lots.between(-6.0, 6.0)];
    let scene = Scene { size, background, split, light, texture: lots.below(1 << 20) as u64, things };
    (scene, Request { things: facts, relations: vec![], background: Some(Background { colours: names, split }) })
}

/// The image as a small autoencoder gives it back: soft, a little off, and uneven.
fn blurred(image: &Image, passes: usize, lots: &mut Lots) -> Image {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let mut values: Vec<f32> = image.rgb().iter().map(|&value| f32::from(value)).collect();
    for _ in 0..passes {
        let old = values.clone();
        let at = |x: usize, y: usize, c: usize| old[(y.min(height - 1) * width + x.min(width - 1)) * 3 + c];
        for y in 0..height {
            for x in 0..width {
                for c in 0..3 {
                    let row = |y: usize| at(x.saturating_sub(1), y, c) + 2.0 * at(x, y, c) + at(x + 1, y, c);
                    values[(y * width + x) * 3 + c] = (row(y.saturating_sub(1)) + 2.0 * row(y) + row(y + 1)) / 16.0;
                }
            }
        }
    }
    let rgb = values.iter().map(|value| (value + lots.between(-6.0, 6.0)).clamp(0.0, 255.0) as u8).collect();
    Image::new(image.width(), image.height(), rgb).expect("as large as before")
}

/// How many of `n` random scenes are read right after so many passes of a blur, and what went wrong elsewhere.
fn read_right(world: &World, sizes: &[[u32; 2]], n: usize, passes: usize) -> (usize, Vec<String>) {
    let (mut n_right, mut wrong) = (0, Vec::new());
    for number in 0..n {
        let mut lots = Lots(number as u64 * 7919 + passes as u64);
        let (scene, request) = scene(world, sizes[number % sizes.len()], &mut lots);
        let drawn = draw(&scene).expect("drawn");
        let image = if passes == 0 { drawn } else { blurred(&drawn, passes, &mut lots) };
        let reading = Reading::of(&image, world);
        let complaints = complaints(&request, &reading, world);
        if complaints.is_empty() {
            n_right += 1;
        } else {
            let likeness: Vec<f32> = reading.things.iter().map(|thing| thing.likeness).collect();
            wrong.push(format!(
                "{number}: {complaints:?}: {}, {likeness:?}, wanted {:?}",
                reading.describe(world),
                request.things
            ));
        }
    }
    (n_right, wrong)
}

fn hold_to_99_of_100(name: &str, sizes: &[[u32; 2]], passes: usize) {
    let world = World::named(name).expect("a world");
    let (n_right, wrong) = read_right(&world, sizes, 200, passes);
    assert!(n_right >= 198, "{n_right} of 200 read right: {wrong:#?}");
}

#[test]
fn clean_scenes_of_the_whole_world_are_read_right() {
    hold_to_99_of_100("pocket", &[[128, 128], [128, 96], [96, 128], [128, 112]], 0);
}

#[test]
fn blurred_scenes_of_the_whole_world_are_read_right() {
    hold_to_99_of_100("pocket", &[[128, 128], [112, 128]], 2);
}

#[test]
fn clean_scenes_of_the_small_world_are_read_right() {
    hold_to_99_of_100("small", &[[96, 96]], 0);
}

#[test]
fn blurred_scenes_of_the_small_world_are_read_right() {
    hold_to_99_of_100("small", &[[96, 96]], 2);
}

/// A large red circle in the centre of a blue image, as asked for.
fn plain() -> (Scene, Request) {
    let thing =
        DrawnThing { shape: "circle".to_owned(), rgb: [214.0, 40.0, 40.0], x: 0.5, y: 0.5, radius: 0.21, angle: 0.0 };
    let fact = Fact {
        shape: "circle".to_owned(),
        colour: "red".to_owned(),
        size: Some("large".to_owned()),
        place: Some(4),
        x: None,
        y: None,
        radius: None,
    };
    let background = Background { colours: vec!["blue".to_owned()], split: Split::Plain };
    let scene = Scene {
        size: [96, 96],
        background: vec![[42.0, 92.0, 212.0]],
        split: Split::Plain,
        light: [3.0, -3.0],
        texture: 9,
        things: vec![thing],
    };
    (scene, Request { things: vec![fact], relations: vec![], background: Some(background) })
}

fn is_right(scene: &Scene, request: &Request) -> bool {
    let world = World::named("small").expect("a world");
    complaints(request, &Reading::of(&draw(scene).expect("drawn"), &world), &world).is_empty()
}

fn check_refused(what: &str, break_it: impl FnOnce(&mut Scene)) {
    let (mut scene, request) = plain();
    assert!(is_right(&scene, &request));
    break_it(&mut scene);
    assert!(!is_right(&scene, &request), "{what} was taken for right");
}

#[test]
fn images_that_are_wrong_in_one_thing_are_refused() {
    check_refused("another colour", |scene| scene.things[0].rgb = [246.0, 212.0, 48.0]);
    check_refused("another background", |scene| scene.background = vec![[46.0, 158.0, 72.0]]);
    check_refused("a divided background", |scene| {
        scene.background.push([46.0, 158.0, 72.0]);
        scene.split = Split::Rows;
    });
    check_refused("a medium one", |scene| scene.things[0].radius = 0.15);
    check_refused("one further up", |scene| scene.things[0].y = 0.251);
    check_refused("a second thing", |scene| {
        let small = DrawnThing { x: 0.2, y: 0.2, radius: 0.105, ..scene.things[0].clone() };
        scene.things.push(small);
    });
    check_refused("an empty image", |scene| scene.things.clear());
    for (shape, name) in Shape::ALL.into_iter().skip(1) {
        check_refused(name, |scene| scene.things[0].shape = shape.name().to_owned());
    }
}

#[test]
fn what_is_right_of_a_wrong_image_is_told_part_by_part() {
    let world = World::named("small").expect("a world");
    let check = |expected: Parts, break_it: fn(&mut Scene)| {
        let (mut scene, request) = plain();
        break_it(&mut scene);
        let reading = Reading::of(&draw(&scene).expect("drawn"), &world);
        assert_eq!(parts(&request.things, request.background.as_ref(), &reading, &world), expected);
    };
    check(Parts { background: true, colours: true }, |scene| scene.things[0].shape = "star".to_owned());
    check(Parts { background: true, colours: false }, |scene| scene.things[0].rgb = [246.0, 212.0, 48.0]);
    check(Parts { background: false, colours: true }, |scene| scene.background = vec![[46.0, 158.0, 72.0]]);
}

#[test]
fn a_shape_that_is_half_missing_is_refused() {
    let world = World::named("small").expect("a world");
    let (scene, request) = plain();
    let image = draw(&scene).expect("drawn");
    let mut rgb = image.rgb().to_vec();
    for y in 48..96 {
        for x in 0..48 {
            rgb[(y * 96 + x) * 3..][..3].copy_from_slice(&[42, 92, 212]);
        }
    }
    let broken = Image::new(96, 96, rgb).expect("an image");
    assert!(!complaints(&request, &Reading::of(&broken, &world), &world).is_empty());
}

#[test]
fn noise_and_stripes_have_nothing_that_can_be_read() {
    let world = World::named("small").expect("a world");
    let (_, request) = plain();
    let mut lots = Lots(1);
    let noise = (0..96 * 96 * 3).map(|_| lots.below(256) as u8).collect();
    let stripes = (0..96 * 96 * 3).map(|index| if (index / 3) % 12 < 6 { 20 } else { 240 }).collect();
    for rgb in [noise, stripes] {
        let image = Image::new(96, 96, rgb).expect("an image");
        assert!(!complaints(&request, &Reading::of(&image, &world), &world).is_empty());
    }
}
