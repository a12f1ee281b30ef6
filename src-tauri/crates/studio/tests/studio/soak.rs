//! What many jobs, many stops and many failures leave behind: nothing.
//!
//! The short forms run with the other tests. The long ones are ignored, print figures, and are run by
//! `cargo nextest run -p studio --run-ignored only --no-capture -E 'test(soak)'`.
#![allow(clippy::print_stdout, reason = "the long forms print figures")]
#![cfg_attr(
    not(target_os = "linux"),
    allow(unused_imports, dead_code, reason = "only Linux says what a process holds")
)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use protocol::{EngineState, ImageParameters, JobId, JobStatus, Kind, NewJob, Size, Thinking};
use studio::StudioOptions;

use crate::publisher::scene::Numbers;
use crate::support::{Bench, bench_with, engine_called, job};

/// How far memory may stay from where it was.
const MAX_DISTANCE_BYTES: u64 = 50 << 20;

/// How soon it must be back.
const SOON: Duration = Duration::from_secs(3);

/// The engine processes of one program, and the memory of this one.
struct Memory {
    program: PathBuf,
}

impl Memory {
    /// Bytes of each engine process that lives; empty where the system does not say.
    fn engines(&self) -> Vec<u64> {
        let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let is_engine = |folder: &PathBuf| std::fs::read_link(folder.join("exe")).is_ok_and(|exe| exe == self.program);
        entries.map(|entry| entry.path()).filter(is_engine).filter_map(|folder| anonymous_bytes(&folder)).collect()
    }

