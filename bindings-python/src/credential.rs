//! Keys that a Python callable supplies. Core asks; the host's own thread answers: the calling one for a synchronous
//! call, the event loop's for an asynchronous one.

use std::sync::{Arc, Mutex};

use bloomchats::{BoxFuture, CredentialProvider, Secret};
use pyo3::prelude::*;
use tokio::sync::{mpsc, oneshot};

use crate::running::Running;
use crate::runtime::lock;

tokio::task_local! {
    /// Who answers the questions of the call that is running.
    pub static HOST: Host;
}

pub enum Host {
    /// The thread that makes the call and waits for it.
    Thread(mpsc::UnboundedSender<Heard>),
    /// The loop that started the call.
    Loop(Arc<Running>),
    /// The call has no questions and no watcher.
    Nobody,
}

/// What a call tells the thread that makes it.
pub enum Heard {
    Question(Question),
    /// Something that came to its end, as JSON.
    Event(String),
}

/// The provider that core knows. It holds no Python object: the callable stays with the Python client, where the
/// garbage collector sees it.
pub struct Asking;

impl CredentialProvider for Asking {
    fn credential(&self) -> BoxFuture<bloomchats::Result<Secret>> {
        let (answer, answered) = oneshot::channel();
        let question = |running| Question { answer: Mutex::new(Some(answer)), running };
        // Every call runs under a host. Without one the question would be dropped here and the call time out.
        let _ = HOST.try_with(|host| match host {
            Host::Thread(asked) => drop(asked.send(Heard::Question(question(None)))),
            Host::Loop(running) => running.ask(question(Some(running.clone()))),
            Host::Nobody => {}
        });
        Box::pin(async move {
            match answered.await {
                Ok(key) => Ok(key),
                // The callable failed; whoever answers questions is ending this call with its error.
                Err(_) => std::future::pending().await,
            }
        })
    }
}

/// "Which key?", asked before the first attempt of a call and once after a 401.
#[pyclass(frozen, module = "bloomchats._native")]
pub struct Question {
    answer: Mutex<Option<oneshot::Sender<Secret>>>,
    running: Option<Arc<Running>>,
}

#[pymethods]
impl Question {
    /// Goes on with this key.
    fn answer(&self, key: String) {
        let answer = lock(&self.answer).take();
        if let Some(answer) = answer {
            // A call that was cancelled meanwhile no longer listens.
            let _ = answer.send(key.into());
        }
    }

    /// Ends the call; `error` becomes the cause of its failure.
    fn fail(&self, error: Py<PyAny>) {
        if let Some(running) = &self.running {
            running.fail_for_want_of_a_key(error);
        }
    }
}
