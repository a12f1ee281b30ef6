//! Text decoding: plans and answers, token by token after a context.

use std::time::Instant;

use protocol::{Statistics, TextChannel, TextParameters};

use super::{Author, ChatJob, ChatResult, Engine, Item};
use crate::Result;
use crate::context::Context;
use crate::decoder::TextCache;
use crate::progress::{EngineProgress, Observer, report};
use crate::random::fresh_seed;
use crate::sampler::Sampler;
use crate::tokens::{REASON_PROMPT, TextStream};

const PLAN_END: &str = "</think>";

/// A generated text.
pub struct GeneratedText {
    /// The whole text.
    pub text: String,
    /// Its ids, beginning with the start token.
    pub ids: Vec<u32>,
}

impl Engine {
    /// Answers a conversation.
    ///
    /// # Errors
    /// [`crate::Error::Invalid`] when the conversation is empty or a parameter is out of range,
    /// [`crate::Error::Cancelled`] when `observe` stops it.
    pub fn chat(&mut self, job: &ChatJob, observe: &mut Observer<'_>) -> Result<ChatResult> {
        check_inputs(&job.inputs)?;
        job.text.check()?;
        let mut statistics = Statistics::default();
        let parameters = with_seed(&job.text);
        let text = self.answer(job, &parameters, &mut statistics, observe)?;
        Ok(ChatResult { text: text.text, parameters, statistics })
    }

    /// The answer with its token ids.
    ///
    /// # Errors
    /// As [`Engine::chat`].
    pub fn answer(
        &mut self,
        job: &ChatJob,
        parameters: &TextParameters,
        statistics: &mut Statistics,
        observe: &mut Observer<'_>,
    ) -> Result<GeneratedText> {
        let started = Instant::now();
        let prefill = tracing::debug_span!("prefill", n_inputs = job.inputs.len()).entered();
        let mut context = self.empty_context();
        let mut n_reused = 0;
        if job.think {
            n_reused += self.prefill_text(&mut context, REASON_PROMPT, Author::Model, observe)?;
        }
        for item in &job.inputs {
            n_reused += match item {
                Item::Text(text) => self.prefill_text(&mut context, text, Author::User, observe)?,
                Item::Image(image) => {
                    let fitted = self.fit_image(image);
                    self.prefill_vision(&mut context, &fitted, observe)?
                }
            };
        }
        statistics.context_secs = started.elapsed().as_secs_f64();
        statistics.reused_tokens = n_reused as u32;
        tracing::debug!(secs = statistics.context_secs, tokens = context.n_tokens(), n_reused, "prefill done");
        drop(prefill);
        report(observe, EngineProgress::Context { tokens: context.n_tokens() as u32 })?;
        let first_channel = if job.think { TextChannel::Plan } else { TextChannel::Answer };
        self.generate_text(&context, parameters, first_channel, statistics, observe)
    }

    /// Generates text after `context`, which stays as it is.
    ///
    /// Text of the plan's channel continues in the answer's after `</think>`.
    pub(super) fn generate_text(
        &self,
        context: &Context,
        parameters: &TextParameters,
        first_channel: TextChannel,
        statistics: &mut Statistics,
        observe: &mut Observer<'_>,
    ) -> Result<GeneratedText> {
        let started = Instant::now();
        let _span = tracing::debug_span!("decode_text", limit = parameters.limit).entered();
        let mut sampler = Sampler::new(parameters, parameters.seed.unwrap_or_default());
        let mut cache = TextCache::new(self.decoder.n_layers(), parameters.limit as usize);
        let mut ids = vec![self.tokens.text_start];
        let mut stream = TextStream::default();
        let mut reported = Reported { n_bytes: 0, channel: first_channel };
        let mut is_ended = false;
        for _ in 1..parameters.limit {
            let last = ids.last().copied().unwrap_or(self.tokens.text_start);
            let logits = self.decoder.next_logits(context, &mut cache, last, &self.device)?;
            let next = sampler.next(&logits, &ids[1..])?;
            if next == self.tokens.text_end {
                break;
            }
            ids.push(next);
            // The reference cuts its result at a second start token but goes on counting.
            is_ended |= next == self.tokens.text_start;
            if !is_ended {
                stream.push(&self.tokens, next)?;
            }
            report(observe, EngineProgress::Tick)?;
            if let Some(end) = first_stop(stream.text(), &parameters.stop) {
                let text = stream.text()[..end].to_owned();
                reported.report_up_to(&text, text.len(), observe)?;
                count(statistics, started, ids.len());
                return Ok(GeneratedText { text, ids });
            }
            reported.report_up_to(
                stream.text(),
                stream.text().len() - held_back(stream.text(), &parameters.stop),
                observe,
            )?;
        }
        stream.finish(&self.tokens)?;
        let text = stream.text().to_owned();
        reported.report_up_to(&text, text.len(), observe)?;
        count(statistics, started, ids.len());
        Ok(GeneratedText { text, ids })
    }
}

