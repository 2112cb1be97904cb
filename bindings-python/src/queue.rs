//! How completions reach an event loop: a list, and a descriptor that becomes readable when the list fills.
//!
//! Runtime threads only ever append and write one byte; the loop's own thread turns what it drains into Python objects.

use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;

use crate::bridge::Outcome;
use crate::credential::Question;

/// What a running call tells its loop.
pub enum Event {
    Done(Outcome),
    Asked(Question),
    /// The call has events for its watcher.
    News,
}

pub struct Mailbox {
    events: Mutex<Vec<(u64, Event)>>,
    wake: Wake,
}

impl Mailbox {
    pub fn push(&self, call: u64, event: Event) {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.push((call, event));
        let first = events.len() == 1;
        drop(events);
        // Later ones travel with the first, whose wake-up is still to come.
        if first {
            self.wake.ring();
        }
    }

    fn drain(&self) -> Vec<(u64, Event)> {
        self.wake.quiet();
        std::mem::take(&mut self.events.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

enum Wake {
    #[cfg(unix)]
    Descriptor { reader: std::os::unix::net::UnixStream, writer: std::os::unix::net::UnixStream },
    /// A Python callable, for loops that cannot watch descriptors: `loop.call_soon_threadsafe` in some form.
    Callable(Py<PyAny>),
}

impl Wake {
    #[cfg(unix)]
    fn descriptor() -> std::io::Result<Wake> {
        let (reader, writer) = std::os::unix::net::UnixStream::pair()?;
        reader.set_nonblocking(true)?;
        writer.set_nonblocking(true)?;
        Ok(Wake::Descriptor { reader, writer })
    }

    #[cfg(not(unix))]
    fn descriptor() -> std::io::Result<Wake> {
        Err(std::io::ErrorKind::Unsupported.into())
    }

    fn ring(&self) {
        match self {
            #[cfg(unix)]
            // A full buffer means that the loop has been woken many times over.
            Wake::Descriptor { writer, .. } => drop(std::io::Write::write(&mut &*writer, &[1])),
            // At exit there is no interpreter to attach to, and nobody to wake.
            Wake::Callable(callable) => drop(Python::try_attach(|py| callable.call0(py).map(drop))),
        }
    }

    fn quiet(&self) {
        match self {
            #[cfg(unix)]
            Wake::Descriptor { reader, .. } => {
                let mut bytes = [0; 64];
                while matches!(std::io::Read::read(&mut &*reader, &mut bytes), Ok(n) if n == bytes.len()) {}
            }
            Wake::Callable(_) => {}
        }
    }
}

/// The completions of one event loop.
#[pyclass(frozen, module = "bloomchats._native")]
pub struct Queue(pub std::sync::Arc<Mailbox>);

#[pymethods]
impl Queue {
    /// Without `wake`, rings a descriptor; with it, calls it from a thread of the runtime.
    #[new]
    #[pyo3(signature = (wake = None))]
    fn new(wake: Option<Py<PyAny>>) -> PyResult<Queue> {
        let wake = match wake {
            Some(callable) => Wake::Callable(callable),
            None => Wake::descriptor()?,
        };
        Ok(Queue(std::sync::Arc::new(Mailbox { events: Mutex::default(), wake })))
    }

    /// The descriptor to watch for reading; -1 when there is none.
    fn fileno(&self) -> i32 {
        match &self.0.wake {
            #[cfg(unix)]
            Wake::Descriptor { reader, .. } => std::os::fd::AsRawFd::as_raw_fd(reader),
            Wake::Callable(_) => -1,
        }
    }

    /// Everything that happened since the last time: `[(call, Answer | Failure | Question | None)]`, `None` for news.
    fn drain(&self, py: Python<'_>) -> PyResult<Vec<(u64, Py<PyAny>)>> {
        let to_python = |(call, event)| match event {
            Event::Done(outcome) => outcome.into_python(py).map(|object| (call, object)),
            Event::Asked(question) => Py::new(py, question).map(|object| (call, object.into_any())),
            Event::News => Ok((call, py.None())),
        };
        self.0.drain().into_iter().map(to_python).collect()
    }
}
