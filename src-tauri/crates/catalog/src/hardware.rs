//! What this machine has, as far as models care.

use std::path::Path;

use protocol::{DeviceDescription, Hardware};
use sysinfo::{CpuRefreshKind, MemoryRefreshKind, RefreshKind, System};

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
        devices,
    }
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
    fn this_machine_has_memory_a_processor_and_a_disk() {
        let folder = tempfile::tempdir().unwrap();
        let found = hardware(&folder.path().join("not/made/yet"), Vec::new());
        assert!(found.memory_bytes > 1 << 28, "{found:?}");
        assert!(found.free_memory_bytes <= found.memory_bytes && found.free_memory_bytes > 0, "{found:?}");
        assert!(found.n_cores > 0 && found.free_disk_bytes > 0, "{found:?}");
    }
}
