//! A call, and how a thread makes one: it waits for the answer itself, with the GIL released.

use std::future::Future;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bloomchats::Progress;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use tokio::sync::mpsc;

use crate::answer::{self, Failure};
use crate::credential::{HOST, Heard, Host};
use crate::runtime::Borrowed;

/// How long Ctrl-C may go unnoticed in a synchronous call.
const TICK: Duration = Duration::from_millis(50);

/// A call of core's. A panic in it becomes a failure: it must not unwind into the host, nor end the runtime's task unheard.
pub struct Begun {
    pub progress: Arc<Progress>,
    run: Pin<Box<dyn Future<Output = bloomchats::Result<bloomchats::Answer>> + Send>>,
}

impl Begun {
    pub fn new<R>((progress, run): (Arc<Progress>, R)) -> Begun
    where
        R: Future<Output = bloomchats::Result<bloomchats::Answer>> + Send + 'static,
    {
        Begun { progress, run: Box::pin(run) }
    }
}

impl Future for Begun {
    type Output = Result<bloomchats::Answer, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match panic::catch_unwind(AssertUnwindSafe(|| self.run.as_mut().poll(context))) {
            Ok(poll) => poll.map_err(Failure::from),
            Err(_) => Poll::Ready(Err(Failure::internal(&self.progress))),
        }
    }
}

/// Makes a call on this thread: `Answer | Failure`. `watch` is called with each event, as JSON.
///
/// `looks_up`: signals are looked at every 50 ms, for the main thread. Whatever a handler raises ends the call, closes its connection,
/// and carries `idempotency_key` and `maybe_sent`.
pub fn run(
    py: Python<'_>,
    begun: Result<Begun, Failure>,
    looks_up: bool,
    api_key: Option<&Bound<'_, PyAny>>,
    watch: Option<&Bound<'_, PyAny>>,
) -> PyResult<Py<PyAny>> {
    let begun = match begun {
        Ok(begun) => begun,
        Err(failure) => return answer::into_python(py, Err(failure)),
    };
    let progress = begun.progress.clone();
    let (host, mut heard) = (watch.is_some() || api_key.is_some()).then(mpsc::unbounded_channel).unzip();
    if let (Some(host), true) = (host.clone(), watch.is_some()) {
        progress.watch(Arc::new(move |event| drop(host.send(Heard::Event(event.to_json().to_string())))));
    }
    let tell = |event: String| watch.map_or(Ok(()), |watch| watch.call1((event,)).map(drop));
    let mut run = Box::pin(HOST.scope(host.map_or(Host::Nobody, Host::Thread), begun));
    let patience = if looks_up { TICK } else { Duration::MAX };
    let mut borrowed = None;
    let mut ended = loop {
        // Python only runs between these stretches: its code may make calls of its own.
        let pause = py.detach(|| -> io::Result<_> {
            let reactor = match &borrowed {
                Some(borrowed) => borrowed,
                None => borrowed.insert(Borrowed::new()?),
            };
            let stretch = pin!(async {
                tokio::select! {
                    biased;
                    result = run.as_mut() => Pause::Done(result),
                    Some(heard) = hear(&mut heard) => Pause::Heard(heard),
                }
            });
            let Some(reactor) = reactor.get() else { return Ok(Some(Pause::Forked)) };
            let pause = reactor.block_on_for(stretch, patience)?;
            if let Some(Pause::Done(_)) = pause {
                // Before this thread waits for the GIL: another one can use it meanwhile, and its connection.
                borrowed = None;
            }
            Ok(pause)
        });
        let went_on = match pause {
            // A signal between two looks would be raised in our caller's next line, where nobody knows of the call.
            Ok(Some(Pause::Done(result))) => break py.check_signals().map(|()| result),
            Ok(None) => py.check_signals(),
            Ok(Some(Pause::Heard(Heard::Event(event)))) => tell(event),
            Ok(Some(Pause::Heard(Heard::Question(question)))) => match question.settle(api_key) {
                Err(error) if error.is_instance_of::<PyException>(py) => {
                    break Ok(Err(Failure::no_key(&progress, error.into_value(py).into_any())));
                }
                settled => settled,
            },
            Ok(Some(Pause::Forked)) => {
                // Its sockets are the parent's, where the call goes on.
                std::mem::forget(run);
                let message =
                    "the process forked in the middle of this call, which goes on in the parent; call again here";
                return answer::into_python(py, Err(Failure::of_bridge("config", message, &progress)));
            }
            Err(error) => Err(PyErr::from(error)),
        };
        if let Err(error) = went_on {
            break Err(error);
        }
    };
    // An unfinished call tells of its end as it is dropped.
    drop(run);
    while let Some(Ok(last)) = heard.as_mut().map(mpsc::UnboundedReceiver::try_recv) {
        if let Heard::Event(event) = last {
            ended = tell(event).and(ended);
        }
    }
    ended.map_or_else(
        |error| {
            let exception = error.value(py);
            // An exception that takes no attributes is still the one to raise.
            let _ = exception.setattr("idempotency_key", progress.idempotency_key());
            let _ = exception.setattr("maybe_sent", progress.maybe_sent());
            Err(error)
        },
        |result| answer::into_python(py, result),
    )
}

enum Pause {
    Done(Result<bloomchats::Answer, Failure>),
    Heard(Heard),
    Forked,
}

async fn hear(heard: &mut Option<mpsc::UnboundedReceiver<Heard>>) -> Option<Heard> {
    heard.as_mut()?.recv().await
}
