//! One call under way: driven by the runtime's thread, followed from a Swift task, cancelled from any thread.

use std::future::Future;
use std::panic::{self, AssertUnwindSafe};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bloomchats::{BoxFuture, CredentialProvider, Progress, Secret};
use tokio::sync::{mpsc, oneshot, watch};

use crate::Fault;
use crate::client::NextPage;
use crate::runtime::runtime;

type Run = BoxFuture<bloomchats::Result<bloomchats::Answer>>;

/// How a call stands.
#[derive(uniffi::Enum)]
pub enum Step {
    /// It has come to its end.
    Done {
        /// What it came to.
        answer: Answer,
    },
    /// Something of it came to its end: core's event, as JSON.
    Told {
        /// The JSON.
        event: Vec<u8>,
    },
    /// Core wants a credential: [`Call::answer`] it, and ask again.
    Asked,
}

/// A successful call.
#[derive(uniffi::Record)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<String>,
    pub request_id: Option<String>,
    pub attempts: u32,
    pub idempotency_key: Option<String>,
    pub model: String,
    pub items: Option<String>,
    pub body: Vec<u8>,
    pub next: Option<Arc<NextPage>>,
}

/// A call, from its preparation to its end.
#[derive(uniffi::Object)]
pub struct Call {
    progress: Arc<Progress>,
    /// Taken by the first [`Call::step`].
    run: Mutex<Option<Run>>,
    stop: watch::Sender<bool>,
    asked: Arc<Asked>,
    steps: tokio::sync::Mutex<mpsc::UnboundedReceiver<Result<Step, Fault>>>,
}

/// Where core's question goes, and where its answer waits to be given.
struct Asked {
    steps: mpsc::UnboundedSender<Result<Step, Fault>>,
    answer: Mutex<Option<oneshot::Sender<Secret>>>,
}

tokio::task_local! {
    static CURRENT: Arc<Asked>;
}

impl Call {
    pub(crate) fn new(progress: Arc<Progress>, run: Run, watched: bool) -> Arc<Call> {
        let (told, steps) = mpsc::unbounded_channel();
        if watched {
            let told = told.clone();
            progress.watch(Arc::new(move |event| {
                let event = event.to_json().to_string().into();
                let _ = told.send(Ok(Step::Told { event }));
            }));
        }
        Arc::new(Call {
            progress,
            run: Mutex::new(Some(run)),
            stop: watch::Sender::new(false),
            asked: Arc::new(Asked { steps: told, answer: Mutex::default() }),
            steps: tokio::sync::Mutex::new(steps),
        })
    }

    fn spawn(&self, run: Run) -> std::io::Result<()> {
        let (mut stop, progress, asked) = (self.stop.subscribe(), self.progress.clone(), self.asked.clone());
        let running = async move {
            let step = tokio::select! {
                biased; // a call that was cancelled before it began never begins
                _ = stop.wait_for(|stop| *stop) => Err(Fault::of_bridge("cancelled", "cancelled", &progress)),
                result = Caught(run) => match result {
                    Some(Ok(answer)) => Ok(Step::Done { answer: answer.into() }),
                    Some(Err(error)) => Err(error.into()),
                    None => Err(Fault::internal(&progress)),
                },
            };
            // Nobody listens any more when the call itself was let go of.
            let _ = asked.steps.send(step);
        };
        runtime()?.spawn(CURRENT.scope(self.asked.clone(), running));
        Ok(())
    }
}

/// A panic in core ends this one call, as `None`: it must not end the runtime's task unheard.
struct Caught(Run);

impl Future for Caught {
    type Output = Option<bloomchats::Result<bloomchats::Answer>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match panic::catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(context))) {
            Ok(poll) => poll.map(Some),
            Err(_) => Poll::Ready(None),
        }
    }
}

#[uniffi::export]
impl Call {
    /// Goes on until there is something to tell. Asked again after the end, it never returns.
    pub async fn step(&self) -> Result<Step, Fault> {
        let first = lock(&self.run).take();
        if let Some(run) = first {
            self.spawn(run).map_err(|_| Fault::internal(&self.progress))?;
        }
        let step = self.steps.lock().await.recv().await;
        step.unwrap_or_else(|| Err(Fault::internal(&self.progress)))
    }

    /// Answers core's question. Nothing when it no longer listens.
    pub fn answer(&self, key: String) -> Result<(), Fault> {
        if let Some(answer) = lock(&self.asked.answer).take() {
            let _ = answer.send(Secret::new(key));
        }
        Ok(())
    }

    /// Ends the call: its socket closes, its waits end. Holds also for a call that has not begun.
    pub fn cancel(&self) -> Result<(), Fault> {
        self.stop.send_replace(true);
        Ok(())
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

impl From<bloomchats::Answer> for Answer {
    fn from(answer: bloomchats::Answer) -> Answer {
        Answer {
            status: answer.status,
            headers: answer.headers.into_iter().flat_map(|(name, value)| [name, value]).collect(),
            request_id: answer.request_id,
            attempts: answer.attempts,
            idempotency_key: answer.idempotency_key,
            model: answer.model.to_owned(),
            items: answer.items,
            body: answer.body.to_vec(),
            next: answer.next.map(|next| Arc::new(NextPage(next))),
        }
    }
}

/// Keys that a Swift closure supplies: core asks, the task that follows the call answers.
pub struct Provider;

impl CredentialProvider for Provider {
    fn credential(&self) -> BoxFuture<bloomchats::Result<Secret>> {
        Box::pin(async {
            let (answer, answered) = oneshot::channel();
            // Every call of this bridge runs under `CURRENT`; without one nobody would answer.
            let _ = CURRENT.try_with(|asked| {
                *lock(&asked.answer) = Some(answer);
                let _ = asked.steps.send(Ok(Step::Asked));
            });
            match answered.await {
                Ok(key) => Ok(key),
                // The call is being ended by whoever dropped the question.
                Err(_) => std::future::pending().await,
            }
        })
    }
}

/// A panic elsewhere must not poison every later call: what these locks guard is valid at every point.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
