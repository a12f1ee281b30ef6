//! Prompts and images in the order of the command line.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use protocol::Input;

/// Texts only.
#[derive(Clone, Debug, Default, Args)]
pub struct Prompts {
    /// What the image should show; several prompts are read one after another
    #[arg(long, value_name = "TEXT")]
    pub prompt: Vec<String>,
}

impl Prompts {
    /// The texts as inputs.
    pub fn inputs(&self) -> Vec<Input> {
        self.prompt.iter().cloned().map(|text| Input::Text { text }).collect()
    }
}

/// Texts and images.
///
/// A single prompt follows all images, wherever it is written, because the model
/// was trained that way; several prompts keep their places.
#[derive(Clone, Debug, Default)]
pub struct Items {
    inputs: Vec<Input>,
}

impl Items {
    /// The inputs in the order the model reads them.
    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    fn from_positions(mut texts: Vec<(usize, String)>, images: Vec<(usize, PathBuf)>) -> Self {
        if let [(position, _)] = texts.as_mut_slice() {
            *position = usize::MAX;
        }
        let texts = texts.into_iter().map(|(position, text)| (position, Input::Text { text }));
        let images = images.into_iter().map(|(position, path)| (position, Input::Image { path }));
        let mut inputs: Vec<(usize, Input)> = texts.chain(images).collect();
        inputs.sort_by_key(|(position, _)| *position);
        Self { inputs: inputs.into_iter().map(|(_, input)| input).collect() }
    }
}

impl Args for Items {
    fn augment_args(command: Command) -> Command {
        command
            .arg(
                Arg::new("prompt")
                    .long("prompt")
                    .value_name("TEXT")
                    .action(ArgAction::Append)
                    .help("What to do or answer; read after the images, or in place if there are several prompts"),
            )
            .arg(
                Arg::new("image")
                    .long("image")
                    .value_name("FILE")
                    .action(ArgAction::Append)
                    .value_parser(clap::value_parser!(PathBuf))
                    .help("An image (PNG, JPEG or WebP); repeatable"),
            )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Items {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self::from_positions(positions(matches, "prompt"), positions(matches, "image")))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn positions<T: Clone + Send + Sync + 'static>(matches: &ArgMatches, id: &str) -> Vec<(usize, T)> {
    let indices = matches.indices_of(id).into_iter().flatten();
    let values = matches.get_many::<T>(id).into_iter().flatten().cloned();
    indices.zip(values).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: &[&str]) {
        let command = Items::augment_args(Command::new("test").no_binary_name(true));
        let matches = command.get_matches_from(line.split(' '));
        let items = Items::from_arg_matches(&matches).unwrap();
        let found: Vec<String> = items
            .inputs()
            .iter()
            .map(|input| match input {
                Input::Text { text } => text.clone(),
                Input::Image { path } => format!("@{}", path.display()),
            })
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn one_prompt_follows_the_images() {
        check("--prompt blue --image a.png --image b.png", &["@a.png", "@b.png", "blue"]);
    }

    #[test]
    fn several_prompts_keep_their_places() {
        check("--image a.png --prompt one --image b.png --prompt two", &["@a.png", "one", "@b.png", "two"]);
    }
}
