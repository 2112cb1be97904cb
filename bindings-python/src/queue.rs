//! How completions reach an event loop: a list, and a descriptor that becomes readable when there is something to do.
//!
//! The descriptor is a reactor's: the loop that watches it drives its calls itself. Loops that watch no descriptors have their calls driven
//! by the runtime's thread, which only ever appends and calls; turning what happened into Python objects is the loop's own in both cases.

use std::future::Future;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use bloomchats::{Reactor, Task};
use pyo3::prelude::*;
use tokio::task::JoinHandle;

use crate::answer::{self, Failure};
use crate::credential::Question;
use crate::runtime::{Local, lock, open_reactor, runtime};

/// What a running call tells its loop.
pub enum Event {
    Done(Result<Box<bloomchats::Answer>, Failure>),
    Asked(Question),
    /// The call has events for its watcher.
    News,
}

/// Answers of so many bytes together are taken at once: what is made of them would otherwise be in memory all at the same time, and in no
/// cache.
const AT_ONCE: usize = 64 * 1024;

#[derive(Default)]
struct Letters {
    events: Vec<(u64, Event)>,
    /// Of the answers among them.
    bytes: usize,
}

impl Event {
    fn size(&self) -> usize {
        match self {
            Event::Done(result) => result.as_ref().map_or(0, |answer| answer.body.len()),
            _ => 0,
        }
    }
}

pub struct Mailbox {
    letters: Mutex<Letters>,
    /// While the loop is at it, what comes in needs no wake-up.
    draining: AtomicBool,
    engine: Engine,
}

enum Engine {
    /// The loop's own thread.
    Reactor(Reactor),
    /// The runtime's; the Python callable has the loop drain: `loop.call_soon_threadsafe` in some form.
    Thread(Py<PyAny>),
}

/// A call under way.
pub enum Driven {
    Reactor(Task),
    Thread(JoinHandle<()>),
}

impl Mailbox {
    pub fn push(&self, call: u64, event: Event) {
        let mut letters = lock(&self.letters);
        letters.bytes += event.size();
        letters.events.push((call, event));
        let first = letters.events.len() == 1;
        drop(letters);
        // Later ones travel with the first, whose wake-up is still to come.
        if !first || self.draining.load(Ordering::Acquire) {
            return;
        }
        match &self.engine {
            Engine::Reactor(reactor) => reactor.ring(),
            // At exit there is no interpreter to attach to, and nobody to wake.
            Engine::Thread(wake) => drop(Python::try_attach(|py| wake.call0(py).map(drop))),
        }
    }

    pub fn drive(&self, call: impl Future<Output = ()> + Send + 'static) -> io::Result<Driven> {
        Ok(match &self.engine {
            Engine::Reactor(reactor) => Driven::Reactor(reactor.spawn(call)),
            Engine::Thread(_) => Driven::Thread(runtime()?.spawn(call)),
        })
    }

    /// An error is the reactor's: it drives no call any further.
    fn drain(&self) -> io::Result<Vec<(u64, Event)>> {
        if let Engine::Reactor(reactor) = &self.engine {
            self.draining.store(true, Ordering::Release);
            let turned = panic::catch_unwind(AssertUnwindSafe(|| reactor.turn(|| lock(&self.letters).bytes < AT_ONCE)));
            self.draining.store(false, Ordering::Release);
            turned.unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))?;
        }
        Ok(std::mem::take(&mut *lock(&self.letters)).events)
    }
}

/// The completions of one event loop.
#[pyclass(frozen, module = "bloomchats._native")]
pub struct Queue(Local<Arc<Mailbox>>);

impl Queue {
    /// `None` in a child: the descriptors are its parent's.
    pub fn mailbox(&self) -> Option<&Arc<Mailbox>> {
        self.0.get()
    }
}

#[pymethods]
impl Queue {
    /// Without `wake`, calls are driven by whoever drains; with it, by the runtime's thread, which calls it.
    #[new]
    #[pyo3(signature = (wake = None))]
    fn new(wake: Option<Py<PyAny>>) -> PyResult<Queue> {
        let engine = match wake {
            Some(callable) => Engine::Thread(callable),
            None => Engine::Reactor(open_reactor()?),
        };
        let mailbox = Mailbox { letters: Mutex::default(), draining: AtomicBool::new(false), engine };
        Ok(Queue(Local::new(Arc::new(mailbox))))
    }

    /// The descriptor to watch for reading; -1 when there is none.
    fn fileno(&self) -> i32 {
        match self.mailbox().map(|mailbox| &mailbox.engine) {
            #[cfg(unix)]
            Some(Engine::Reactor(reactor)) => reactor.fd(),
            _ => -1,
        }
    }

    /// Everything that happened since the last time: `[(call, Answer | Failure | Question | None)]`, `None` for news.
    fn drain(&self, py: Python<'_>) -> PyResult<Vec<(u64, Py<PyAny>)>> {
        let to_python = |(call, event)| match event {
            Event::Done(result) => answer::into_python(py, result).map(|object| (call, object)),
            Event::Asked(question) => Py::new(py, question).map(|object| (call, object.into_any())),
            Event::News => Ok((call, py.None())),
        };
        let Some(mailbox) = self.mailbox() else { return Ok(Vec::new()) };
        mailbox.drain()?.into_iter().map(to_python).collect()
    }
}
