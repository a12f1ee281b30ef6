//! Kills a process at random moments; every change that was acknowledged to it must still be there.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use store::Store;

use crate::Outcome;
use crate::model::{Line, Model, parse_lines};
use crate::random::Random;

/// The whole library is read after each kill, so it must stay small.
const KILLS_PER_LIBRARY: usize = 25;

/// Eight days: more than the interval of the full check, so that each round runs it.
const STEP_MS: u64 = 8 * 24 * 60 * 60 * 1000;

pub(crate) fn run(n_kills: usize) -> Outcome<()> {
    let mut random = Random::new(0x5eed);
    let (mut n_acknowledged, mut n_adopted, mut n_removed, mut n_in_between) = (0, 0, 0, 0);
    let mut slowest = Duration::ZERO;
    // Takes the files that the process was exporting when it was killed.
    let scratch = tempfile::tempdir()?;
    let mut folder = tempfile::tempdir()?;
    let mut model = Model::default();
    for kill in 0..n_kills {
        if kill % KILLS_PER_LIBRARY == 0 {
            folder = tempfile::tempdir()?;
            model = Model::default();
        }
        let mut child = Command::new(std::env::current_exe()?)
            .args(["work".as_ref(), folder.path().as_os_str(), (kill + 1).to_string().as_ref()])
            .env("TMPDIR", scratch.path())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut out = child.stdout.take().ok_or("no output")?;
        let reader = std::thread::spawn(move || {
            let mut output = Vec::new();
            out.read_to_end(&mut output).map(|_n_bytes| output)
        });
        std::thread::sleep(Duration::from_millis(1 + random.next() % 400));
        child.kill()?;
        let status = child.wait()?;
        if status.code().is_some() {
            return Err(format!("the process exited before kill {kill}: {status}").into());
        }
        let output = reader.join().map_err(|_panic| "the reader failed")??;

        let mut open = None;
        for line in parse_lines(&output)? {
            match line {
                Line::Started(change) => open = Some(change),
                Line::Finished(change) => {
                    model.apply(&change);
                    n_acknowledged += 1;
                    open = None;
                }
                Line::Failed(_, error) => return Err(format!("before kill {kill}: {error}").into()),
            }
        }
        n_in_between += usize::from(open.is_none());

        let started = Instant::now();
        let opened = Store::open(folder.path(), 1)?;
        slowest = slowest.max(started.elapsed());
        let recovery = opened.recovery;
        if !recovery.missing.is_empty() || !recovery.unknown.is_empty() || recovery.adopted.len() > 1 {
            return Err(format!("after kill {kill}: {recovery:?}").into());
        }
        n_adopted += recovery.adopted.len();
        n_removed += recovery.n_removed;
        opened.store.run_maintenance((kill as u64 + 1) * STEP_MS)?;
        let found = Model::read(&opened.store)?;
        if let Some(missing) = model.find_missing(&found, open.as_ref()) {
            return Err(format!("after kill {kill}, with {open:?} started: {missing}").into());
        }
        model = found;
        if random.below(2) == 0 {
            opened.store.close(1)?;
        }
    }
    println!(
        "kills: {n_kills} kills, {n_acknowledged} changes acknowledged, 0 lost, 0 rows without a file, 0 damaged \
         databases; {n_adopted} finished images adopted, {n_removed} incomplete files removed, {n_in_between} kills \
         between changes; slowest start {} ms",
        slowest.as_millis()
    );
    Ok(())
}
