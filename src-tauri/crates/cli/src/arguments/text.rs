//! How text is sampled, and whether the model thinks.

use clap::Args;
use protocol::{TextParameters, Thinking};

use super::value::{parse_number, parse_whole};

/// Sampling of text; what is not given keeps the default or the recipe's value.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Text")]
pub struct TextOptions {
    /// Most tokens to write, the start counted [default: 512; 1024 for a plan]
    #[arg(long, value_name = "N", value_parser = parse_whole::<u32>, allow_negative_numbers = true)]
    limit: Option<u32>,
    /// 0 takes the likeliest word, higher is freer [default: 0]
    #[arg(long, value_name = "T", value_parser = parse_number, allow_negative_numbers = true)]
    temperature: Option<f64>,
    /// Draw from the likeliest K tokens only; 0 draws from all
    #[arg(long, value_name = "K", value_parser = parse_whole::<u32>, allow_negative_numbers = true)]
    top_k: Option<u32>,
    /// Draw from the likeliest tokens that together reach P only; 1 draws from all
    #[arg(long, value_name = "P", value_parser = parse_number, allow_negative_numbers = true)]
    top_p: Option<f64>,
    /// Above 1, what was written already becomes less likely [default: 1]
    #[arg(long, value_name = "FACTOR", value_parser = parse_number, allow_negative_numbers = true)]
    repetition_penalty: Option<f64>,
    /// End at this text; may be given several times; "" ends at none
    #[arg(long, value_name = "TEXT")]
    stop: Vec<String>,
}

impl TextOptions {
    /// Replaces what was given on the command line.
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

/// Planning before painting.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Thinking")]
pub struct ThinkingOptions {
    /// Let the model write a plan before it paints
    #[arg(long, conflicts_with = "plan")]
    think: bool,
    /// Paint at once, where the recipe of --from has a plan
    #[arg(long, conflicts_with_all = ["think", "plan"])]
    no_think: bool,
    /// Paint this plan (with its <think> </think> tags) instead of letting the model write one
    #[arg(long, value_name = "TEXT")]
    plan: Option<String>,
}

impl ThinkingOptions {
    /// Replaces what was given on the command line.
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
    fn what_a_recipe_switched_on_can_be_switched_off() {
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
