//! Options of text: sampling and thinking.

use clap::Args;
use protocol::{TextParameters, Thinking};

use super::value::{parse_number, parse_whole};

/// Parameters of text; missing ones keep the value of the recipe or of the model.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Text")]
pub struct TextOptions {
    /// Maximum number of tokens, including the start [default: the model's own, else 512; 1024 for a plan]
    #[arg(long, value_name = "N", value_parser = parse_whole::<u32>, allow_negative_numbers = true)]
    limit: Option<u32>,
    /// 0 always takes the likeliest token; higher is more varied [default: 0]
    #[arg(long, value_name = "T", value_parser = parse_number, allow_negative_numbers = true)]
    temperature: Option<f64>,
    /// Sample only the K likeliest tokens; 0 samples all
    #[arg(long, value_name = "K", value_parser = parse_whole::<u32>, allow_negative_numbers = true)]
    top_k: Option<u32>,
    /// Sample only the likeliest tokens whose probabilities add up to P; 1 samples all
    #[arg(long, value_name = "P", value_parser = parse_number, allow_negative_numbers = true)]
    top_p: Option<f64>,
    /// Above 1, tokens that occurred before become less likely [default: 1]
    #[arg(long, value_name = "FACTOR", value_parser = parse_number, allow_negative_numbers = true)]
    repetition_penalty: Option<f64>,
    /// Stop at this text; repeatable; "" removes all
    #[arg(long, value_name = "TEXT")]
    stop: Vec<String>,
}

impl TextOptions {
    /// Replaces the values that the command line names.
    pub fn apply(&self, text: &mut TextParameters) {
        text.limit = self.limit.unwrap_or(text.limit);
        text.temperature = self.temperature.unwrap_or(text.temperature);
        if let Some(top_k) = self.top_k {
            text.top_k = Some(top_k).filter(|top_k| *top_k > 0);
        }
        if let Some(top_p) = self.top_p {
            text.top_p = Some(top_p).filter(|top_p| *top_p != 1.0);
        }
        text.repetition_penalty = self.repetition_penalty.unwrap_or(text.repetition_penalty);
        if !self.stop.is_empty() {
            text.stop = self.stop.iter().filter(|stop| !stop.is_empty()).cloned().collect();
        }
    }
}

/// Planning before an image is generated.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Thinking")]
pub struct ThinkingOptions {
    /// Let the model plan first
    #[arg(long, conflicts_with = "plan")]
    think: bool,
    /// Do not plan even if the recipe of --from has a plan
    #[arg(long, conflicts_with_all = ["think", "plan"])]
    no_think: bool,
    /// Follow this plan, including its <think> </think> tags, instead of generating one
    #[arg(long, value_name = "TEXT")]
    plan: Option<String>,
}

impl ThinkingOptions {
    /// Replaces the values that the command line names.
    pub fn apply(&self, thinking: &mut Thinking) {
        if let Some(plan) = &self.plan {
            *thinking = Thinking::Given { plan: plan.clone() };
        } else if self.think {
            *thinking = Thinking::On;
        } else if self.no_think {
            *thinking = Thinking::Off;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_turn_off_what_a_recipe_turns_on() {
        let mut text =
            TextParameters { top_k: Some(5), top_p: Some(0.9), stop: vec!["end".to_owned()], ..TextParameters::plan() };
        let kept = text.clone();
        TextOptions::default().apply(&mut text);
        assert_eq!(text, kept);
        let off = TextOptions { top_k: Some(0), top_p: Some(1.0), stop: vec![String::new()], ..TextOptions::default() };
        off.apply(&mut text);
        assert_eq!(text, TextParameters::plan());
        let mut thinking = Thinking::Given { plan: "<think>a</think>".to_owned() };
        ThinkingOptions { no_think: true, ..ThinkingOptions::default() }.apply(&mut thinking);
        assert_eq!(thinking, Thinking::Off);
    }
}