fn count(statistics: &mut Statistics, started: Instant, n_ids: usize) {
    let secs = started.elapsed().as_secs_f64();
    tracing::debug!(secs, tokens = n_ids - 1, "text decoded");
    statistics.text_secs += secs;
    statistics.text_tokens += n_ids as u32 - 1;
}

/// How much of a text has been reported, and the channel of its next part.
struct Reported {
    n_bytes: usize,
    channel: TextChannel,
}

impl Reported {
    /// Reports the part of `text[..end]` that is new.
    fn report_up_to(&mut self, text: &str, end: usize, observe: &mut Observer<'_>) -> Result<()> {
        while self.n_bytes < end {
            let rest = &text[self.n_bytes..end];
            // The plan includes its closing tag, whose beginning may have been reported already.
            let plan_end = text.find(PLAN_END).map(|start| start + PLAN_END.len());
            let n_bytes = match plan_end {
                Some(plan_end) if self.channel == TextChannel::Plan => {
                    plan_end.saturating_sub(self.n_bytes).min(rest.len())
                }
                _ => rest.len(),
            };
            if n_bytes > 0 {
                report(observe, EngineProgress::Text { channel: self.channel, delta: &rest[..n_bytes] })?;
                self.n_bytes += n_bytes;
            }
            if plan_end.is_some_and(|plan_end| self.n_bytes >= plan_end) {
                self.channel = TextChannel::Answer;
            }
        }
        Ok(())
    }
}

/// Position of the first stop text.
fn first_stop(text: &str, stop: &[String]) -> Option<usize> {
    stop.iter().filter(|stop| !stop.is_empty()).filter_map(|stop| text.find(stop.as_str())).min()
}

/// Bytes at the end of `text` that may be the beginning of a stop text.
fn held_back(text: &str, stop: &[String]) -> usize {
    stop.iter()
        .flat_map(|stop| stop.char_indices().map(move |(n, _)| &stop[..n]))
        .filter(|beginning| text.ends_with(beginning))
        .map(str::len)
        .max()
        .unwrap_or(0)
}

/// The parameters with a seed if sampling needs one.
pub(super) fn with_seed(parameters: &TextParameters) -> TextParameters {
    let seed = parameters.seed.or_else(|| (parameters.temperature > 0.0).then(fresh_seed));
    TextParameters { seed, ..parameters.clone() }
}

/// Refuses an empty conversation and empty texts.
pub(super) fn check_inputs(inputs: &[Item]) -> Result<()> {
    let texts = inputs.iter().filter_map(|item| match item {
        Item::Text(text) => Some(text.as_str()),
        Item::Image(_) => None,
    });
    Ok(protocol::check::check_texts(texts)?)
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::*;

    fn shown(parts: &[&str]) -> Vec<(TextChannel, String)> {
        let mut reports: Vec<(TextChannel, String)> = Vec::new();
        let mut reported = Reported { n_bytes: 0, channel: TextChannel::Plan };
        let mut text = String::new();
        for part in parts {
            text.push_str(part);
            let mut observe = |progress: EngineProgress<'_>| {
                if let EngineProgress::Text { channel, delta } = progress {
                    reports.push((channel, delta.to_owned()));
                }
                ControlFlow::Continue(())
            };
            reported.report_up_to(&text, text.len(), &mut observe).expect("nothing stops it");
        }
        reports
    }

    #[test]
    fn the_answer_begins_after_the_plans_closing_tag() {
        let reports = shown(&["<think> a </thi", "nk> b", "c"]);
        let answer: String = reports.iter().filter(|r| r.0 == TextChannel::Answer).map(|r| r.1.as_str()).collect();
        let plan: String = reports.iter().filter(|r| r.0 == TextChannel::Plan).map(|r| r.1.as_str()).collect();
        assert_eq!((plan.as_str(), answer.as_str()), ("<think> a </think>", " bc"));
    }

    #[test]
    fn the_beginning_of_a_stop_text_is_held_back() {
        let stop = vec!["END".to_owned()];
        assert_eq!(held_back("text E", &stop), 1);
        assert_eq!(held_back("text EN", &stop), 2);
        assert_eq!(held_back("text", &stop), 0);
        assert_eq!(first_stop("textEND", &stop), Some(4));
    }
}
