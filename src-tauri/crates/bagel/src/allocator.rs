//! Makes the C library return freed memory to the system.

/// Limits what the C library retains, so that a run holds what the estimate said.
///
/// By default glibc gives every thread an arena whose freed memory no other thread can use, and raises its threshold
/// for separate mappings with the size of the blocks that are freed; a small block above a large freed one then keeps
/// the large one from being returned. Together they added up to an eighth of a run, depending on how threads happened
/// to be scheduled. Allocations are few and large here, so one arena is no bottleneck. The cost is fresh pages for
/// every large block: 2.4 s instead of 2.2 s for an image of the pocket model, loading included.
///
/// Only glibc behaves this way; elsewhere this does nothing.
#[cfg_attr(all(target_os = "linux", target_env = "gnu"), expect(unsafe_code, reason = "mallopt is a C function"))]
pub(crate) fn limit_retained_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: each call sets a number under the allocator's own lock and may happen at any time.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
        libc::mallopt(libc::M_MMAP_THRESHOLD, 1 << 20);
        // Setting the mapping threshold also fixes the trim threshold at 128 KiB, which would move the heap's end with
        // every small tensor.
        libc::mallopt(libc::M_TRIM_THRESHOLD, 4 << 20);
    }
}
