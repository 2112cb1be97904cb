//! Calls that an event loop waits for.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bloomchats::Progress;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::answer::Failure;
use crate::call::Begun;
use crate::credential::{HOST, Host, Question};
use crate::queue::{Driven, Event, Mailbox, Queue};
use crate::runtime::{Local, lock, runtime};

/// How long the end of a cancelled call may be waited for. It takes microseconds, unless the runtime's thread is starved.
const END: Duration = Duration::from_secs(1);

/// Starts a call; what happens is told to `queue` under the number `call`. `watched`: so are events.
pub fn start(begun: Begun, queue: &Queue, call: u64, watched: bool) -> PyResult<Pending> {
    let forked = || PyRuntimeError::new_err("the queue is another process's");
    let mailbox = queue.mailbox().ok_or_else(forked)?.clone();
    let progress = begun.progress.clone();
    let news = Arc::<News>::default();
    if watched {
        let (news, mailbox) = (news.clone(), mailbox.clone());
        progress.watch(Arc::new(move |event| {
            lock(&news).push(event.to_json().to_string());
            mailbox.push(call, Event::News);
        }));
    }
    let running = Arc::new(Running { call, mailbox, progress, driven: Mutex::default() });
    let told = running.clone();
    let run = async move {
        let result = begun.await;
        told.end(result);
    };
    let driven = running.mailbox.drive(HOST.scope(Host::Loop(running.clone()), run))?;
    *lock(&running.driven) = Some(driven);
    Ok(Pending(Local::new(Active { running, news })))
}

/// An asynchronous call under way.
pub struct Running {
    call: u64,
    mailbox: Arc<Mailbox>,
    progress: Arc<Progress>,
    /// Gone once it has been stopped.
    driven: Mutex<Option<Driven>>,
}

impl Running {
    pub fn ask(&self, question: Question) {
        self.mailbox.push(self.call, Event::Asked(question));
    }

    pub fn fail_for_want_of_a_key(&self, error: Py<PyAny>) {
        self.stop();
        self.end(Err(Failure::no_key(&self.progress, error)));
    }

    fn end(&self, result: Result<Box<bloomchats::Answer>, Failure>) {
        self.mailbox.push(self.call, Event::Done(result));
    }

    /// Ends the call. What comes back is still at work on that, on the runtime's thread.
    fn stop(&self) -> Option<JoinHandle<()>> {
        let driven = lock(&self.driven).take();
        match driven? {
            Driven::Reactor(task) => {
                task.cancel();
                None
            }
            Driven::Thread(task) => {
                task.abort();
                Some(task)
            }
        }
    }
}

/// Events as JSON that wait for their watcher.
type News = Mutex<Vec<String>>;

/// The host's hold on an asynchronous call; letting go of it cancels the call.
#[pyclass(frozen, module = "bloomchats._native")]
pub struct Pending(Local<Active>);

struct Active {
    running: Arc<Running>,
    news: Arc<News>,
}

#[pymethods]
impl Pending {
    /// Ends the call: its socket closes, its waits end. Nothing when it is over.
    ///
    /// Comes back when nothing more happens, so that what is then read about the call is the whole truth.
    fn cancel(&self, py: Python<'_>) -> PyResult<()> {
        let Some(active) = self.0.get() else { return Ok(()) };
        // The garbage collector may bring us here on the runtime's own thread, which must not wait for itself.
        if let Some(task) = active.running.stop().filter(|_| Handle::try_current().is_err()) {
            let runtime = runtime()?;
            py.detach(|| runtime.block_on(async { drop(tokio::time::timeout(END, task).await) }));
        }
        Ok(())
    }

    /// Events since the last time.
    fn events(&self) -> Vec<String> {
        let take = |active: &Active| std::mem::take(&mut *lock(&active.news));
        self.0.get().map(take).unwrap_or_default()
    }

    #[getter]
    fn maybe_sent(&self) -> bool {
        self.0.get().is_some_and(|active| active.running.progress.maybe_sent())
    }

    #[getter]
    fn idempotency_key(&self) -> Option<String> {
        self.0.get()?.running.progress.idempotency_key()
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let Some(active) = self.0.get() {
            active.running.stop();
        }
    }
}
