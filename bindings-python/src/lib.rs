//! `bloomchats._native`: the waist of the SDK as Python sees it.
//!
//! One idea a file: clients and the ways into a call (`client`), what a call is made of (`arguments`), how a thread makes one (`call`)
//! and comes back from its waits (`gil`), how an event loop makes one (`running`, told of completions by `queue`), what it came to
//! (`answer`), keys that a callable supplies (`credential`), and state that belongs to one process (`runtime`). Values cross as JSON that
//! the Python package reads; whatever fails comes back as a `Failure`, never as a Rust panic.

mod answer;
mod arguments;
mod call;
mod client;
mod credential;
mod gil;
mod queue;
mod running;
mod runtime;
mod webhook;

/// The native module.
#[pyo3::pymodule]
mod _native {
    #[pymodule_export]
    use crate::answer::{Answer, Failure, new_idempotency_key};
    #[pymodule_export]
    use crate::call::Making;
    #[pymodule_export]
    use crate::client::{Client, NextPage};
    #[pymodule_export]
    use crate::credential::Question;
    #[pymodule_export]
    use crate::queue::Queue;
    #[pymodule_export]
    use crate::running::Pending;
    #[pymodule_export]
    use crate::webhook::{parse_event, sign_webhook, verify_webhook};
    #[pymodule_export]
    const VERSION: &str = bloomchats::VERSION;

    #[pymodule_init]
    fn init(_module: &pyo3::Bound<'_, pyo3::types::PyModule>) -> pyo3::PyResult<()> {
        bloomchats::keep_panics_private();
        #[cfg(unix)]
        crate::runtime::watch_forks()?;
        Ok(())
    }
}
