//! Marks for a training that learns from its own images: many, by one process.

use std::io::{BufRead, Read, Write};

use judge::{Change, Facts, Parts, Reading, Request, World, complaints, edit_complaints, parts, plan_complaints};
use protocol::Image;
use serde::{Deserialize, Serialize};

/// What an image is held against, as the training's cases write it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Expected {
    /// An edit; the image before it comes first.
    Edit(Change),
    /// An image that was planned.
    Planned { plan: Facts },
    /// An image from a prompt.
    Asked(Request),
}

#[derive(Deserialize)]
struct Question {
    width: u32,
    height: u32,
    expect: Expected,
}

#[derive(Serialize)]
struct Mark {
    right: bool,
    background: bool,
    colours: bool,
    number: bool,
}

/// Answers every line of JSON, which `width * height * 3` bytes of colours follow (twice as many for an edit), by one
/// line, until the input ends.
///
/// # Errors
/// One line that says what cannot be read.
pub(crate) fn mark_all(input: &mut impl BufRead, output: &mut impl Write, world: &World) -> Result<(), String> {
    let mut line = String::new();
    loop {
        line.clear();
        if input.read_line(&mut line).map_err(|error| error.to_string())? == 0 {
            return Ok(());
        }
        let question: Question = serde_json::from_str(&line).map_err(|error| error.to_string())?;
        let mut image = || read_image(input, &question);
        let mark = match &question.expect {
            Expected::Edit(change) => {
                let (before, found) = (Reading::of(&image()?, world), Reading::of(&image()?, world));
                mark(&edit_complaints(change, &before, &found, world), &change.after, &found, world)
            }
            Expected::Planned { plan } => {
                let found = Reading::of(&image()?, world);
                mark(&plan_complaints(plan, &found, world), plan, &found, world)
            }
            Expected::Asked(request) => {
                let found = Reading::of(&image()?, world);
                let right = parts(&request.things, request.background.as_ref(), &found, world);
                marked(&complaints(request, &found, world), right, found.things.len() == request.things.len())
            }
        };
        let text = serde_json::to_string(&mark).map_err(|error| error.to_string())?;
        writeln!(output, "{text}").and_then(|()| output.flush()).map_err(|error| error.to_string())?;
    }
}

fn mark(wrong: &[String], wanted: &Facts, found: &Reading, world: &World) -> Mark {
    let right = parts(&wanted.things, Some(&wanted.background), found, world);
    marked(wrong, right, found.things.len() == wanted.things.len())
}

fn marked(wrong: &[String], parts: Parts, number: bool) -> Mark {
    Mark { right: wrong.is_empty(), background: parts.background, colours: parts.colours, number }
}

fn read_image(input: &mut impl Read, question: &Question) -> Result<Image, String> {
    let mut rgb = vec![0; question.width as usize * question.height as usize * 3];
    input.read_exact(&mut rgb).map_err(|error| error.to_string())?;
    Image::new(question.width, question.height, rgb).ok_or_else(|| "an image has no pixels".to_owned())
}

#[cfg(test)]
mod tests {
    use judge::{DrawnThing, Scene, Split, draw};

    use super::*;

    /// A red thing in the centre of a blue image.
    fn image(shape: &str) -> Vec<u8> {
        let thing =
            DrawnThing { shape: shape.to_owned(), rgb: [214.0, 40.0, 40.0], x: 0.5, y: 0.5, radius: 0.21, angle: 0.0 };
        let scene = Scene {
            size: [96, 96],
            background: vec![[42.0, 92.0, 212.0]],
            split: Split::Plain,
            light: [0.0; 2],
            texture: 3,
            things: vec![thing],
        };
        draw(&scene).expect("drawn").into_rgb()
    }

    fn marks(questions: &[(&str, Vec<u8>)]) -> Result<Vec<serde_json::Value>, String> {
        let mut input = Vec::new();
        for (expect, images) in questions {
            input.extend(format!("{{\"width\": 96, \"height\": 96, \"expect\": {expect}}}\n").bytes());
            input.extend(images);
        }
        let mut output = Vec::new();
        mark_all(&mut input.as_slice(), &mut output, &World::named("small").expect("the small world"))?;
        Ok(output.split(|&byte| byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect())
    }

    const CIRCLE: &str = r#"{"things": [{"shape": "circle", "colour": "red", "size": "large", "place": 4}],
        "background": {"colours": ["blue"], "split": ""}}"#;
    const SQUARE: &str = r#"{"things": [{"shape": "square", "colour": "red", "size": "large", "place": 4}],
        "background": {"colours": ["blue"], "split": ""}}"#;

    #[test]
    fn a_request_a_plan_and_an_edit_are_marked_one_after_the_other() {
        let one_line = |text: &str| text.replace('\n', " ");
        let plan = one_line(&format!(r#"{{"things": [], "relations": [], "background": null, "plan": {CIRCLE}}}"#));
        let edit = one_line(&format!(r#"{{"change": "reshape", "before": {CIRCLE}, "after": {SQUARE}}}"#));
        let both = [image("circle"), image("square")].concat();
        let nothing_done = [image("circle"), image("circle")].concat();
        let said = marks(&[
            (&one_line(CIRCLE), image("circle")),
            (&plan, image("square")),
            (&edit, both),
            (&edit, nothing_done),
        ])
        .expect("marks");
        let right: Vec<bool> = said.iter().filter_map(|mark| mark["right"].as_bool()).collect();
        assert_eq!(right, [true, false, true, false]);
        assert!(
            said.iter().all(|mark| mark["background"] == true && mark["colours"] == true && mark["number"] == true)
        );
    }

    #[test]
    fn a_image_that_ends_early_is_an_error() {
        let mut short = image("circle");
        short.pop();
        assert!(marks(&[(&CIRCLE.replace('\n', " "), short)]).is_err());
    }
}
