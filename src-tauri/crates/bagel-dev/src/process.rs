//! Memory of this process; only Linux reports it.

/// Bytes that the process holds now.
pub(crate) fn resident_bytes() -> Option<u64> {
    status("VmRSS:")
}

/// The most bytes that the process held since [`reset_peak`].
pub(crate) fn peak_bytes() -> Option<u64> {
    status("VmHWM:")
}

/// Starts a new peak; without permission, the peak remains that of the whole process.
pub(crate) fn reset_peak() {
    std::fs::write("/proc/self/clear_refs", "5").ok();
}

fn status(key: &str) -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find(|line| line.starts_with(key))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib * 1024)
}
