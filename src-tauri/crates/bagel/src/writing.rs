//! Text out of a context: thoughts and answers.

use std::time::Instant;

use protocol::{Statistics, TextChannel, TextParameters};

use crate::Result;
use crate::context::Context;
use crate::decoder::Written;
use crate::engine::{ChatJob, ChatResult, Engine, Item};
use crate::progress::{Observe, Progress, report};
use crate::random::fresh_seed;
use crate::reading::{Author, REASON_PROMPT};
use crate::sampler::Sampler;
use crate::tokens::TextStream;

const PLAN_END: &str = "</think>";

/// A text and the ids it was made of, the start token first.
pub(crate) struct WrittenText {
    pub(crate) text: String,
    pub(crate) ids: Vec<u32>,
}

impl Engine {
    /// Answers a conversation.
    ///
    /// # Errors
    /// [`crate::Error::Invalid`] when there is nothing to answer or a parameter is out of range,
    /// [`crate::Error::Cancelled`] when `observe` says so.
    pub fn chat(&mut self, job: &ChatJob, observe: &mut Observe<'_>) -> Result<ChatResult> {
        check_inputs(&job.inputs)?;
        job.text.check()?;
        let mut statistics = Statistics::default();
        let parameters = resolved(&job.text);
        let (text, _) = self.answer(job, &parameters, &mut statistics, observe)?;
        Ok(ChatResult { text: text.text, parameters, statistics })
    }

    /// The answer with its token ids and its context's tokens.
    pub(crate) fn answer(
        &mut self,
        job: &ChatJob,
        parameters: &TextParameters,
        statistics: &mut Statistics,
        observe: &mut Observe<'_>,
    ) -> Result<(WrittenText, usize)> {
        let started = Instant::now();
        let mut context = self.empty_context();
        let mut n_reused = 0;
        if job.think {
            n_reused += self.read_text(&mut context, REASON_PROMPT, Author::Model, observe)?;
        }
        for item in &job.inputs {
            n_reused += match item {
                Item::Text(text) => self.read_text(&mut context, text, Author::Artist, observe)?,
                Item::Image(image) => {
                    let fitted = self.fit_image(image);
                    self.read_vision(&mut context, &fitted, observe)?
                }
            };
        }
        statistics.context_secs = started.elapsed().as_secs_f64();
        statistics.reused_tokens = n_reused as u32;
        report(observe, Progress::Context { tokens: context.n_tokens() as u32 })?;
        let first_channel = if job.think { TextChannel::Plan } else { TextChannel::Answer };
        let text = self.write(&context, parameters, first_channel, statistics, observe)?;
        Ok((text, context.n_tokens()))
    }

    /// Writes after `context`, whose cache stays as it is.
    ///
    /// What is written in the plan's channel goes on in the answer's after `</think>`.
    pub(crate) fn write(
        &self,
        context: &Context,
        parameters: &TextParameters,
        first_channel: TextChannel,
        statistics: &mut Statistics,
        observe: &mut Observe<'_>,
    ) -> Result<WrittenText> {
        let started = Instant::now();
        let mut sampler = Sampler::new(parameters, parameters.seed.unwrap_or_default());
        let mut written = Written::new(self.decoder.n_layers(), parameters.limit as usize);
        let mut ids = vec![self.tokens.text_start];
        let mut stream = TextStream::default();
        let mut shown = Shown { n_bytes: 0, channel: first_channel };
        let mut is_ended = false;
        for _ in 1..parameters.limit {
            let last = ids.last().copied().unwrap_or(self.tokens.text_start);
            let logits = self.decoder.next_logits(context, &mut written, last, &self.device)?;
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
            report(observe, Progress::Tick)?;
            if let Some(end) = first_stop(stream.text(), &parameters.stop) {
                let text = stream.text()[..end].to_owned();
                shown.up_to(&text, text.len(), observe)?;
                count(statistics, started, ids.len());
                return Ok(WrittenText { text, ids });
            }
            shown.up_to(stream.text(), stream.text().len() - held_back(stream.text(), &parameters.stop), observe)?;
        }
        stream.finish(&self.tokens)?;
        let text = stream.text().to_owned();
        shown.up_to(&text, text.len(), observe)?;
        count(statistics, started, ids.len());
        Ok(WrittenText { text, ids })
    }
}

fn count(statistics: &mut Statistics, started: Instant, n_ids: usize) {
    statistics.text_secs += started.elapsed().as_secs_f64();
    statistics.text_tokens += n_ids as u32 - 1;
}

/// How much of a text has been reported, and where the next part belongs.
struct Shown {
    n_bytes: usize,
    channel: TextChannel,
}

impl Shown {
    /// Reports `text[..end]` as far as it is new.
    fn up_to(&mut self, text: &str, end: usize, observe: &mut Observe<'_>) -> Result<()> {
        while self.n_bytes < end {
            let rest = &text[self.n_bytes..end];
            // The plan's last tag belongs to it; its beginning may have been shown already.
            let plan_end = text.find(PLAN_END).map(|start| start + PLAN_END.len());
            let n_bytes = match plan_end {
                Some(plan_end) if self.channel == TextChannel::Plan => {
                    plan_end.saturating_sub(self.n_bytes).min(rest.len())
                }
                _ => rest.len(),
            };
            if n_bytes > 0 {
                report(observe, Progress::Text { channel: self.channel, delta: &rest[..n_bytes] })?;
                self.n_bytes += n_bytes;
            }
            if plan_end.is_some_and(|plan_end| self.n_bytes >= plan_end) {
                self.channel = TextChannel::Answer;
            }
        }
        Ok(())
    }
}

/// Where the first of the stop texts begins.
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

/// The parameters with a seed where one is needed.
pub(crate) fn resolved(parameters: &TextParameters) -> TextParameters {
    let seed = parameters.seed.or_else(|| (parameters.temperature > 0.0).then(fresh_seed));
    TextParameters { seed, ..parameters.clone() }
}

/// Something is asked, and no text is empty.
pub(crate) fn check_inputs(inputs: &[Item]) -> Result<()> {
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
        let mut shown = Shown { n_bytes: 0, channel: TextChannel::Plan };
        let mut text = String::new();
        for part in parts {
            text.push_str(part);
            let mut observe = |progress: Progress<'_>| {
                if let Progress::Text { channel, delta } = progress {
                    reports.push((channel, delta.to_owned()));
                }
                ControlFlow::Continue(())
            };
            shown.up_to(&text, text.len(), &mut observe).expect("nobody stops");
        }
        reports
    }

    #[test]
    fn an_answer_begins_after_the_thoughts_last_tag() {
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
