//! One call under way: driven by the runtime's thread, followed from a Swift task, cancelled from any thread.

use std::collections::VecDeque;
use std::future::Future;
use std::panic::{self, AssertUnwindSafe};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bloomchats::{Answer, BoxFuture, CredentialProvider, Progress, Run, Secret};
use tokio::sync::oneshot;

use crate::abi::Listener;
use crate::{bridge_failure, internal_failure, lock, runtime};

/// How a call stands.
pub enum Step {
    /// It succeeded.
    Done(Box<Answer>),
    /// It failed: core's error as JSON.
    Failed(Vec<u8>),
    /// Something of it came to its end: core's event as JSON.
    Event(Vec<u8>),
    /// Core wants a credential: [`Call::answer`] it, and listen again.
    Asked,
}

/// A call, from its preparation to its end.
pub struct Call {
    line: Arc<Line>,
    /// Taken when it is first listened to.
    prepared: Mutex<Option<Running>>,
}

/// What the two sides of a call share.
struct Line {
    progress: Arc<Progress>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Told, and not heard yet.
    steps: VecDeque<Step>,
    listener: Option<Listener>,
    /// Where the answer to core's question goes.
    question: Option<oneshot::Sender<Secret>>,
    stopped: bool,
    waker: Option<Waker>,
}

impl Line {
    fn tell(&self, step: Step) {
        let mut state = lock(&self.state);
        match state.listener.take() {
            Some(listener) => {
                drop(state);
                listener.hear(step);
            }
            None => state.steps.push_back(step),
        }
    }

    fn listen(&self, listener: Listener) {
        let mut state = lock(&self.state);
        match state.steps.pop_front() {
            Some(step) => {
                drop(state);
                listener.hear(step);
            }
            None => state.listener = Some(listener),
        }
    }

    fn stop(&self) {
        let waker = {
            let mut state = lock(&self.state);
            state.stopped = true;
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Whether the call was cancelled; if it is later, `context` is woken.
    fn stopped(&self, context: &Context<'_>) -> bool {
        let mut state = lock(&self.state);
        if !state.waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            state.waker = Some(context.waker().clone());
        }
        state.stopped
    }
}

tokio::task_local! {
    static CURRENT: Arc<Line>;
}

impl Call {
    /// `watched`: it tells of its events too. `asks`: its client's keys come from [`Provider`].
    pub fn new(progress: Arc<Progress>, run: Run, watched: bool, asks: bool) -> Call {
        let line = Arc::new(Line { progress, state: Mutex::default() });
        if watched {
            let told = Arc::downgrade(&line);
            line.progress.watch(Arc::new(move |event| {
                if let Some(line) = told.upgrade() {
                    line.tell(Step::Event(event.to_json().to_string().into()));
                }
            }));
        }
        let run: Run = if asks { Box::pin(CURRENT.scope(line.clone(), run)) } else { run };
        Call { prepared: Mutex::new(Some(Running { line: line.clone(), run: Some(run) })), line }
    }

    /// Begins the call if it has not begun, and goes on until there is something to tell. After the end nothing ever is.
    pub fn listen(&self, listener: Listener) {
        let prepared = lock(&self.prepared).take();
        self.line.listen(listener);
        if let Some(prepared) = prepared
            && runtime::drive(prepared).is_err()
        {
            self.line.tell(Step::Failed(internal_failure(&self.line.progress)));
        }
    }

    /// Answers core's question. Nothing when it no longer listens.
    pub fn answer(&self, key: Secret) {
        if let Some(question) = lock(&self.line.state).question.take() {
            let _ = question.send(key);
        }
    }

    /// Ends the call: its socket closes, its waits end. Holds also for a call that has not begun.
    pub fn cancel(&self) {
        self.line.stop();
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.line.stop();
    }
}

/// The call as the runtime runs it.
pub struct Running {
    line: Arc<Line>,
    /// Gone when it has ended.
    run: Option<Run>,
}

impl Future for Running {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let step = if self.line.stopped(context) {
            // A dropped call tells of itself while it is dropped; only then is it over.
            let dropped = panic::catch_unwind(AssertUnwindSafe(|| self.run = None));
            match dropped {
                Ok(()) => Step::Failed(bridge_failure("cancelled", "cancelled", &self.line.progress)),
                Err(_) => Step::Failed(internal_failure(&self.line.progress)),
            }
        } else {
            let Some(run) = self.run.as_mut() else { return Poll::Ready(()) };
            // A panic in core ends this one call: it must not end the runtime's task unheard.
            match panic::catch_unwind(AssertUnwindSafe(|| run.as_mut().poll(context))) {
                Ok(Poll::Pending) => return Poll::Pending,
                Ok(Poll::Ready(Ok(answer))) => Step::Done(answer),
                Ok(Poll::Ready(Err(error))) => Step::Failed(error.to_json().to_string().into()),
                Err(_) => Step::Failed(internal_failure(&self.line.progress)),
            }
        };
        self.line.tell(step);
        Poll::Ready(())
    }
}

/// Keys that a Swift closure supplies: core asks, the task that follows the call answers.
pub struct Provider;

impl CredentialProvider for Provider {
    fn credential(&self) -> BoxFuture<bloomchats::Result<Secret>> {
        Box::pin(async {
            let (answer, answered) = oneshot::channel();
            // Every call of a client with a provider runs under `CURRENT`; without one nobody would answer.
            let _ = CURRENT.try_with(|line| {
                lock(&line.state).question = Some(answer);
                line.tell(Step::Asked);
            });
            match answered.await {
                Ok(key) => Ok(key),
                // The call is being ended by whoever dropped the question.
                Err(_) => std::future::pending().await,
            }
        })
    }
}
