//! One heap for all threads.

/// Keeps the C library from giving every thread a heap of its own: what one thread has freed no other could use, and a
/// run would take up to an eighth more memory than was foreseen. Numbers are few and large here, so that nobody waits.
///
/// Only glibc has such heaps; elsewhere this does nothing.
#[cfg_attr(
    all(target_os = "linux", target_env = "gnu"),
    expect(unsafe_code, reason = "the C library is told by a call")
)]
pub(crate) fn share_one() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: it sets a number under the allocator's own lock, and may be called at any time.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
}
