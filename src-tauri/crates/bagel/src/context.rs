//! The conversation so far as keys and values.
//!
//! A context is a list of shared, immutable segments, one for each text or
//! image that was read. A fork copies a few pointers, and contexts with a common
//! beginning share its segments.

use std::collections::HashMap;
use std::sync::Arc;

use crate::nn::Keys;

/// Identifies the contents of a context, in order, and the weights that computed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Chain([u8; 32]);

impl Chain {
    pub(crate) fn start(weights_hash: &str) -> Self {
        Self(*blake3::hash(weights_hash.as_bytes()).as_bytes())
    }

    /// The chain after one more item, named by its kind and content.
    pub(crate) fn then(self, kind: &str, content: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.0);
        hasher.update(kind.as_bytes());
        hasher.update(&[0]);
        hasher.update(content);
        Self(*hasher.finalize().as_bytes())
    }
}

/// Keys and values of one item, layer by layer.
#[derive(Debug)]
pub struct Segment {
    /// One entry per layer.
    pub layers: Vec<Keys>,
    pub(crate) n_tokens: usize,
    pub(crate) n_positions: usize,
}

impl Segment {
    pub(crate) fn size_bytes(&self) -> usize {
        self.layers.iter().map(|layer| 2 * layer.keys.elem_count() * layer.keys.dtype().size_in_bytes()).sum()
    }
}

/// Keys and values of everything that the model has read so far.
#[derive(Clone, Debug)]
pub struct Context {
    segments: Vec<Arc<Segment>>,
    n_tokens: usize,
    position: usize,
    chain: Chain,
}

impl Context {
    pub(crate) fn new(start: Chain) -> Self {
        Self { segments: Vec::new(), n_tokens: 0, position: 0, chain: start }
    }

    /// Tokens in the cache.
    pub fn n_tokens(&self) -> usize {
        self.n_tokens
    }

    /// Rotary position of the next token; an image has one for all its tokens.
    pub fn position(&self) -> usize {
        self.position
    }

    pub(crate) fn chain(&self) -> Chain {
        self.chain
    }

    /// Keys and values of one layer, segment by segment.
    pub fn layer(&self, layer_idx: usize) -> Vec<Keys> {
        self.segments.iter().map(|segment| segment.layers[layer_idx].clone()).collect()
    }

    pub(crate) fn push(&mut self, segment: Arc<Segment>, chain: Chain) {
        self.n_tokens += segment.n_tokens;
        self.position += segment.n_positions;
        self.segments.push(segment);
        self.chain = chain;
    }
}

/// Results kept up to a size limit; the least recently used one is dropped first.
#[derive(Debug)]
pub(crate) struct Cache<T> {
    entries: HashMap<Chain, Entry<T>>,
    clock: u64,
    size_bytes: usize,
    limit_bytes: usize,
}

#[derive(Debug)]
struct Entry<T> {
    value: T,
    size_bytes: usize,
    used: u64,
}

impl<T: Clone> Cache<T> {
    pub(crate) fn new(limit_bytes: usize) -> Self {
        Self { entries: HashMap::new(), clock: 0, size_bytes: 0, limit_bytes }
    }

    pub(crate) fn get(&mut self, chain: Chain) -> Option<T> {
        self.clock += 1;
        let entry = self.entries.get_mut(&chain)?;
        entry.used = self.clock;
        Some(entry.value.clone())
    }

    /// Keeps `value` unless it alone is larger than the limit.
    pub(crate) fn insert(&mut self, chain: Chain, value: T, size_bytes: usize) {
        if size_bytes > self.limit_bytes {
            return;
        }
        self.clock += 1;
        let entry = Entry { value, size_bytes, used: self.clock };
        if let Some(old) = self.entries.insert(chain, entry) {
            self.size_bytes -= old.size_bytes;
        }
        self.size_bytes += size_bytes;
        while self.size_bytes > self.limit_bytes {
            let Some(oldest) = self.entries.iter().min_by_key(|(_, entry)| entry.used).map(|(chain, _)| *chain) else {
                break;
            };
            if let Some(entry) = self.entries.remove(&oldest) {
                self.size_bytes -= entry.size_bytes;
            }
        }
    }

    #[cfg(test)]
    fn size_bytes(&self) -> usize {
        self.size_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(name: &str) -> Chain {
        Chain::start("weights").then("text", name.as_bytes())
    }

    #[test]
    fn the_least_recently_used_entry_is_dropped_first() {
        let mut cache = Cache::new(20);
        cache.insert(chain("a"), 'a', 10);
        cache.insert(chain("b"), 'b', 10);
        assert_eq!(cache.get(chain("a")), Some('a'));
        cache.insert(chain("c"), 'c', 10);
        assert_eq!(cache.get(chain("b")), None);
        assert_eq!(cache.get(chain("a")), Some('a'));
        assert_eq!(cache.size_bytes(), 20);
    }

    #[test]
    fn an_entry_larger_than_the_limit_is_not_kept() {
        let mut cache = Cache::new(20);
        cache.insert(chain("a"), 'a', 10);
        cache.insert(chain("b"), 'b', 21);
        assert_eq!(cache.get(chain("b")), None);
        assert_eq!(cache.get(chain("a")), Some('a'));
    }

    #[test]
    fn chains_of_other_kinds_contents_or_orders_differ() {
        let start = Chain::start("weights");
        assert_ne!(start.then("text", b"x"), start.then("image", b"x"));
        assert_ne!(start.then("a", b"1").then("a", b"2"), start.then("a", b"2").then("a", b"1"));
        assert_ne!(start, Chain::start("other weights"));
    }
}