    /// Waits until one engine lives and holds about so much.
    async fn comes_back_to(&self, base: u64) -> u64 {
        let begun = Instant::now();
        loop {
            let engines = self.engines();
            if let [bytes] = engines.as_slice()
                && bytes.abs_diff(base) <= MAX_DISTANCE_BYTES
            {
                return *bytes;
            }
            assert!(begun.elapsed() < SOON, "{engines:?} instead of {base}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Bytes of a process that are no mapped file.
fn anonymous_bytes(folder: &Path) -> Option<u64> {
    let status = std::fs::read_to_string(folder.join("status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("RssAnon:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
}

fn own_bytes() -> u64 {
    anonymous_bytes(Path::new("/proc/self")).unwrap_or(0)
}

/// A studio with an engine whose model holds memory, and whose jobs take more.
async fn heavy(change: impl FnOnce(&mut StudioOptions)) -> (Bench, Memory, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let program = engine_called(folder.path(), "engine").canonicalize().unwrap();
    let mut bench = bench_with(|options| {
        options.engines = Some(vec![program.clone()]);
        options.model = options.model.as_ref().map(|model| model.with_file_name("heavy"));
        change(options);
    })
    .await;
    bench.ready().await;
    (bench, Memory { program }, folder)
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn memory_is_back_where_it_was_after_every_way_to_run_out_of_it() {
    let (mut bench, memory, _folder) = heavy(|_| {}).await;
    let base = memory.engines()[0];
    assert!(base > 100 << 20, "the model holds {base} bytes");
    let own = own_bytes();
    for fault in ["device-memory", "host-memory", "allocation", "kill"] {
        for point in ["reading", "writing", "step", "decoding"] {
            let new = NewJob { thinking: Thinking::On, ..job(Kind::Generate, &format!("{fault}@{point}"), None) };
            let lost = bench.queue(new).await;
            assert!(matches!(bench.end_of(lost).await, JobStatus::Failed { .. }), "{fault}@{point}");
            bench.studio.restart_engine();
            bench.engine(|state| matches!(state, EngineState::Ready { .. })).await;
            memory.comes_back_to(base).await;
        }
    }
    bench.make("a boat").await;
    memory.comes_back_to(base).await;
    assert!(own_bytes() < own + MAX_DISTANCE_BYTES, "{} instead of {own}", own_bytes());
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_rests_gives_all_of_its_memory_back() {
    let (mut bench, memory, _folder) = heavy(|options| options.timeouts.idle_minute = Duration::from_millis(20)).await;
    for _ in 0..3 {
        bench.engine(|state| matches!(state, EngineState::Idle { .. })).await;
        let begun = Instant::now();
        while !memory.engines().is_empty() {
            assert!(begun.elapsed() < SOON, "{:?} are left", memory.engines());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        bench.make("a boat").await;
    }
}

/// Bytes of the engine and of this process after so many jobs, and after so many more.
async fn grow(bench: &mut Bench, memory: &Memory, n_first: usize, n_more: usize, new: &NewJob) -> [(u64, u64); 2] {
    let mut found = Vec::new();
    for n_jobs in [n_first, n_more] {
        for _ in 0..n_jobs {
            let id = bench.queue(new.clone()).await;
            bench.image_of(id).await;
        }
        found.push((memory.engines()[0], own_bytes()));
    }
    [found[0], found[1]]
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_jobs_leave_no_memory_behind() {
    let (mut bench, memory, _folder) = heavy(|_| {}).await;
    let new = job(Kind::Generate, "fast boat", None);
    let [before, after] = grow(&mut bench, &memory, 20, 200, &new).await;
    assert!(after.0 <= before.0 + before.0 / 50, "the engine grew from {} to {}", before.0, after.0);
    assert!(after.1 <= before.1 + (16 << 20), "the studio grew from {} to {}", before.1, after.1);
}

/// How long stops took, sorted: until they were answered, and until the job was over.
struct Stops {
    answers: Vec<Duration>,
    ends: Vec<Duration>,
}

/// Stops jobs of all kinds at random moments.
async fn stop_many(n_stops: usize, seed: u64) -> Stops {
    let mut bench = bench_with(|_| {}).await;
    let mut numbers = Numbers(seed);
    let (mut n_kept, mut answers, mut ends) = (0, Vec::new(), Vec::new());
    let source = bench.make("a boat").await;
    for number in 0..n_stops {
        let (kind, thinking) = match number % 4 {
            0 => (Kind::Generate, Thinking::Off),
            1 => (Kind::Generate, Thinking::On),
            2 => (Kind::Edit, Thinking::Off),
            _ => (Kind::Chat, Thinking::On),
        };
        let image = (kind != Kind::Generate).then_some(source);
        let id: JobId = bench.queue(NewJob { thinking, project: None, ..job(kind, "a boat", image) }).await;
        tokio::time::sleep(Duration::from_micros(numbers.below(90_000))).await;
        let before = Instant::now();
        // It may have ended by itself.
        let is_there = bench.studio.cancel(id).await.is_ok();
        let answered = before.elapsed();
        match bench.end_of(id).await {
            JobStatus::Done { node } => n_kept += u64::from(node.is_some()),
            JobStatus::Cancelled => {}
            status => panic!("stop {number}: {status:?}"),
        }
        if is_there {
            answers.push(answered);
            ends.push(before.elapsed());
        }
    }
    assert_eq!(bench.n_images().await, 1 + n_kept, "what was stopped is not saved");
    assert!(bench.snapshot().await.jobs.is_empty());
    bench.make("a boat").await;
    answers.sort();
    ends.sort();
    Stops { answers, ends }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_stops_at_any_moment_and_the_engine_stays_usable() {
    let stops = stop_many(40, 1).await;
    assert!(!stops.ends.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "the long form"]
async fn soak_five_hundred_stops() {
    let Stops { answers, ends } = stop_many(500, 2).await;
    let millis = |times: &[Duration], idx: usize| times[idx].as_secs_f64() * 1e3;
    let (middle, last) = (ends.len() / 2, ends.len() - 1);
    println!(
        "stops: 500 at random moments, {} before the job had ended by itself; answered in {:.1} ms, {:.1} ms at most; \
         over in {:.1} ms, {:.1} ms at most; nothing saved of any, the next job runs",
        ends.len(),
        millis(&answers, middle),
        millis(&answers, last),
        millis(&ends, middle),
        millis(&ends, last)
    );
}

/// With the program named by `BAGEL_ENGINE`, or the one that was built, and the small golden model.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
#[ignore = "the long form; needs the engine program"]
async fn soak_two_hundred_jobs_of_the_real_engine() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let program = std::env::var_os("BAGEL_ENGINE").map_or_else(|| root.join("target/debug/bagel"), PathBuf::from);
    let program = program.canonicalize().unwrap();
    let memory = Memory { program: program.clone() };
    let mut bench = bench_with(|options| {
        options.engines = Some(vec![program]);
        options.model = Some(root.join("src-tauri/crates/bagel/tests/golden/mini/model"));
    })
    .await;
    bench.ready().await;
    let side = match bench.snapshot().await.engine {
        EngineState::Ready { model, .. } => model.max_side,
        state => panic!("{state:?}"),
    };
    let size = Some(Size { width: side, height: side });
    let parameters = ImageParameters { size, steps: 4, ..ImageParameters::generate() };
    let new = NewJob { parameters, ..job(Kind::Generate, "a red circle", None) };
    let loaded = memory.engines()[0];
    let [before, after] = grow(&mut bench, &memory, 20, 200, &new).await;
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    println!(
        "memory of the engine: {:.1} MB loaded, {:.1} MB after 20 jobs, {:.1} MB after 200 more; \
         of the studio: {:.1} MB and {:.1} MB",
        megabytes(loaded),
        megabytes(before.0),
        megabytes(after.0),
        megabytes(before.1),
        megabytes(after.1)
    );
    assert!(after.0 <= before.0 + before.0 / 50, "the engine grew");
}
