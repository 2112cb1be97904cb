//! `bloomchats._native`: the waist of the SDK as Python sees it.
//!
//! Four ideas, one file each: state that belongs to one process (`runtime`), the way completions reach an event loop
//! (`queue`), keys that a callable supplies (`credential`), and calls (`bridge`). Arguments and values cross as JSON
//! that the Python package writes and reads; whatever fails comes back as a `Failure`, never as a Rust panic.

mod bridge;
mod credential;
mod queue;
mod runtime;
mod webhook;

/// The native module.
#[pyo3::pymodule]
mod _native {
    #[pymodule_export]
    use crate::bridge::{Answer, Call, Client, Failure, Pending, new_idempotency_key};
    #[pymodule_export]
    use crate::credential::Question;
    #[pymodule_export]
    use crate::queue::Queue;
    #[pymodule_export]
    use crate::webhook::{parse_event, sign_webhook, verify_webhook};
    #[pymodule_export]
    const VERSION: &str = bloomchats::VERSION;

    #[pymodule_init]
    fn init(_module: &pyo3::Bound<'_, pyo3::types::PyModule>) -> pyo3::PyResult<()> {
        #[cfg(unix)]
        crate::runtime::watch_forks()?;
        Ok(())
    }
}
