//! How text is sampled, and whether the model thinks.

use clap::Args;
use protocol::{TextParameters, Thinking};

/// Sampling of text; what is not given keeps the default or the recipe's value.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Text")]
pub struct TextOptions {
    /// Most tokens to write, the start counted [default: 512; 1024 for a thought]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    limit: Option<u32>,
    /// 0 takes the likeliest word, higher is freer [default: 0]
    #[arg(long, value_name = "T", allow_negative_numbers = true)]
    temperature: Option<f64>,
    /// Draw from the likeliest K tokens only
    #[arg(long, value_name = "K", allow_negative_numbers = true)]
    top_k: Option<u32>,
    /// Draw from the likeliest tokens that together reach P only
    #[arg(long, value_name = "P", allow_negative_numbers = true)]
    top_p: Option<f64>,
    /// Above 1, what was written already becomes less likely [default: 1]
    #[arg(long, value_name = "FACTOR", allow_negative_numbers = true)]
    repetition_penalty: Option<f64>,
    /// End at this text; may be given several times
    #[arg(long, value_name = "TEXT")]
    stop: Vec<String>,
}

impl TextOptions {
    /// Replaces what was given on the command line.
    pub fn apply(&self, text: &mut TextParameters) {
        text.limit = self.limit.unwrap_or(text.limit);
        text.temperature = self.temperature.unwrap_or(text.temperature);
        text.top_k = self.top_k.or(text.top_k);
        text.top_p = self.top_p.or(text.top_p);
        text.repetition_penalty = self.repetition_penalty.unwrap_or(text.repetition_penalty);
        if !self.stop.is_empty() {
            text.stop.clone_from(&self.stop);
        }
    }
}

/// Planning before painting.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Thinking")]
pub struct ThinkingOptions {
    /// Let the model write a plan before it paints
    #[arg(long, conflicts_with = "thought")]
    think: bool,
    /// Paint this plan (with its <think> </think> tags) instead of letting the model write one
    #[arg(long, value_name = "TEXT")]
    thought: Option<String>,
}

impl ThinkingOptions {
    /// Replaces what was given on the command line.
    pub fn apply(&self, thinking: &mut Thinking) {
        if let Some(thought) = &self.thought {
            *thinking = Thinking::Given { thought: thought.clone() };
        } else if self.think {
            *thinking = Thinking::On;
        }
    }
}
