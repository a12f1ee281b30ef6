//! The kernels that most of the time is spent in, each on its own, on shapes of the official model.

use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};
use protocol::Size;

use super::noise_image;
use crate::Result;
use crate::nn::{Keys, Linear, Mask, attention, by_matmul};
use crate::preview::PreviewMap;
use crate::random::{Generator, Purpose};
use crate::transform::resize;
use crate::vae::conv::{Conv, Resample};

/// One kernel with its operands, ready to run on the CPU.
pub struct Kernel {
    /// What is compared with one another.
    pub group: &'static str,
    /// The shapes.
    pub name: String,
    /// Multiplications and additions of one run, where they are what takes the time.
    pub n_operations: Option<u64>,
    work: Box<dyn FnMut() -> Result<()>>,
}

impl Kernel {
    fn new(
        group: &'static str,
        name: String,
        n_operations: Option<u64>,
        work: impl FnMut() -> Result<()> + 'static,
    ) -> Self {
        Self { group, name, n_operations, work: Box::new(work) }
    }

    /// Runs it once.
    ///
    /// # Errors
    /// None is known of.
    pub fn run(&mut self) -> Result<()> {
        (self.work)()
    }
}

/// All kernels.
///
/// # Errors
/// None is known of.
pub fn kernels() -> Result<Vec<Kernel>> {
    let mut kernels = Vec::new();
    linear(&mut kernels)?;
    attentions(&mut kernels)?;
    convolutions(&mut kernels)?;
    images(&mut kernels)?;
    Ok(kernels)
}

fn random(shape: &[usize]) -> Result<Tensor> {
    let numbers = Generator::new(Purpose::Synthetic, 3).normals(shape.iter().product());
    Ok(Tensor::from_vec(numbers, shape, &Device::Cpu)?)
}

fn linear(kernels: &mut Vec<Kernel>) -> Result<()> {
    const SIDE: usize = 2048;
    let weight = random(&[SIDE, SIDE])?;
    for (kind, dtype) in
        [("f32", None), ("q8_0", Some(GgmlDType::Q8_0)), ("q6_k", Some(GgmlDType::Q6K)), ("q4_k", Some(GgmlDType::Q4K))]
    {
        let linear = match dtype {
            None => Linear::float(weight.clone(), None),
            Some(dtype) => Linear::quantized(QTensor::quantize(&weight, dtype)?, None),
        };
        for n_rows in [1, 2, 16, 1024] {
            let (linear, x) = (linear.clone(), random(&[n_rows, SIDE])?);
            let n_operations = (2 * n_rows * SIDE * SIDE) as u64;
            kernels.push(Kernel::new("linear", format!("{kind}, {n_rows} rows"), Some(n_operations), move || {
                linear.forward(&x).map(drop)
            }));
        }
    }
    Ok(())
}

fn attentions(kernels: &mut Vec<Kernel>) -> Result<()> {
    struct Shape {
        name: &'static str,
        heads: (usize, usize),
        n_rows: usize,
        segments: &'static [usize],
        head_dim: usize,
        mask: Mask,
    }
    let shape = |name, heads, n_rows, segments, head_dim, mask| Shape { name, heads, n_rows, segments, head_dim, mask };
    for Shape { name, heads: (n_heads, n_kv_heads), n_rows, segments, head_dim, mask } in [
        shape("text decode", (28, 4), 1, &[1026, 1026, 40], 128, Mask::Full),
        shape("text prefill", (28, 4), 64, &[1026, 64], 128, Mask::Causal),
        shape("denoise", (28, 4), 1026, &[1026, 1026, 40, 1026], 128, Mask::Full),
        shape("vision", (16, 16), 1024, &[1024], 72, Mask::Full),
        shape("autoencoder", (1, 1), 2048, &[2048], 512, Mask::Full),
    ] {
        let queries = random(&[n_heads, n_rows, head_dim])?;
        let keys = segments
            .iter()
            .map(|&n| {
                Ok(Keys { keys: random(&[n_kv_heads, n, head_dim])?, values: random(&[n_kv_heads, n, head_dim])? })
            })
            .collect::<Result<Vec<_>>>()?;
        let n_operations = (4 * n_heads * n_rows * segments.iter().sum::<usize>() * head_dim) as u64;
        for (way, run) in [("fused", attention as fn(&Tensor, &[Keys], Mask) -> Result<Tensor>), ("matmul", by_matmul)]
        {
            let (queries, keys) = (queries.clone(), keys.clone());
            kernels.push(Kernel::new("attention", format!("{name}, {way}"), Some(n_operations), move || {
                run(&queries, &keys, mask).map(drop)
            }));
        }
    }
    Ok(())
}

fn convolutions(kernels: &mut Vec<Kernel>) -> Result<()> {
    const CHANNELS: usize = 128;
    let (height, width) = (32, 256);
    let x = random(&[CHANNELS, height, width])?;
    let weight = random(&[CHANNELS, CHANNELS, 3, 3])?;
    for (name, resample, n_pixels) in [
        ("strip kept", Resample::Keep, height * width),
        ("strip doubled", Resample::Double, 4 * height * width),
        ("strip halved", Resample::Halve, height * width / 4),
    ] {
        let conv = Conv::new(weight.clone(), random(&[CHANNELS])?);
        let x = x.clone();
        let n_operations = (2 * 9 * CHANNELS * CHANNELS * n_pixels) as u64;
        kernels.push(Kernel::new("convolution", name.to_owned(), Some(n_operations), move || {
            conv.forward(&x, resample, None, &mut |_| std::ops::ControlFlow::Continue(())).map(drop)
        }));
    }
    Ok(())
}

fn images(kernels: &mut Vec<Kernel>) -> Result<()> {
    let image = noise_image(Size { width: 1600, height: 1200 })?;
    let size = Size { width: 1024, height: 768 };
    kernels.push(Kernel::new("image", "resize 1600x1200 to 1024x768".to_owned(), None, move || {
        resize(&image, size);
        Ok(())
    }));
    let (map, latent) = (PreviewMap::flux(&Device::Cpu)?, random(&[16, 128, 128])?);
    kernels.push(Kernel::new("image", "preview of 1024x1024".to_owned(), None, move || map.image(&latent).map(drop)));
    Ok(())
}
