//! A program at work is killed at any moment; what it was told is saved must be there.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use store::Store;

use crate::Outcome;
use crate::chance::Chance;
use crate::model::{Line, Model, lines};

/// After so many kills a new library begins: reading all of it after each takes its time.
const KILLS_OF_A_LIBRARY: usize = 25;

/// Eight days: every start looks at every row.
const LATER_MS: u64 = 8 * 24 * 60 * 60 * 1000;

pub(crate) fn run(n_kills: usize) -> Outcome<()> {
    let mut chance = Chance::new(0x5eed);
    let (mut n_acknowledged, mut n_adopted, mut n_removed, mut n_in_between) = (0, 0, 0, 0);
    let mut slowest = Duration::ZERO;
    // What it was exporting when it was killed goes away with this.
    let scratch = tempfile::tempdir()?;
    let mut folder = tempfile::tempdir()?;
    let mut model = Model::default();
    for kill in 0..n_kills {
        if kill % KILLS_OF_A_LIBRARY == 0 {
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
        std::thread::sleep(Duration::from_millis(1 + chance.next() % 400));
        child.kill()?;
        let status = child.wait()?;
        if status.code().is_some() {
            return Err(format!("the program ended by itself before kill {kill}: {status}").into());
        }
        let output = reader.join().map_err(|_panic| "the reader failed")??;

        let mut open = None;
        for line in lines(&output)? {
            match line {
                Line::Will(fact) => open = Some(fact),
                Line::Did(fact) => {
                    model.apply(&fact);
                    n_acknowledged += 1;
                    open = None;
                }
                Line::Failed(_, error) => return Err(format!("before kill {kill}: {error}").into()),
            }
        }
        n_in_between += usize::from(open.is_none());

        let began = Instant::now();
        let opened = Store::open(folder.path(), 1)?;
        slowest = slowest.max(began.elapsed());
        let recovery = opened.recovery;
        if !recovery.missing.is_empty() || !recovery.unknown.is_empty() || recovery.adopted.len() > 1 {
            return Err(format!("after kill {kill}: {recovery:?}").into());
        }
        n_adopted += recovery.adopted.len();
        n_removed += recovery.n_removed;
        opened.store.tend((kill as u64 + 1) * LATER_MS)?;
        let found = Model::read(&opened.store)?;
        if let Some(missing) = model.missing_in(&found, open.as_ref()) {
            return Err(format!("after kill {kill}, {open:?} having begun: {missing}").into());
        }
        model = found;
        if chance.below(2) == 0 {
            opened.store.close(1)?;
        }
    }
    println!(
        "kills: {n_kills} kills, {n_acknowledged} changes acknowledged, 0 lost, 0 rows without a file, 0 damaged \
         databases; {n_adopted} finished images taken in, {n_removed} half-written files removed, {n_in_between} \
         kills between changes; slowest start {} ms",
        slowest.as_millis()
    );
    Ok(())
}
