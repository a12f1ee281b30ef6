//! Whether a model and a request fit the memory that there is, asked before anything is read.
//!
//! What a system does when memory runs out is not a refusal: Linux ends the
//! process, others slow down beyond use. So what cannot fit is not begun.

use candle_core::Device;
use checkpoint::{Checkpoint, Config, Quantization};

use crate::device::{Precision, best_precision, device_id, devices};
use crate::memory::{Estimate, OVERHEAD_BYTES, Planner, planned_bytes};
use crate::pipeline::{Engine, LoadOptions};
use crate::weights::TensorSource as _;
use crate::{Error, Result};

/// Memory of one device that this process may have, with what it holds already.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Room {
    device: String,
    total_bytes: u64,
    held_bytes: u64,
    is_limit: bool,
}

impl Room {
    /// What the artist allows, or else what is free; nothing where the system does not say.
    ///
    /// `held_bytes` will be free or used again by what is asked for.
    fn on(device: &Device, limit_bytes: Option<u64>, held_bytes: u64) -> Option<Self> {
        let device = device_id(device);
        if let Some(total_bytes) = limit_bytes {
            return Some(Self { device, total_bytes, held_bytes, is_limit: true });
        }
        let free_bytes = devices().into_iter().find(|d| d.id == device)?.free_bytes?;
        Some(Self { device, total_bytes: free_bytes + held_bytes, held_bytes, is_limit: false })
    }

    fn check(&self, needed_bytes: u64, remedy: impl FnOnce(u64) -> String) -> Result<()> {
        if needed_bytes <= self.total_bytes {
            return Ok(());
        }
        let remedy = remedy(self.total_bytes);
        let needed = if self.is_limit {
            format!("{} are needed, {} are allowed; {remedy}", amount(needed_bytes), amount(self.total_bytes))
        } else {
            let (more_bytes, free_bytes) = (needed_bytes - self.held_bytes, self.total_bytes - self.held_bytes);
            format!("{} are needed, {} are free; {remedy}", amount(more_bytes), amount(free_bytes))
        };
        Err(Error::OutOfMemory { device: self.device.clone(), needed })
    }
}

/// Refuses a model whose weights alone do not fit; `loaded` is what would make room for it.
///
/// Only headers are read.
///
/// # Errors
/// [`Error::OutOfMemory`] naming what is needed, what there is and what would fit; [`Error::Device`]
/// when the device is not there.
pub fn check_weights(checkpoint: &Checkpoint, options: &LoadOptions, loaded: Option<&Engine>) -> Result<()> {
    let device = options.device.open()?;
    let precision = options.precision.unwrap_or_else(|| best_precision(&device));
    let weights_bytes = checkpoint.held_bytes(precision, device.is_cpu());
    let held_bytes = loaded.filter(|engine| engine.description().device == device_id(&device)).map_or(0, held_bytes);
    check_weights_bytes(weights_bytes, checkpoint.config(), precision, &device, options.memory_limit_bytes, held_bytes)
}

/// The same for weights of any source.
pub(crate) fn check_weights_bytes(
    weights_bytes: u64,
    config: &Config,
    precision: Precision,
    device: &Device,
    limit_bytes: Option<u64>,
    held_bytes: u64,
) -> Result<()> {
    let Some(room) = Room::on(device, limit_bytes, held_bytes) else { return Ok(()) };
    room.check(weights_bytes + OVERHEAD_BYTES, |max_bytes| {
        smaller_quantization(
            config,
            weights_bytes,
            precision,
            device.is_cpu(),
            max_bytes - OVERHEAD_BYTES.min(max_bytes),
        )
        .unwrap_or_else(|| CLOSE_OTHERS.to_owned())
    })
}

const CLOSE_OTHERS: &str = "close other programs, or use a machine with more memory";

impl Planner {
    /// Refuses a request that would not fit beside its model, before that is loaded.
    ///
    /// # Errors
    /// As [`check_weights`].
    pub fn check_memory(&self, estimate: &Estimate, options: &LoadOptions) -> Result<()> {
        self.check_on(&options.device.open()?, options.memory_limit_bytes, 0, estimate)
    }

    fn check_on(&self, device: &Device, limit_bytes: Option<u64>, held_bytes: u64, estimate: &Estimate) -> Result<()> {
        let Some(room) = Room::on(device, limit_bytes, held_bytes) else { return Ok(()) };
        room.check(estimate.memory.peak_bytes, |max_bytes| self.remedy(estimate, max_bytes))
    }

