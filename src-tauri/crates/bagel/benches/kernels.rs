//! Figures of the hot kernels: `cargo bench --profile dev -p bagel --bench kernels -- WORDS`,
//! where words of a name choose some; the profile is the one that everything is compiled in anyway.

use bagel::bench::kernels;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn time(criterion: &mut Criterion) {
    for mut kernel in kernels().expect("operands") {
        let mut group = criterion.benchmark_group(kernel.group);
        group.sample_size(10);
        if let Some(n_operations) = kernel.n_operations {
            group.throughput(Throughput::Elements(n_operations));
        }
        let name = kernel.name.clone();
        group.bench_function(name, |bencher| bencher.iter(|| kernel.run().expect("computed")));
        group.finish();
    }
}

criterion_group!(benches, time);
criterion_main!(benches);
