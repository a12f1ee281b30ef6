//! Whether a machine can run a model, and in which form it should.
//!
//! The rule, in the order it is applied: a model runs on the graphics card
//! with the most memory, and on the processor only where there is no card.
//! What the system and the driver need is set aside. A form fits when what it
//! needs at work, with the largest request that it serves, is left; it fits
//! tightly when less than a tenth of the memory, or less than one gigabyte,
//! would remain. The most exact form that fits is recommended, but nothing
//! above 8 bits where memory is below 40 GB: the difference cannot be seen,
//! and the room serves longer conversations.

use std::path::Path;

use checkpoint::estimate::{Arithmetic, guess_tokens};
use checkpoint::{Checkpoint, Config, Estimator, Quantization};
use protocol::{Hardware, Processor, Verdict};

const GIGABYTE: u64 = 1_000_000_000;

/// A graphics driver's own memory, and what a desktop draws with.
const DRIVER_BYTES: u64 = 600_000_000;

/// What the system and the studio's window hold.
const SYSTEM_BYTES: u64 = 2 * GIGABYTE;

/// From here on, more than 8 bits a weight are recommended.
const ROOMY_BYTES: u64 = 40 * GIGABYTE;

/// Bytes that a form needs at work, on either kind of device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryNeeds {
    /// On a graphics card.
    pub gpu_bytes: u64,
    /// On the processor, whose arithmetic is in 32 bits.
    pub cpu_bytes: u64,
}

impl MemoryNeeds {
    /// What a model of these shapes needs at a quantization, by the engine's own estimator.
    pub fn of(config: &Config, quantization: Quantization) -> Self {
        let on = |device: Arithmetic| {
            let weights_bytes = device.planned_bytes(config, quantization, quantization);
            let estimator = Estimator::new(config.clone(), device, weights_bytes, Box::new(guess_tokens));
            estimator.estimate_largest_edit().memory.peak_bytes
        };
        Self { gpu_bytes: on(Arithmetic::GPU), cpu_bytes: on(Arithmetic::CPU) }
    }

    /// Bytes on one kind of device.
    pub fn on(&self, processor: Processor) -> u64 {
        match processor {
            Processor::Gpu => self.gpu_bytes,
            Processor::Cpu => self.cpu_bytes,
        }
    }
}

/// Estimates requests to a model on disk; reads its headers, with the base that supplies what it lacks.
///
/// Tokens of texts are guessed, a little too many: one takes some tens of kilobytes, so the error hardly shows.
///
/// # Errors
/// [`crate::Error::Checkpoint`] if the files are not a model.
pub fn open_estimator(path: &Path, base: Option<&Path>, is_cpu: bool) -> crate::Result<Estimator> {
    let arithmetic = if is_cpu { Arithmetic::CPU } else { Arithmetic::GPU };
    Ok(Estimator::for_checkpoint(&Checkpoint::open(path, base)?, arithmetic, Box::new(guess_tokens)))
}

/// Where models run on a machine, and the bytes that are theirs there.
pub fn place_to_run(hardware: &Hardware) -> (Processor, u64) {
    let cards = hardware.devices.iter().filter(|device| device.id != "cpu");
    let largest = cards.filter_map(|device| device.memory_bytes.or(device.free_bytes)).max();
    match largest {
        Some(bytes) => (Processor::Gpu, bytes.saturating_sub(DRIVER_BYTES)),
        None => (Processor::Cpu, hardware.memory_bytes.saturating_sub(SYSTEM_BYTES)),
    }
}

/// Whether a machine can run what needs so much.
pub fn verdict(needs: &MemoryNeeds, hardware: &Hardware) -> Verdict {
    let (on, room_bytes) = place_to_run(hardware);
    let needed_bytes = needs.on(on);
    match room_bytes.checked_sub(needed_bytes) {
        None => Verdict::DoesNotFit { on, missing_bytes: needed_bytes - room_bytes },
        Some(spare_bytes) if spare_bytes < GIGABYTE.max(room_bytes / 10) => Verdict::FitsTightly { on, spare_bytes },
        Some(_) => Verdict::Fits { on },
    }
}

