//! What this machine has, as far as models care.

use std::path::Path;

use protocol::{DeviceDescription, Hardware};
use sysinfo::{CpuRefreshKind, MemoryRefreshKind, RefreshKind, System};

/// A card whose driver does not name it.
const NVIDIA: &str = "NVIDIA";

/// Describes the machine; `devices` is what the engine said it can compute on.
///
/// Takes some milliseconds.
pub fn hardware(models_folder: &Path, devices: Vec<DeviceDescription>) -> Hardware {
    let wanted =
        RefreshKind::nothing().with_cpu(CpuRefreshKind::nothing()).with_memory(MemoryRefreshKind::nothing().with_ram());
    let system = System::new_with_specifics(wanted);
    let n_threads = std::thread::available_parallelism().map_or(1, usize::from);
    Hardware {
        processor: system.cpus().first().map(|cpu| cpu.brand().trim().to_owned()).unwrap_or_default(),
        n_cores: u32::try_from(System::physical_core_count().unwrap_or(n_threads)).unwrap_or(1),
        processor_features: features(),
        memory_bytes: system.total_memory(),
        free_memory_bytes: system.available_memory(),
        free_disk_bytes: free_disk_bytes(models_folder).unwrap_or(0),
        card_without_engine: card().filter(|_| lacks_engine(&devices)),
        devices,
    }
}

/// Whether the engines that answered compute on nothing but the processor.
fn lacks_engine(devices: &[DeviceDescription]) -> bool {
    !devices.is_empty() && devices.iter().all(|device| device.id == "cpu")
}

/// The graphics card that the system's driver tells of, by its name where that is told.
#[cfg(not(windows))]
fn card() -> Option<String> {
    card_in(Path::new("/proc/driver/nvidia"))
}

/// The driver's library is there with the driver only.
#[cfg(windows)]
fn card() -> Option<String> {
    let system = std::path::PathBuf::from(std::env::var_os("SystemRoot")?);
    system.join("System32/nvcuda.dll").is_file().then(|| NVIDIA.to_owned())
}

/// What the driver on Linux says in files of its own; on other systems there are none.
#[cfg_attr(windows, allow(dead_code, reason = "the files are Linux's; the test of how they are read runs everywhere"))]
fn card_in(driver: &Path) -> Option<String> {
    if !driver.join("version").is_file() {
        return None;
    }
    let cards = std::fs::read_dir(driver.join("gpus")).into_iter().flatten().flatten();
    let information = cards.filter_map(|card| std::fs::read_to_string(card.path().join("information")).ok());
    let mut names: Vec<String> = information
        .filter_map(|text| text.lines().find_map(|line| Some(line.strip_prefix("Model:")?.trim().to_owned())))
        .filter(|name| !name.is_empty())
        .collect();
    names.sort();
    Some(names.into_iter().next().unwrap_or_else(|| NVIDIA.to_owned()))
}

/// Bytes that can still be written where a folder is or will be.
pub(crate) fn free_disk_bytes(folder: &Path) -> Option<u64> {
    folder.ancestors().find(|it| it.exists()).and_then(|it| fs4::available_space(it).ok())
}

#[cfg(target_arch = "x86_64")]
fn features() -> Vec<String> {
    let known = [
        ("avx2", std::arch::is_x86_feature_detected!("avx2")),
        ("fma", std::arch::is_x86_feature_detected!("fma")),
        ("f16c", std::arch::is_x86_feature_detected!("f16c")),
        ("avx512f", std::arch::is_x86_feature_detected!("avx512f")),
        ("avx512bf16", std::arch::is_x86_feature_detected!("avx512bf16")),
        ("avx512vnni", std::arch::is_x86_feature_detected!("avx512vnni")),
    ];
    present(&known)
}

#[cfg(target_arch = "aarch64")]
fn features() -> Vec<String> {
    let known = [
        ("neon", std::arch::is_aarch64_feature_detected!("neon")),
        ("dotprod", std::arch::is_aarch64_feature_detected!("dotprod")),
        ("i8mm", std::arch::is_aarch64_feature_detected!("i8mm")),
    ];
    present(&known)
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn features() -> Vec<String> {
    Vec::new()
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn present(known: &[(&str, bool)]) -> Vec<String> {
    known.iter().filter(|(_, is_there)| *is_there).map(|(name, _)| (*name).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_known_by_its_driver_before_there_is_an_engine_for_it() {
        let driver = tempfile::tempdir().unwrap();
        assert_eq!(card_in(driver.path()), None);
        std::fs::write(driver.path().join("version"), "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06")
            .unwrap();
        assert_eq!(card_in(driver.path()).as_deref(), Some("NVIDIA"));
        let card = driver.path().join("gpus/0000:01:00.0");
        std::fs::create_dir_all(&card).unwrap();
        std::fs::write(card.join("information"), "Model: \t\t NVIDIA GeForce RTX 4090\nIRQ:   \t\t 160\n").unwrap();
        assert_eq!(card_in(driver.path()).as_deref(), Some("NVIDIA GeForce RTX 4090"));
    }

    #[test]
    fn an_engine_is_lacking_only_when_those_that_answered_know_the_processor_alone() {
        let device = |id: &str| DeviceDescription {
            id: id.to_owned(),
            name: String::new(),
            memory_bytes: None,
            free_bytes: None,
            compute_capability: None,
        };
        assert!(!lacks_engine(&[]), "none has answered yet");
        assert!(lacks_engine(&[device("cpu")]));
        assert!(!lacks_engine(&[device("cuda:0"), device("cpu")]));
    }

    #[test]
    fn this_machine_has_memory_a_processor_and_a_disk() {
        let folder = tempfile::tempdir().unwrap();
        let found = hardware(&folder.path().join("not/made/yet"), Vec::new());
        assert!(found.memory_bytes > 1 << 28, "{found:?}");
        assert!(found.free_memory_bytes <= found.memory_bytes && found.free_memory_bytes > 0, "{found:?}");
        assert!(found.n_cores > 0 && found.free_disk_bytes > 0, "{found:?}");
    }
}
