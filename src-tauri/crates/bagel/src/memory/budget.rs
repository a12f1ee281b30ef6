//! Refuses models and requests that do not fit the available memory, before anything is read.
//!
//! Systems do not refuse memory: Linux kills the process, others slow down until they are unusable.

use candle_core::Device;
use checkpoint::estimate::{Arithmetic, OVERHEAD_BYTES};
use checkpoint::{Checkpoint, Config, Estimate, Estimator, Quantization};
use protocol::{Request, Size};

use crate::device::{best_precision, device_id, devices};
use crate::pipeline::{Engine, LoadOptions};
use crate::weights::TensorSource;
use crate::{Error, Result};

const CLOSE_OTHERS: &str = "close other programs, or use a machine with more memory";

/// Memory of one device that this process may use, including what it already holds.
#[derive(Clone, Debug, PartialEq, Eq)]
struct MemoryBudget {
    device: String,
    total_bytes: u64,
    held_bytes: u64,
    /// Whether the user set `total_bytes`; else it is what was free.
    is_limit: bool,
}

impl MemoryBudget {
    /// The user's limit, or else what is free; `None` where the system does not tell.
    ///
    /// The caller frees or reuses `held_bytes` for what it asks for.
    fn new(device: &Device, limit_bytes: Option<u64>, held_bytes: u64) -> Option<Self> {
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

/// Refuses a model whose weights alone do not fit; `loaded` is unloaded before it is read.
///
/// Only headers are read.
///
/// # Errors
/// [`Error::OutOfMemory`] with what is needed, what is available and what would fit; [`Error::Device`] if the device
/// does not exist.
pub fn check_weights(checkpoint: &Checkpoint, options: &LoadOptions, loaded: Option<&Engine>) -> Result<()> {
    let device = options.device.open()?;
    let arithmetic = options.precision.unwrap_or_else(|| best_precision(&device)).arithmetic(device.is_cpu());
    let held_bytes = loaded.filter(|engine| engine.description().device == device_id(&device)).map_or(0, held_bytes);
    let budget = MemoryBudget::new(&device, options.memory_limit_bytes, held_bytes);
    check_budget_for_weights(budget, checkpoint, arithmetic)
}

/// The same for weights from any source, with nothing loaded.
pub(crate) fn check_weights_bytes(
    source: &dyn TensorSource,
    arithmetic: Arithmetic,
    device: &Device,
    limit_bytes: Option<u64>,
) -> Result<()> {
    check_budget_for_weights(MemoryBudget::new(device, limit_bytes, 0), source, arithmetic)
}

fn check_budget_for_weights(
    budget: Option<MemoryBudget>,
    source: &dyn TensorSource,
    arithmetic: Arithmetic,
) -> Result<()> {
    let Some(budget) = budget else { return Ok(()) };
    let weights_bytes = source.held_bytes(arithmetic);
    budget.check(weights_bytes + OVERHEAD_BYTES, |max_bytes| {
        smaller_quantization(source.config(), arithmetic, weights_bytes, max_bytes.saturating_sub(OVERHEAD_BYTES))
            .unwrap_or_else(|| CLOSE_OTHERS.to_owned())
    })
}

/// Refuses a request that would not fit beside its model, before the model is loaded.
///
/// # Errors
/// As [`check_weights`].
pub fn check_request(estimator: &Estimator, request: &Request, images: &[Size], options: &LoadOptions) -> Result<()> {
    let budget = MemoryBudget::new(&options.device.open()?, options.memory_limit_bytes, 0);
    check_budget_for_request(budget, estimator, request, images)
}

impl Engine {
    /// Refuses a request whose estimate exceeds the free memory; `images` are the sizes of its images.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] with what would fit.
    pub fn check_memory(&self, estimator: &Estimator, request: &Request, images: &[Size]) -> Result<()> {
        let budget = MemoryBudget::new(self.device(), self.memory_limit_bytes(), held_bytes(self));
        check_budget_for_request(budget, estimator, request, images)
    }
}

fn check_budget_for_request(
    budget: Option<MemoryBudget>,
    estimator: &Estimator,
    request: &Request,
    images: &[Size],
) -> Result<()> {
    let Some(budget) = budget else { return Ok(()) };
    let estimate = estimator.estimate(request, images);
    budget.check(estimate.memory.peak_bytes, |max_bytes| {
        match estimator.largest_fitting_size(request, images, max_bytes) {
            Some(size) => format!("try {size}"),
            None => remedy_without_size(estimator, &estimate, max_bytes),
        }
    })
}

/// What helps where no smaller image does.
fn remedy_without_size(estimator: &Estimator, estimate: &Estimate, max_bytes: u64) -> String {
    let weights_bytes = estimate.memory.weights_bytes;
    let beside_bytes = estimate.memory.peak_bytes - weights_bytes;
    let max_weights_bytes = max_bytes.saturating_sub(beside_bytes);
    let quantization =
        smaller_quantization(estimator.config(), estimator.arithmetic(), weights_bytes, max_weights_bytes);
    match (quantization, estimate.size) {
        (Some(remedy), _) => remedy,
        (None, Some(_)) => CLOSE_OTHERS.to_owned(),
        (None, None) => "leave out an image or a part of the conversation, or close other programs".to_owned(),
    }
}

/// Memory of its device that a loaded model holds.
fn held_bytes(engine: &Engine) -> u64 {
    // On the CPU the process is measured: matrices repacked in earlier runs count too.
    match anonymous_bytes() {
        Some(bytes) if engine.device().is_cpu() => bytes,
        _ => engine.description().memory_bytes,
    }
}

/// Bytes that this process holds apart from mapped files; Linux only.
fn anonymous_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("RssAnon:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib * 1024)
}

/// A remedy that names the best quantization whose weights fit into `max_bytes` and are smaller than now.
fn smaller_quantization(config: &Config, arithmetic: Arithmetic, weights_bytes: u64, max_bytes: u64) -> Option<String> {
    Quantization::ALL.into_iter().find_map(|quantization| {
        let bytes = arithmetic.planned_bytes(config, quantization, quantization);
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

    fn budget(total_bytes: u64, held_bytes: u64, is_limit: bool) -> MemoryBudget {
        MemoryBudget { device: "cpu".to_owned(), total_bytes, held_bytes, is_limit }
    }

    #[test]
    fn a_refusal_names_what_is_needed_what_there_is_and_what_to_do() {
        let refused = |budget: MemoryBudget, needed: u64| {
            budget.check(needed, |most| format!("fit into {}", amount(most))).expect_err("refused").to_string()
        };
        assert!(budget(9 * GB, 0, false).check(9 * GB, |_| String::new()).is_ok());
        assert_eq!(
            refused(budget(9 * GB, 0, false), 10 * GB),
            "not enough memory on cpu: 10.0 GB are needed, 9.0 GB are free; fit into 9.0 GB"
        );
        assert_eq!(
            refused(budget(9 * GB, 4 * GB, false), 10 * GB),
            "not enough memory on cpu: 6.0 GB are needed, 5.0 GB are free; fit into 9.0 GB"
        );
        assert_eq!(
            refused(budget(500_000_000, 400_000_000, true), 10 * GB),
            "not enough memory on cpu: 10.0 GB are needed, 500 MB are allowed; fit into 500 MB"
        );
    }

    #[test]
    fn the_best_quantization_that_fits_is_named() {
        let official = Config::official();
        let full = Arithmetic::GPU.planned_bytes(&official, Quantization::Bf16, Quantization::Bf16);
        let named = |max_bytes| smaller_quantization(&official, Arithmetic::GPU, full, max_bytes);
        assert!(named(20 * GB).is_some_and(|remedy| remedy.contains("q8_0") && remedy.contains("16.")));
        assert!(named(10 * GB).is_some_and(|remedy| remedy.contains("q4_k_m") && remedy.contains("9.7 GB")));
        assert_eq!(named(GB), None);
        let smallest = Arithmetic::GPU.planned_bytes(&official, Quantization::Q4_0, Quantization::Q4_0);
        assert_eq!(smaller_quantization(&official, Arithmetic::GPU, smallest, 20 * GB), None);
    }

    #[test]
    fn a_limit_counts_whatever_is_free() {
        let all = MemoryBudget::new(&Device::Cpu, None, 0).expect("the processor says what is free");
        assert!(!all.is_limit && all.total_bytes > 0);
        let limited = MemoryBudget::new(&Device::Cpu, Some(7), 3).expect("a limit");
        assert_eq!(limited, budget(7, 3, true));
    }
}