    /// What to do so that `max_bytes` suffice.
    fn remedy(&self, estimate: &Estimate, max_bytes: u64) -> String {
        if let Some(size) = estimate.size.and_then(|size| self.smaller_size(estimate, size, max_bytes)) {
            return format!("try {size}");
        }
        let weights_bytes = estimate.memory.weights_bytes;
        let beside_bytes = estimate.memory.peak_bytes - weights_bytes;
        let for_weights = max_bytes.saturating_sub(beside_bytes);
        let quantization =
            smaller_quantization(self.config(), weights_bytes, self.precision(), self.is_cpu(), for_weights);
        match (quantization, estimate.size) {
            (Some(remedy), _) => remedy,
            (None, Some(_)) => CLOSE_OTHERS.to_owned(),
            (None, None) => "leave out an image or a part of the conversation, or close other programs".to_owned(),
        }
    }
}

impl Engine {
    /// Refuses a request whose estimate exceeds the memory that is free.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] naming what would fit.
    pub fn check_memory(&self, planner: &Planner, estimate: &Estimate) -> Result<()> {
        planner.check_on(self.device(), self.memory_limit_bytes(), held_bytes(self), estimate)
    }
}

/// What a loaded model holds of its device.
fn held_bytes(engine: &Engine) -> u64 {
    // On the CPU the process itself says it: matrices repacked in earlier runs count.
    match anonymous_bytes() {
        Some(bytes) if engine.device().is_cpu() => bytes,
        _ => engine.description().memory_bytes,
    }
}

/// Bytes that this process holds and that are no mapped file; Linux only.
fn anonymous_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("RssAnon:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib * 1024)
}

/// The best quantization whose weights take no more than `max_bytes`, and less than they take now.
fn smaller_quantization(
    config: &Config,
    weights_bytes: u64,
    precision: Precision,
    is_cpu: bool,
    max_bytes: u64,
) -> Option<String> {
    Quantization::ALL.into_iter().find_map(|quantization| {
        let bytes = planned_bytes(config, quantization, quantization, precision, is_cpu);
        (bytes < weights_bytes && bytes <= max_bytes)
            .then(|| format!("use the {quantization} quantization, whose weights take {}", amount(bytes)))
    })
}

fn amount(bytes: u64) -> String {
    let bytes = bytes as f64;
    if bytes < 1e9 { format!("{:.0} MB", bytes / 1e6) } else { format!("{:.1} GB", bytes / 1e9) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GB: u64 = 1_000_000_000;

    fn room(total_bytes: u64, held_bytes: u64, is_limit: bool) -> Room {
        Room { device: "cpu".to_owned(), total_bytes, held_bytes, is_limit }
    }

    #[test]
    fn a_refusal_names_what_is_needed_what_there_is_and_what_to_do() {
        let refused = |room: Room, needed: u64| {
            room.check(needed, |most| format!("fit into {}", amount(most))).expect_err("refused").to_string()
        };
        assert!(room(9 * GB, 0, false).check(9 * GB, |_| String::new()).is_ok());
        assert_eq!(
            refused(room(9 * GB, 0, false), 10 * GB),
            "not enough memory on cpu: 10.0 GB are needed, 9.0 GB are free; fit into 9.0 GB"
        );
        assert_eq!(
            refused(room(9 * GB, 4 * GB, false), 10 * GB),
            "not enough memory on cpu: 6.0 GB are needed, 5.0 GB are free; fit into 9.0 GB"
        );
        assert_eq!(
            refused(room(500_000_000, 400_000_000, true), 10 * GB),
            "not enough memory on cpu: 10.0 GB are needed, 500 MB are allowed; fit into 500 MB"
        );
    }

    #[test]
    fn the_best_quantization_that_fits_is_named() {
        let official = Config::official();
        let full = planned_bytes(&official, Quantization::Bf16, Quantization::Bf16, Precision::BF16, false);
        let named = |max_bytes| smaller_quantization(&official, full, Precision::BF16, false, max_bytes);
        assert!(named(20 * GB).is_some_and(|remedy| remedy.contains("q8_0") && remedy.contains("16.")));
        assert!(named(10 * GB).is_some_and(|remedy| remedy.contains("q4_k_m") && remedy.contains("9.7 GB")));
        assert_eq!(named(GB), None);
        let smallest = planned_bytes(&official, Quantization::Q4_0, Quantization::Q4_0, Precision::BF16, false);
        assert_eq!(smaller_quantization(&official, smallest, Precision::BF16, false, 20 * GB), None);
    }

    #[test]
    fn a_limit_counts_whatever_is_free() {
        let all = Room::on(&Device::Cpu, None, 0).expect("the processor says what is free");
        assert!(!all.is_limit && all.total_bytes > 0);
        let limited = Room::on(&Device::Cpu, Some(7), 3).expect("a limit");
        assert_eq!(limited, room(7, 3, true));
    }
}
