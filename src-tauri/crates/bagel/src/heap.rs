//! A heap that takes what is used and no more.

/// Keeps the C library from holding memory that is not used, so that a run takes what was foreseen.
///
/// It would give every thread a heap of its own, of which no other can use what was freed; and the larger the blocks
/// that are freed, the larger those that it takes from the heap, where a small one above a freed large one keeps it
/// from being given back. Both together came to an eighth of a run, more or less as threads happened to take turns.
/// Numbers are few and large here, so that nobody waits for the one heap. Fresh pages for every large block are what it
/// costs: a tenth of the pocket model's image, 2.4 s in place of 2.2 with its loading.
///
/// Only glibc does either; elsewhere this does nothing.
#[cfg_attr(
    all(target_os = "linux", target_env = "gnu"),
    expect(unsafe_code, reason = "the C library is told by a call")
)]
pub(crate) fn keep_small() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: each sets a number under the allocator's own lock, and may be called at any time.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
        libc::mallopt(libc::M_MMAP_THRESHOLD, 1 << 20);
        // Fixing the one fixes the other too low: the heap's end would go back and forth with every small tensor.
        libc::mallopt(libc::M_TRIM_THRESHOLD, 4 << 20);
    }
}
