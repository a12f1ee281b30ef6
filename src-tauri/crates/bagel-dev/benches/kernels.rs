//! Times of the hot kernels on the CPU, at shapes of the official model.
//!
//! `cargo bench --profile dev -p bagel-dev --bench kernels -- WORDS` selects kernels by words of their names; the
//! profile is the one that everything is compiled with anyway.

use std::ops::ControlFlow;

use bagel::Result;
use bagel::parts::{AttentionMask, Conv, Keys, Linear, PreviewMap, Resample, attention, attention_by_matmul};
use bagel::random::{Generator, RandomStream};
use bagel::transform::resize;
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};
use candle_nn::attention::{AttnMask, flash_attn};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use protocol::{Image, Size};

fn random(shape: &[usize]) -> Tensor {
    let numbers = Generator::new(RandomStream::Synthetic, 3).normals(shape.iter().product());
    Tensor::from_vec(numbers, shape, &Device::Cpu).expect("a tensor")
}

fn time(criterion: &mut Criterion, group: &str, name: &str, n_operations: usize, mut run: impl FnMut()) {
    let mut group = criterion.benchmark_group(group);
    group.sample_size(10);
    if n_operations > 0 {
        group.throughput(Throughput::Elements(n_operations as u64));
    }
    group.bench_function(name, |bencher| bencher.iter(&mut run));
    group.finish();
}

fn linear(criterion: &mut Criterion) {
    const SIDE: usize = 2048;
    let weight = random(&[SIDE, SIDE]);
    for (kind, dtype) in
        [("f32", None), ("q8_0", Some(GgmlDType::Q8_0)), ("q6_k", Some(GgmlDType::Q6K)), ("q4_k", Some(GgmlDType::Q4K))]
    {
        let linear = match dtype {
            None => Linear::float(weight.clone(), None),
            Some(dtype) => Linear::quantized(QTensor::quantize(&weight, dtype).expect("quantized"), None),
        };
        for n_rows in [1, 2, 16, 1024] {
            let x = random(&[n_rows, SIDE]);
            time(criterion, "linear", &format!("{kind}, {n_rows} rows"), 2 * n_rows * SIDE * SIDE, || {
                linear.forward(&x).expect("computed");
            });
        }
    }
}

/// The CPU attention of candle, which wants the segments joined.
fn attention_by_candle(queries: &Tensor, segments: &[Keys], mask: AttentionMask) -> Result<Tensor> {
    let (n_heads, n_rows, head_dim) = queries.dims3()?;
    // (heads, tokens, head_dim) → (1, tokens, heads, head_dim)
    let joined = |parts: Vec<&Tensor>| Tensor::cat(&parts, 1)?.transpose(0, 1)?.unsqueeze(0);
    let k = joined(segments.iter().map(|segment| &segment.keys).collect())?;
    let v = joined(segments.iter().map(|segment| &segment.values).collect())?;
    let q = joined(vec![queries])?;
    let mask = match mask {
        AttentionMask::Full => AttnMask::None,
        AttentionMask::Causal => AttnMask::causal_with_offset(k.dim(1)? - n_rows),
    };
    let output = flash_attn::<f32>(&q, &k, &v, 1.0 / (head_dim as f32).sqrt(), mask, None, None)?;
    Ok(output.squeeze(0)?.transpose(0, 1)?.reshape((n_rows, n_heads * head_dim))?)
}

/// Name, query heads, key heads, rows, segment lengths, head dimension, mask.
type AttentionShape = (&'static str, usize, usize, usize, &'static [usize], usize, AttentionMask);

type Attend = fn(&Tensor, &[Keys], AttentionMask) -> Result<Tensor>;

fn attentions(criterion: &mut Criterion) {
    use AttentionMask::{Causal, Full};
    let shapes: [AttentionShape; 6] = [
        ("text decode", 28, 4, 1, &[1026, 1026, 40], 128, Full),
        ("text prefill", 28, 4, 64, &[1026, 64], 128, Causal),
        ("denoise, text", 28, 4, 1026, &[40, 1026], 128, Full),
        ("denoise, edit", 28, 4, 1026, &[1026, 1026, 40, 1026], 128, Full),
        ("vision", 16, 16, 1024, &[1024], 72, Full),
        ("autoencoder", 1, 1, 2048, &[2048], 512, Full),
    ];
    for (name, n_heads, n_kv_heads, n_rows, segments, head_dim, mask) in shapes {
        let queries = random(&[n_heads, n_rows, head_dim]);
        let keys: Vec<Keys> = segments
            .iter()
            .map(|&n| Keys { keys: random(&[n_kv_heads, n, head_dim]), values: random(&[n_kv_heads, n, head_dim]) })
            .collect();
        let n_operations = 4 * n_heads * n_rows * segments.iter().sum::<usize>() * head_dim;
        let ways = [("fused", attention as Attend), ("candle", attention_by_candle), ("matmul", attention_by_matmul)];
        for (way, run) in ways {
            time(criterion, "attention", &format!("{name}, {way}"), n_operations, || {
                run(&queries, &keys, mask).expect("computed");
            });
        }
    }
}

fn convolutions(criterion: &mut Criterion) {
    const CHANNELS: usize = 128;
    let (height, width) = (32, 256);
    let x = random(&[CHANNELS, height, width]);
    let conv = Conv::new(random(&[CHANNELS, CHANNELS, 3, 3]), random(&[CHANNELS]));
    for (name, resample, n_pixels) in [
        ("strip kept", Resample::Keep, height * width),
        ("strip doubled", Resample::Double, 4 * height * width),
        ("strip halved", Resample::Halve, height * width / 4),
    ] {
        time(criterion, "convolution", name, 2 * 9 * CHANNELS * CHANNELS * n_pixels, || {
            conv.forward(&x, resample, None, &mut |_| ControlFlow::Continue(())).expect("computed");
        });
    }
}

fn images(criterion: &mut Criterion) {
    let bytes = (0..1600 * 1200 * 3u32).map(|idx| (idx.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let image = Image::new(1600, 1200, bytes).expect("an image");
    time(criterion, "image", "resize 1600x1200 to 1024x768", 0, || {
        resize(&image, Size { width: 1024, height: 768 });
    });
    let (map, latent) = (PreviewMap::flux(&Device::Cpu).expect("a map"), random(&[16, 128, 128]));
    time(criterion, "image", "preview of 1024x1024", 0, || {
        map.image(&latent).expect("a preview");
    });
}

criterion_group!(benches, linear, attentions, convolutions, images);
criterion_main!(benches);