/// The form that suits a machine best: an index into `forms`, which go from the most exact down.
pub fn recommended(forms: &[(Quantization, MemoryNeeds)], hardware: &Hardware) -> Option<usize> {
    let (on, room_bytes) = place_to_run(hardware);
    let is_roomy = on == Processor::Gpu && room_bytes + DRIVER_BYTES >= ROOMY_BYTES;
    let has_choice = forms.iter().any(|(quantization, _)| *quantization >= Quantization::Q8_0);
    let is_sensible = |quantization: Quantization| quantization >= Quantization::Q8_0 || is_roomy || !has_choice;
    let position = |accepted: fn(&Verdict) -> bool| {
        forms.iter().position(|(quantization, needs)| is_sensible(*quantization) && accepted(&verdict(needs, hardware)))
    };
    position(|it| matches!(it, Verdict::Fits { .. }))
        .or_else(|| position(|it| matches!(it, Verdict::FitsTightly { .. })))
}

#[cfg(test)]
mod tests {
    use protocol::DeviceDescription;

    use super::*;

    fn machine(gpu_gigabytes: Option<u64>, ram_gigabytes: u64) -> Hardware {
        let device = |id: &str, gigabytes: u64| DeviceDescription {
            id: id.to_owned(),
            name: id.to_owned(),
            memory_bytes: Some(gigabytes * GIGABYTE),
            free_bytes: None,
            compute_capability: None,
        };
        let mut devices = vec![device("cpu", ram_gigabytes)];
        devices.extend(gpu_gigabytes.map(|gigabytes| device("cuda:0", gigabytes)));
        Hardware { memory_bytes: ram_gigabytes * GIGABYTE, devices, ..Hardware::default() }
    }

    fn forms() -> Vec<(Quantization, MemoryNeeds)> {
        [Quantization::Bf16, Quantization::Q8_0, Quantization::Q6K, Quantization::Q5KM, Quantization::Q4KM]
            .map(|it| (it, MemoryNeeds::of(&Config::official(), it)))
            .to_vec()
    }

    fn check(gpu_gigabytes: Option<u64>, ram_gigabytes: u64, expected: Option<&str>) {
        let forms = forms();
        let found = recommended(&forms, &machine(gpu_gigabytes, ram_gigabytes)).map(|idx| forms[idx].0.name());
        assert_eq!(found, expected, "{gpu_gigabytes:?} GB on a card, {ram_gigabytes} GB");
    }

    #[test]
    fn the_most_exact_form_that_fits_is_recommended() {
        check(Some(80), 128, Some("bf16"));
        check(Some(32), 64, Some("q8_0"));
        check(Some(24), 64, Some("q8_0"));
        check(Some(16), 32, Some("q5_k_m"));
        check(Some(8), 64, None);
        check(Some(6), 64, None);
        check(None, 8, None);
        check(None, 128, Some("q8_0"));
    }

    #[test]
    fn the_verdict_names_what_is_spare_or_missing() {
        let needs = MemoryNeeds { gpu_bytes: 10 * GIGABYTE, cpu_bytes: 20 * GIGABYTE };
        let on = Processor::Gpu;
        assert_eq!(verdict(&needs, &machine(Some(16), 64)), Verdict::Fits { on });
        let tight = verdict(&needs, &machine(Some(11), 64));
        assert_eq!(tight, Verdict::FitsTightly { on, spare_bytes: 400_000_000 });
        let short = verdict(&needs, &machine(Some(8), 64));
        assert_eq!(short, Verdict::DoesNotFit { on, missing_bytes: 2_600_000_000 });
        // Without a card the processor's own, larger need is compared with the computer's memory.
        let on = Processor::Cpu;
        assert_eq!(verdict(&needs, &machine(None, 16)), Verdict::DoesNotFit { on, missing_bytes: 6 * GIGABYTE });
        assert_eq!(verdict(&needs, &machine(None, 32)), Verdict::Fits { on });
    }
}
