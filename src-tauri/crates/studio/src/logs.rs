//! Log files: a few, bounded in size, readable by the user alone.
//!
//! They hold `info` and above, where prompts, plans and answers never appear, so they can be attached to a report.
//!
//! Kept instead of tracing-appender, which rotates by time alone and cannot set a file's mode: a log that grows without
//! a limit between two midnights can fill a disk.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

/// Bytes of a file before the next one is started.
const FILE_BYTES: u64 = 5 << 20;

/// Files that are kept, including the current one.
const MAX_FILES: usize = 5;

/// The log files of one folder. Clones write to the same file.
#[derive(Clone, Debug)]
pub struct Log(Arc<Mutex<Rotation>>);

#[derive(Debug)]
struct Rotation {
    folder: PathBuf,
    file: Option<File>,
    bytes: u64,
    max_bytes: u64,
}

impl Log {
    /// Opens the newest file of a folder, and creates the folder if it is missing.
    pub fn open(folder: &Path) -> io::Result<Self> {
        Self::with_limit(folder, FILE_BYTES)
    }

    fn with_limit(folder: &Path, max_bytes: u64) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let (file, bytes) = open_private(&numbered(folder, 0))?;
        let rotation = Rotation { folder: folder.to_path_buf(), file: Some(file), bytes, max_bytes };
        Ok(Self(Arc::new(Mutex::new(rotation))))
    }

    /// Sends this program's events to standard error, filtered by the environment, and to the log from `info` up.
    pub fn install(&self) {
        let wanted = EnvFilter::try_from_env("BAGEL_LOG").unwrap_or_else(|_unset| EnvFilter::new("info"));
        let to_terminal = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_filter(wanted);
        let to_file =
            tracing_subscriber::fmt::layer().with_ansi(false).with_writer(self.clone()).with_filter(LevelFilter::INFO);
        // A second call, in tests, changes nothing.
        let _ = tracing_subscriber::registry().with(to_terminal).with(to_file).try_init();
    }
}

/// The last lines of a folder's newest log file.
pub fn tail(folder: &Path, n_lines: usize) -> Vec<String> {
    let Ok(file) = File::open(numbered(folder, 0)) else { return Vec::new() };
    let mut lines = VecDeque::new();
    for line in BufReader::new(file).split(b'\n').map_while(io::Result::ok) {
        if lines.len() == n_lines {
            lines.pop_front();
        }
        lines.push_back(String::from_utf8_lossy(&line).into_owned());
    }
    lines.into()
}

impl Rotation {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes > 0 && self.bytes + bytes.len() as u64 > self.max_bytes {
            self.rotate()?;
        }
        let Some(file) = &mut self.file else { return Ok(bytes.len()) };
        file.write_all(bytes)?;
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn rotate(&mut self) -> io::Result<()> {
        // Closed first: a system may refuse to rename an open file.
        self.file = None;
        for number in (0..MAX_FILES - 1).rev() {
            let from = numbered(&self.folder, number);
            if from.exists() {
                fs::rename(from, numbered(&self.folder, number + 1))?;
            }
        }
        let (file, bytes) = open_private(&numbered(&self.folder, 0))?;
        (self.file, self.bytes) = (Some(file), bytes);
        Ok(())
    }
}

/// Writes one event to the current file.
#[derive(Debug)]
pub struct LogWriter<'a>(MutexGuard<'a, Rotation>);

impl Write for LogWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = LogWriter<'a>;

    fn make_writer(&'a self) -> LogWriter<'a> {
        LogWriter(self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn numbered(folder: &Path, number: usize) -> PathBuf {
    folder.join(if number == 0 { "studio.log".to_owned() } else { format!("studio.{number}.log") })
}

/// Opens a file for appending, readable by the user alone; gives its length too.
fn open_private(path: &Path) -> io::Result<(File, u64)> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    let bytes = file.metadata()?.len();
    Ok((file, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_are_bounded_private_and_end_with_the_newest_line() {
        let folder = tempfile::tempdir().unwrap();
        let log = Log::with_limit(folder.path(), 1000).unwrap();
        for number in 0..1000 {
            writeln!(log.make_writer(), "line {number:04} 0123456789").unwrap();
        }
        let files: Vec<_> = fs::read_dir(folder.path()).unwrap().flatten().collect();
        assert_eq!(files.len(), MAX_FILES);
        assert!(files.iter().all(|file| file.metadata().unwrap().len() <= 1000));
        assert_eq!(tail(folder.path(), 1), ["line 0999 0123456789"]);
        #[cfg(unix)]
        for file in files {
            let mode = std::os::unix::fs::PermissionsExt::mode(&file.metadata().unwrap().permissions());
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}
