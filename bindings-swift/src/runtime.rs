//! The runtime that drives connections.

use std::io;
use std::sync::{Mutex, PoisonError};

use tokio::runtime::{Builder, Runtime};

/// The process's runtime: one thread for connections and timers, started by the first call. It is never stopped: a
/// process ends without waiting for it.
pub fn runtime() -> io::Result<&'static Runtime> {
    static RUNTIME: Mutex<Option<&'static Runtime>> = Mutex::new(None);
    let mut slot = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(runtime) = *slot {
        return Ok(runtime);
    }
    let mut builder = Builder::new_multi_thread();
    // The blocking threads only resolve host names.
    builder.worker_threads(1).max_blocking_threads(8).thread_name("bloomchats").enable_all();
    let runtime: &'static Runtime = Box::leak(Box::new(builder.build()?));
    *slot = Some(runtime);
    Ok(runtime)
}
