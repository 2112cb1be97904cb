//! The thread that drives connections.

use std::future::pending;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::thread;

use tokio::runtime::{Builder, Handle};

/// The way to the process's one thread for connections and timers, which the first call starts. It is never stopped: a
/// process ends without waiting for it.
pub fn runtime() -> io::Result<Handle> {
    static RUNTIME: Mutex<Option<Handle>> = Mutex::new(None);
    let mut slot = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = &*slot {
        return Ok(handle.clone());
    }
    // The scheduler for many threads would make the library 40 KB larger. The blocking threads only resolve host names.
    let runtime =
        Builder::new_current_thread().max_blocking_threads(8).thread_name("bloomchats").enable_all().build()?;
    let handle = runtime.handle().clone();
    thread::Builder::new().name("bloomchats".into()).spawn(move || runtime.block_on(pending::<()>()))?;
    *slot = Some(handle.clone());
    Ok(handle)
}
