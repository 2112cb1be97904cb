//! One call under way: driven by its mailbox's engine, cancelled from the environment's thread.

use std::future::Future;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bloomchats::{BoxFuture, CredentialProvider, Error, Progress, Run, Secret};
use serde_json::json;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use crate::mailbox::{Driven, Event, Mailbox, lock};

/// The process's runtime: one thread that makes connections and wakes loops for timers, started by the first call and shared
/// by all environments. It is never stopped: Node ends its process without waiting for it.
pub fn runtime() -> io::Result<&'static Runtime> {
    static RUNTIME: Mutex<Option<&'static Runtime>> = Mutex::new(None);
    let mut slot = lock(&RUNTIME);
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

/// A call under way, or just over.
pub struct Running {
    call: u32,
    mailbox: Arc<Mailbox>,
    progress: Arc<Progress>,
    /// Gone once it has come to its end or was cancelled. Whoever polls or drops it holds the lock, so that a
    /// cancelled call has told all it did before `cancel` looks at its progress.
    run: Mutex<Option<Run>>,
    answer: Mutex<Option<oneshot::Sender<Secret>>>,
    driven: Mutex<Option<Driven>>,
}

tokio::task_local! {
    static CURRENT: Arc<Running>;
}

impl Running {
    /// Starts a call. `watched`: its events go where its end goes, before it.
    pub fn spawn(call: u32, mailbox: Arc<Mailbox>, progress: Arc<Progress>, run: Run, watched: bool) -> Arc<Running> {
        if watched {
            let mailbox = mailbox.clone();
            progress.watch(Arc::new(move |event| mailbox.push(call, Event::Seen(event.to_json().to_string()))));
        }
        let run = Mutex::new(Some(run));
        let running = Running { call, mailbox, progress, run, answer: Mutex::default(), driven: Mutex::default() };
        let running = Arc::new(running);
        let driven = running.mailbox.drive(CURRENT.scope(running.clone(), Drive(running.clone())));
        *lock(&running.driven) = Some(driven);
        running
    }

    /// Ends the call: its socket closes, its waits end, and that is what comes of it. Nothing happens when it was over.
    pub fn cancel(&self) {
        self.fail("cancelled", "cancelled");
    }

    /// Ends the call like [`Running::cancel`], for another reason.
    pub fn fail(&self, kind: &str, message: &str) {
        let Some(run) = lock(&self.run).take() else { return };
        // Connections are given back to the runtime that drives them.
        let _entered = runtime().map(Runtime::enter);
        drop(run);
        let driven = lock(&self.driven).take();
        match driven {
            Some(Driven::Loop(task)) => task.cancel(),
            Some(Driven::Thread(task)) => task.abort(),
            None => {}
        }
        self.mailbox.push(self.call, Event::Failed(self.failure(kind, message)));
    }

    /// Answers core's question "credential?".
    pub fn answer(&self, key: String) {
        if let Some(answer) = lock(&self.answer).take() {
            // Core may have stopped waiting.
            let _ = answer.send(Secret::new(key));
        }
    }

    /// A failure that only a bridge can meet, so that core has no word for it.
    fn failure(&self, kind: &str, message: &str) -> String {
        json!({
            "kind": kind,
            "message": message,
            "attempts": self.progress.attempts(),
            "maybe_sent": self.progress.maybe_sent(),
            "idempotency_key": self.progress.idempotency_key(),
        })
        .to_string()
    }
}

/// Polls a call where it can still be taken away.
struct Drive(Arc<Running>);

impl Future for Drive {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let running = &self.0;
        let mut slot = lock(&running.run);
        let Some(run) = slot.as_mut() else { return Poll::Ready(()) };
        // A panic in core becomes a failure of this one call.
        let event = match panic::catch_unwind(AssertUnwindSafe(|| run.as_mut().poll(context))) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(Ok(answer))) => Event::Done(answer),
            Ok(Poll::Ready(Err(error))) => Event::Failed(to_json(&error)),
            Err(_) => Event::Failed(running.failure("internal", "internal error in bloomchats; please report it")),
        };
        *slot = None;
        running.mailbox.push(running.call, event);
        Poll::Ready(())
    }
}

/// The form in which errors cross.
pub fn to_json(error: &Error) -> String {
    error.to_json().to_string()
}

/// A key that a JavaScript function supplies: core asks, the environment of the call answers.
pub struct Provider;

impl CredentialProvider for Provider {
    fn credential(&self) -> BoxFuture<bloomchats::Result<Secret>> {
        Box::pin(async {
            let (answer, answered) = oneshot::channel();
            // Every call of this bridge runs under `CURRENT`; without one nobody would answer.
            let _ = CURRENT.try_with(|running| {
                *lock(&running.answer) = Some(answer);
                running.mailbox.push(running.call, Event::Asked);
            });
            match answered.await {
                Ok(key) => Ok(key),
                // The call is being ended by whoever dropped the question.
                Err(_) => std::future::pending().await,
            }
        })
    }
}
