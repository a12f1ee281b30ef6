//! Reads the plans that the pocket model writes before it paints.

use crate::wanted::{Background, Fact, Facts};
use crate::world::{Split, Words, World};

/// What a plan says, in English or Chinese; `None` when it is not said as the model was taught to.
///
/// "The picture needs a blue background. In the centre a large red circle."
pub fn read_plan(text: &str, world: &World) -> Option<Facts> {
    let text = text.trim().trim_start_matches("<think>").trim_end_matches("</think>").trim().to_lowercase();
    let words = world.words.iter().find(|words| text.starts_with(&words.needs.0))?;
    let mut sentences = text.split(['.', '。']).map(str::trim).filter(|sentence| !sentence.is_empty());
    let ground = sentences.next()?;
    if !ground.contains(&words.needs.1) {
        return None;
    }
    let background = background(ground, words, world)?;
    let things = sentences.map(|sentence| thing(sentence, words, world)).collect::<Option<Vec<_>>>()?;
    (!things.is_empty()).then_some(Facts { things, background })
}

fn background(sentence: &str, words: &Words, world: &World) -> Option<Background> {
    let mut named: Vec<(usize, usize)> = Vec::new();
    for (index, word) in words.colours.iter().take(world.colours.len()).enumerate() {
        named.extend(sentence.find(word.as_str()).map(|at| (at, index)));
    }
    named.sort_unstable();
    let says = |pair: &(String, String)| sentence.contains(&pair.0) && sentence.contains(&pair.1);
    let split = match named.len() {
        1 => Split::Plain,
        2 if says(&words.rows) => Split::Rows,
        2 if says(&words.columns) => Split::Columns,
        _ => return None,
    };
    let colours = named.iter().filter_map(|&(_, index)| world.colours.get(index)).map(|colour| colour.name.clone());
    Some(Background { colours: colours.collect(), split })
}

fn thing(sentence: &str, words: &Words, world: &World) -> Option<Fact> {
    let place = words.places.iter().position(|word| sentence.starts_with(word.as_str()))?;
    let rest = sentence.get(words.places.get(place)?.len()..)?;
    let one = |list: &[String]| longest(rest, list);
    let shape = world.shapes.get(one(&words.shapes)?)?;
    let colour = world.colours.get(one(&words.colours)?)?;
    let (size, _) = world.sizes.get(one(&words.sizes)?)?;
    Some(Fact {
        shape: shape.name().to_owned(),
        colour: colour.name.clone(),
        size: Some(size.clone()),
        place: Some(place),
        x: None,
        y: None,
        radius: None,
    })
}

/// The longest of the words that a text has: "大的" is not meant where "中等大小的" stands.
fn longest(text: &str, list: &[String]) -> Option<usize> {
    let found = list.iter().enumerate().filter(|(_, word)| text.contains(word.as_str()));
    found.max_by_key(|(_, word)| word.len()).map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(plan: &str, colours: &[&str], split: Split, things: &[(&str, &str, &str, usize)]) {
        let world = World::named("small").expect("a world");
        let read = read_plan(plan, &world).expect(plan);
        assert_eq!(read.background, Background { colours: colours.iter().map(ToString::to_string).collect(), split });
        let said: Vec<_> = read
            .things
            .iter()
            .map(|fact| {
                (fact.size.as_deref().unwrap_or(""), fact.colour.as_str(), fact.shape.as_str(), fact.place.unwrap_or(9))
            })
            .collect();
        assert_eq!(said, things);
    }

    #[test]
    fn plans_in_both_languages_are_understood() {
        check(
            "<think> The picture needs a blue background. In the centre a large red circle. </think>",
            &["blue"],
            Split::Plain,
            &[("large", "red", "circle", 4)],
        );
        check(
            "<think> The picture needs a background that is white above and black below. At the top a small green star. In the bottom left corner a medium yellow heart. </think>",
            &["white", "black"],
            Split::Rows,
            &[("small", "green", "star", 1), ("medium", "yellow", "heart", 6)],
        );
        check(
            "<think> 画面需要左边红色、右边白色的背景。右上角一个中等大小的黑色正方形。左边一个大的蓝色三角形。 </think>",
            &["red", "white"],
            Split::Columns,
            &[("medium", "black", "square", 2), ("large", "blue", "triangle", 3)],
        );
    }

    #[test]
    fn what_is_no_plan_is_not_understood() {
        let world = World::named("small").expect("a world");
        for text in [
            "",
            "<think> A red circle. </think>",
            "The picture needs a blue background.",
            "The picture needs a blue background. A red.",
        ] {
            assert_eq!(read_plan(text, &world), None, "{text}");
        }
    }
}
