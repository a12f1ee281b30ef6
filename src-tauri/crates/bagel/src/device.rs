//! Devices that can compute, and the number type that each computes in.

use std::str::FromStr;

use candle_core::{DType, Device};
use checkpoint::estimate::Arithmetic;
use protocol::DeviceDescription;

use crate::{Error, Result};

/// The device that a model is loaded onto.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The first GPU of this build, or the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// An NVIDIA GPU by number.
    Cuda(usize),
    /// An Apple GPU by number.
    Metal(usize),
}

impl FromStr for DeviceChoice {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (kind, idx) = text.split_once(':').unwrap_or((text, "0"));
        let idx = idx.parse::<usize>();
        match (kind, idx) {
            ("auto", _) => Ok(Self::Auto),
            ("cpu", _) => Ok(Self::Cpu),
            ("cuda", Ok(idx)) => Ok(Self::Cuda(idx)),
            ("metal", Ok(idx)) => Ok(Self::Metal(idx)),
            _ => Err(Error::Device(format!("unknown device {text}; choose auto, cpu, cuda:0 or metal:0"))),
        }
    }
}

/// The number type of activations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// 32 bits; exact, and the fastest on a CPU.
    F32,
    /// 16 bits with the range of 32; the type of the published weights.
    BF16,
    /// 16 bits for GPUs without bf16.
    F16,
}

impl Precision {
    pub(crate) fn dtype(self) -> DType {
        match self {
            Self::F32 => DType::F32,
            Self::BF16 => DType::BF16,
            Self::F16 => DType::F16,
        }
    }

    /// How a device computes in this type, for the estimator.
    pub fn arithmetic(self, is_cpu: bool) -> Arithmetic {
        // f16 is too narrow for the autoencoder, which then computes in 32 bits.
        let vae_element_bytes = if self == Self::BF16 { 2 } else { 4 };
        Arithmetic { element_bytes: self.dtype().size_in_bytes() as u64, vae_element_bytes, is_cpu }
    }

    /// Name as in recipes.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::BF16 => "bf16",
            Self::F16 => "f16",
        }
    }
}

impl DeviceChoice {
    /// Opens the device.
    pub(crate) fn open(self) -> Result<Device> {
        let fail = |error: candle_core::Error| Error::Device(format!("{self} cannot be used: {error}"));
        match self {
            Self::Cpu => Ok(Device::Cpu),
            Self::Cuda(_) if !cfg!(feature = "cuda") => Err(Error::Device(format!(
                "this build does not support {self}; use the CUDA variant of the engine, or cpu"
            ))),
            Self::Metal(_) if !cfg!(feature = "metal") => Err(Error::Device(format!(
                "this build does not support {self}; use the Metal variant of the engine, or cpu"
            ))),
            Self::Cuda(idx) => Device::new_cuda(idx).map_err(fail),
            Self::Metal(idx) => Device::new_metal(idx).map_err(fail),
            Self::Auto => Ok(devices()
                .iter()
                .filter(|device| device.id != "cpu")
                .find_map(|device| device.id.parse::<Self>().ok()?.open().ok())
                .unwrap_or(Device::Cpu)),
        }
    }
}

impl std::fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Auto => write!(f, "auto"),
            Self::Cpu => write!(f, "cpu"),
            Self::Cuda(idx) => write!(f, "cuda:{idx}"),
            Self::Metal(idx) => write!(f, "metal:{idx}"),
        }
    }
}

/// `cpu`, `cuda:0`, `metal:0`.
pub(crate) fn device_id(device: &Device) -> String {
    match device.location() {
        candle_core::DeviceLocation::Cpu => "cpu".to_owned(),
        candle_core::DeviceLocation::Cuda { gpu_id } => format!("cuda:{gpu_id}"),
        candle_core::DeviceLocation::Metal { gpu_id } => format!("metal:{gpu_id}"),
    }
}

/// bf16 where the hardware has it, f16 on NVIDIA GPUs before compute capability 8, f32 on the CPU.
pub(crate) fn best_precision(device: &Device) -> Precision {
    match device {
        Device::Cpu => Precision::F32,
        Device::Cuda(_) => {
            let id = device_id(device);
            let capability = devices().into_iter().find(|d| d.id == id).and_then(|d| d.compute_capability);
            match capability.and_then(|capability| capability.split('.').next()?.parse::<u32>().ok()) {
                Some(major) if major < 8 => Precision::F16,
                _ => Precision::BF16,
            }
        }
        Device::Metal(_) => Precision::BF16,
    }
}

/// Every device that this build can use, the CPU last.
pub fn devices() -> Vec<DeviceDescription> {
    cuda_devices().into_iter().chain(metal_devices()).chain([cpu()]).collect()
}

fn cpu() -> DeviceDescription {
    let mut system = sysinfo::System::new();
    system.refresh_memory();
    system.refresh_cpu_list(sysinfo::CpuRefreshKind::nothing());
    let name = system.cpus().first().map(|cpu| cpu.brand().trim().to_owned()).filter(|name| !name.is_empty());
    DeviceDescription {
        id: "cpu".to_owned(),
        name: name.unwrap_or_else(|| "CPU".to_owned()),
        memory_bytes: Some(system.total_memory()),
        free_bytes: Some(system.available_memory()),
        compute_capability: None,
    }
}

#[cfg(feature = "cuda")]
fn cuda_devices() -> Vec<DeviceDescription> {
    use candle_core::cuda_backend::cudarc::driver::{CudaContext, sys::CUdevice_attribute};

    // A count of 0 is also what a machine without a driver gives.
    let n_devices = CudaContext::device_count().unwrap_or(0).max(0) as usize;
    (0..n_devices)
        .filter_map(|idx| {
            let context = CudaContext::new(idx).ok()?;
            let (free, total) = context.mem_get_info().ok()?;
            let attribute = |a| context.attribute(a).ok();
            let major = attribute(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
            let minor = attribute(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
            Some(DeviceDescription {
                id: format!("cuda:{idx}"),
                name: context.name().unwrap_or_else(|_| "NVIDIA GPU".to_owned()),
                memory_bytes: Some(total as u64),
                free_bytes: Some(free as u64),
                compute_capability: Some(format!("{}.{}", major?, minor?)),
            })
        })
        .collect()
}

#[cfg(not(feature = "cuda"))]
fn cuda_devices() -> Vec<DeviceDescription> {
    Vec::new()
}

#[cfg(not(feature = "metal"))]
fn metal_devices() -> Vec<DeviceDescription> {
    Vec::new()
}

#[cfg(feature = "metal")]
fn metal_devices() -> Vec<DeviceDescription> {
    // Apple's GPUs share the computer's memory.
    let host = cpu();
    Device::new_metal(0)
        .ok()
        .map(|_| DeviceDescription { id: "metal:0".to_owned(), name: "Apple GPU".to_owned(), ..host })
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_names_are_read_back() {
        for choice in [DeviceChoice::Auto, DeviceChoice::Cpu, DeviceChoice::Cuda(1), DeviceChoice::Metal(0)] {
            assert_eq!(choice.to_string().parse::<DeviceChoice>().ok(), Some(choice));
        }
        assert!("tpu:0".parse::<DeviceChoice>().is_err());
        assert!("cuda:x".parse::<DeviceChoice>().is_err());
    }

    #[test]
    fn the_cpu_is_always_there_and_has_memory() {
        let cpu = devices().pop().expect("the CPU");
        assert_eq!(cpu.id, "cpu");
        assert!(cpu.memory_bytes > cpu.free_bytes && cpu.free_bytes > Some(0));
    }
}
