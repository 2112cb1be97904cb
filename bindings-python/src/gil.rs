//! How a thread waits without the interpreter's lock (GIL), and comes back to it where others come back at the same time.
//!
//! A thread that finds the lock taken sleeps for it, and CPython wakes it while it still holds the mutex that guards the lock, so that on
//! another core it sleeps once more. Whoever steps aside on the way lets the holder finish, and finds the lock free.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use pyo3::prelude::*;

/// Whether the thread that came back last has not waited again. It may be gone, or be waiting for something else: nothing may depend on it.
static BUSY: AtomicBool = AtomicBool::new(false);

/// Two make a send of 64 threads on two cores cheaper by a quarter (`cargo xtask bench --only python-ours-sync`). More add little to
/// that, and each can cost a time slice where other programs want the core.
const STEPS: usize = 2;

/// Runs `wait` with the lock released.
pub fn release<T: Send>(py: Python<'_>, wait: impl FnOnce() -> T + Send) -> T {
    BUSY.store(false, Ordering::Relaxed);
    let done = py.detach(|| {
        let done = wait();
        step_aside();
        done
    });
    BUSY.store(true, Ordering::Relaxed);
    done
}

fn step_aside() {
    for _ in 0..STEPS {
        if !BUSY.load(Ordering::Relaxed) {
            break;
        }
        thread::yield_now();
    }
}
