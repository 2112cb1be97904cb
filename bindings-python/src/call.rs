//! A call, and how a thread makes one: it waits for the answer itself, with the GIL released.

use std::future::{Future, Ready, ready};
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bloomchats::Progress;
use pyo3::prelude::*;
use pyo3::types::PyString;
use tokio::sync::mpsc;
use tokio::task::futures::TaskLocalFuture;

use crate::answer::{self, Failure};
use crate::credential::{HOST, Heard, Host};
use crate::gil;
use crate::runtime::{Borrowed, Local, lock};

/// How long Ctrl-C may go unnoticed in a synchronous call.
const TICK: Duration = Duration::from_millis(50);

/// A call of core's, or the refusal of one. A panic in it becomes a failure: it must not unwind into the host, nor end the runtime's
/// task unheard.
pub struct Begun {
    pub progress: Arc<Progress>,
    run: Run,
}

enum Run {
    Core(bloomchats::Run),
    Refused(Ready<Failure>),
}

impl Begun {
    pub fn new((progress, run): (Arc<Progress>, bloomchats::Run)) -> Begun {
        Begun { progress, run: Run::Core(run) }
    }
}

impl From<Failure> for Begun {
    fn from(refusal: Failure) -> Begun {
        Begun { progress: Arc::default(), run: Run::Refused(ready(refusal)) }
    }
}

impl Future for Begun {
    type Output = Result<Box<bloomchats::Answer>, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = panic::catch_unwind(AssertUnwindSafe(|| match &mut self.run {
            Run::Core(run) => run.as_mut().poll(context).map_err(Failure::from),
            Run::Refused(refusal) => Pin::new(refusal).poll(context).map(Err),
        }));
        polled.unwrap_or_else(|_| Poll::Ready(Err(Failure::internal(&self.progress))))
    }
}

/// A call that a thread makes: what it asks and tells meanwhile is for the Python half to settle, between two stretches of it.
#[pyclass(frozen, module = "bloomchats._native")]
pub struct Making {
    call: Local<Mutex<Call>>,
    progress: Arc<Progress>,
}

struct Call {
    /// `None` once it is over.
    run: Option<Pin<Box<TaskLocalFuture<Host, Begun>>>>,
    heard: Option<mpsc::UnboundedReceiver<Heard>>,
    borrowed: Option<Borrowed>,
}

enum Pause {
    Done(Result<Box<bloomchats::Answer>, Failure>),
    Heard(Heard),
}

impl Making {
    /// `asks`: the call is given keys when it asks for them. `watched`: it tells its events.
    pub fn new(begun: Begun, asks: bool, watched: bool) -> Making {
        let progress = begun.progress.clone();
        let (host, heard) = (asks || watched).then(mpsc::unbounded_channel).unzip();
        if let (Some(host), true) = (host.clone(), watched) {
            progress.watch(Arc::new(move |event| drop(host.send(Heard::Event(event.to_json().to_string())))));
        }
        let run = Box::pin(HOST.scope(host.map_or(Host::Nobody, Host::Thread), begun));
        Making { call: Local::new(Mutex::new(Call { run: Some(run), heard, borrowed: None })), progress }
    }
}

#[pymethods]
impl Making {
    /// Goes on with it on this thread, with the GIL released, until it is over or has something to settle:
    /// `Answer | Failure | Question | str`, the last an event as JSON.
    ///
    /// `looks_up`: signals are looked at every 50 ms, for the main thread. What a handler raises is raised here.
    fn go_on(&self, py: Python<'_>, looks_up: bool) -> PyResult<Py<PyAny>> {
        let Some(call) = self.call.get() else {
            // Its sockets are the parent's.
            let message = "the process forked in the middle of this call, which goes on in the parent; call again here";
            return answer::into_python(py, Err(Failure::of_bridge("config", message, &self.progress)));
        };
        let patience = if looks_up { TICK } else { Duration::MAX };
        let look_up = || if looks_up { py.check_signals() } else { Ok(()) };
        loop {
            match gil::release(py, || lock(call).drive(patience))? {
                Some(Pause::Done(result)) => {
                    // A signal between two looks would be raised in our caller's next line, where nobody knows of the call.
                    look_up()?;
                    return answer::into_python(py, result);
                }
                Some(Pause::Heard(Heard::Event(event))) => return Ok(PyString::new(py, &event).into_any().unbind()),
                Some(Pause::Heard(Heard::Question(question))) => return Ok(Py::new(py, question)?.into_any()),
                None => look_up()?,
            }
        }
    }

    /// Ends it, closing its connection if it is not over, and gives the events that nobody has seen.
    fn end(&self) -> Vec<String> {
        let Some(call) = self.call.get() else { return Vec::new() };
        let mut call = lock(call);
        // An unfinished call tells of its end as it is dropped.
        call.run = None;
        let unseen = std::iter::from_fn(|| call.heard.as_mut()?.try_recv().ok());
        unseen.filter_map(|heard| if let Heard::Event(event) = heard { Some(event) } else { None }).collect()
    }

    /// What the call comes to when its key could not be had because of `error`.
    fn without_key(&self, error: Py<PyAny>) -> Failure {
        Failure::no_key(&self.progress, error)
    }

    #[getter]
    fn maybe_sent(&self) -> bool {
        self.progress.maybe_sent()
    }

    #[getter]
    fn idempotency_key(&self) -> Option<String> {
        self.progress.idempotency_key()
    }
}

impl Call {
    /// Runs it for as long as `patience` lasts.
    fn drive(&mut self, patience: Duration) -> io::Result<Option<Pause>> {
        let run = self.run.as_mut().ok_or_else(|| io::Error::other("the call is over"))?;
        let borrowed = match &self.borrowed {
            Some(borrowed) => borrowed,
            None => self.borrowed.insert(Borrowed::new()?),
        };
        let reactor = borrowed.get().ok_or(io::ErrorKind::NotConnected)?;
        let pause = {
            let stretch = pin!(async {
                tokio::select! {
                    biased;
                    result = run.as_mut() => Pause::Done(result),
                    Some(heard) = hear(&mut self.heard) => Pause::Heard(heard),
                }
            });
            reactor.block_on_for(stretch, patience)?
        };
        if let Some(Pause::Done(_)) = pause {
            self.run = None;
            // Before this thread waits for the GIL: another one can use it meanwhile, and its connection.
            self.borrowed = None;
        }
        Ok(pause)
    }
}

async fn hear(heard: &mut Option<mpsc::UnboundedReceiver<Heard>>) -> Option<Heard> {
    heard.as_mut()?.recv().await
}
