//! Clients, calls and what comes of them.

use std::future::Future;
use std::panic::{self, AssertUnwindSafe};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bloomchats::{Config, Credential, Error, File, NextPage, Progress, Script};
use pyo3::exceptions::{PyException, PyRuntimeError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyBytes;
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::credential::{Asking, HOST, Heard, Host, Question};
use crate::queue::{Driven, Event, Mailbox, Queue};
use crate::runtime::{Borrowed, Local, PerProcess, limits, lock, runtime};

/// How long Ctrl-C may go unnoticed in a synchronous call.
const TICK: Duration = Duration::from_millis(50);

/// How long the end of a cancelled call may be waited for. It takes microseconds, unless the runtime's thread is starved.
const END: Duration = Duration::from_secs(1);

/// What a client is opened from, and the client of each process that uses it.
struct Opener {
    config: Config,
    transcript: Option<Vec<u8>>,
    opened: PerProcess<Opened>,
}

struct Opened {
    client: bloomchats::Client,
    script: Option<Script>,
}

impl Opened {
    fn open(config: &Config, transcript: Option<&[u8]>) -> bloomchats::Result<Opened> {
        match transcript {
            None => {
                Ok(Opened { client: bloomchats::Client::open(config.clone().with_limits(limits()))?, script: None })
            }
            Some(transcript) => {
                let (client, script) = bloomchats::Client::open_scripted(config.clone(), transcript)?;
                Ok(Opened { client, script: Some(script) })
            }
        }
    }
}

impl Opener {
    fn opened(&self) -> bloomchats::Result<&Opened> {
        self.opened.get(|| Opened::open(&self.config, self.transcript.as_deref()))
    }
}

/// A client of one product, usable from every thread and after a fork.
#[pyclass(frozen, module = "bloomchats._native")]
pub struct Client(Arc<Opener>);

#[pymethods]
impl Client {
    /// `Client | Failure`. `asks`: each run of a call is given a callable to ask for the key; `transcript` makes a
    /// scripted client.
    #[staticmethod]
    #[pyo3(signature = (config, asks = false, transcript = None))]
    fn open(py: Python<'_>, config: &[u8], asks: bool, transcript: Option<Vec<u8>>) -> PyResult<Py<PyAny>> {
        let open = || -> bloomchats::Result<Client> {
            let mut config = Config::from_json(config)?;
            if asks {
                config.credential = Some(Credential::Provider(Arc::new(Asking)));
            }
            let opened = PerProcess::with(Opened::open(&config, transcript.as_deref())?);
            Ok(Client(Arc::new(Opener { config, transcript, opened })))
        };
        match panic::catch_unwind(AssertUnwindSafe(open)) {
            Ok(Ok(client)) => Ok(Py::new(py, client)?.into_any()),
            Ok(Err(error)) => Ok(Py::new(py, Failure::from(error))?.into_any()),
            Err(_) => Ok(Py::new(py, Failure::internal(&Progress::default()))?.into_any()),
        }
    }

    /// Prepares a call; what is wrong with it is told when it runs. `files`: `[(field, filename, content type, bytes)]`.
    #[pyo3(signature = (operation, arguments, options, files = None))]
    fn call(
        &self,
        operation: String,
        arguments: &[u8],
        options: &[u8],
        files: Option<Vec<(String, String, String, PyBackedBytes)>>,
    ) -> Call {
        let call = bloomchats::Call::from_json(operation, arguments, options).map(|mut call| {
            let file = |(field, name, content_type, bytes): (_, _, _, PyBackedBytes)| {
                File::new(field, name, content_type, bytes.to_vec())
            };
            call.files = files.into_iter().flatten().map(file).collect();
            call
        });
        Call { opener: self.0.clone(), task: Task::First(call) }
    }

    /// What a scripted client did so far: JSON `{"requests", "waits_ms", "left"}`; `None` for any other.
    fn script(&self) -> Option<String> {
        let script = self.0.opened().ok()?.script.as_ref()?;
        Some(json!({"requests": script.requests(), "waits_ms": script.waits_ms(), "left": script.left()}).to_string())
    }
}

/// A call, or the fetch of a next page. Each run is a call of its own.
#[pyclass(frozen, module = "bloomchats._native")]
pub struct Call {
    opener: Arc<Opener>,
    task: Task,
}

enum Task {
    First(bloomchats::Result<bloomchats::Call>),
    Next(Local<NextPage>),
}

type Run = Pin<Box<dyn Future<Output = bloomchats::Result<bloomchats::Answer>> + Send>>;

impl Call {
    fn begin(&self) -> Result<(Arc<Progress>, Caught), Failure> {
        let (progress, run): (_, Run) = match &self.task {
            Task::First(call) => {
                let (progress, run) = self.opener.opened()?.client.start(call.clone()?);
                (progress, Box::pin(run))
            }
            Task::Next(next) => {
                let forked = || Failure::config("this page was fetched before the process forked; list again");
                let (progress, run) = next.get().ok_or_else(forked)?.start();
                (progress, Box::pin(run))
            }
        };
        Ok((progress.clone(), Caught { run, progress }))
    }

    fn outcome(&self, result: Result<bloomchats::Answer, Failure>) -> Outcome {
        Outcome { opener: self.opener.clone(), result }
    }
}

#[pymethods]
impl Call {
    /// Runs on this thread, with the GIL released: `Answer | Failure`. `watch` is called with each event, as JSON.
    ///
    /// On the main thread signals are looked at every 50 ms. Whatever a handler raises ends the call, closes its
    /// connection, and carries `idempotency_key` and `maybe_sent`.
    #[pyo3(signature = (api_key = None, watch = None))]
    fn run(
        &self,
        py: Python<'_>,
        api_key: Option<&Bound<'_, PyAny>>,
        watch: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let borrowed = Borrowed::new()?;
        let (progress, run) = match self.begin() {
            Ok(begun) => begun,
            Err(failure) => return self.outcome(Err(failure)).into_python(py),
        };
        let (host, mut heard) = (watch.is_some() || api_key.is_some()).then(mpsc::unbounded_channel).unzip();
        if let (Some(host), true) = (host.clone(), watch.is_some()) {
            progress.watch(Arc::new(move |event| drop(host.send(Heard::Event(event.to_json().to_string())))));
        }
        let tell = |event: String| watch.map_or(Ok(()), |watch| watch.call1((event,)).map(drop));
        let mut run = Box::pin(HOST.scope(host.map_or(Host::Nobody, Host::Thread), run));
        let patience = if on_main_thread(py)? { TICK } else { Duration::MAX };
        let mut ended = loop {
            let Some(reactor) = borrowed.get() else {
                // Its sockets are the parent's, where the call goes on.
                std::mem::forget(run);
                let message =
                    "the process forked in the middle of this call, which goes on in the parent; call again here";
                return self.outcome(Err(Failure::of_bridge("config", message, &progress))).into_python(py);
            };
            // Python only runs between these stretches: its code may make calls of its own.
            let pause = py.detach(|| {
                let stretch = pin!(async {
                    tokio::select! {
                        biased;
                        result = run.as_mut() => Pause::Done(result),
                        Some(heard) = hear(&mut heard) => Pause::Heard(heard),
                    }
                });
                reactor.block_on_for(stretch, patience)
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
                Err(error) => Err(error.into()),
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
            |result| self.outcome(result).into_python(py),
        )
    }

    /// Starts it; what happens is told to `queue` under the number `call`. `watched`: so are events.
    fn start(&self, queue: &Queue, call: u64, watched: bool) -> PyResult<Pending> {
        let forked = || PyRuntimeError::new_err("the queue is another process's");
        let mailbox = queue.mailbox().ok_or_else(forked)?.clone();
        let (progress, run) = match self.begin() {
            Ok(begun) => begun,
            Err(failure) => {
                mailbox.push(call, Event::Done(Box::new(self.outcome(Err(failure)))));
                return Ok(Pending(Local::new(None)));
            }
        };
        let news = Arc::<News>::default();
        if watched {
            let (news, mailbox) = (news.clone(), mailbox.clone());
            progress.watch(Arc::new(move |event| {
                lock(&news).push(event.to_json().to_string());
                mailbox.push(call, Event::News);
            }));
        }
        let running =
            Arc::new(Running { call, mailbox, progress, opener: self.opener.clone(), driven: Mutex::default() });
        let told = running.clone();
        let run = async move {
            let result = run.await;
            told.end(result);
        };
        let driven = running.mailbox.drive(HOST.scope(Host::Loop(running.clone()), run))?;
        *lock(&running.driven) = Some(driven);
        Ok(Pending(Local::new(Some(Active { running, news }))))
    }
}

enum Pause {
    Done(Result<bloomchats::Answer, Failure>),
    Heard(Heard),
}

async fn hear(heard: &mut Option<mpsc::UnboundedReceiver<Heard>>) -> Option<Heard> {
    heard.as_mut()?.recv().await
}

fn on_main_thread(py: Python<'_>) -> PyResult<bool> {
    static THREADING: PyOnceLock<(Py<PyAny>, Py<PyAny>)> = PyOnceLock::new();
    let (main_thread, get_ident) = THREADING.get_or_try_init(py, || {
        let threading = py.import("threading")?;
        PyResult::Ok((threading.getattr("main_thread")?.unbind(), threading.getattr("get_ident")?.unbind()))
    })?;
    main_thread.call0(py)?.bind(py).getattr("ident")?.eq(get_ident.call0(py)?)
}

/// A panic in core becomes a failure: it must not unwind into the host, nor end the runtime's task unheard.
struct Caught {
    run: Run,
    progress: Arc<Progress>,
}

impl Future for Caught {
    type Output = Result<bloomchats::Answer, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match panic::catch_unwind(AssertUnwindSafe(|| self.run.as_mut().poll(context))) {
            Ok(poll) => poll.map_err(Failure::from),
            Err(_) => Poll::Ready(Err(Failure::internal(&self.progress))),
        }
    }
}

/// An asynchronous call under way.
pub struct Running {
    call: u64,
    mailbox: Arc<Mailbox>,
    progress: Arc<Progress>,
    opener: Arc<Opener>,
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

    fn end(&self, result: Result<bloomchats::Answer, Failure>) {
        self.mailbox.push(self.call, Event::Done(Box::new(Outcome { opener: self.opener.clone(), result })));
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
pub struct Pending(Local<Option<Active>>);

struct Active {
    running: Arc<Running>,
    news: Arc<News>,
}

impl Pending {
    fn active(&self) -> Option<&Active> {
        self.0.get()?.as_ref()
    }
}

#[pymethods]
impl Pending {
    /// Ends the call: its socket closes, its waits end. Nothing when it is over.
    ///
    /// Comes back when nothing more happens, so that what is then read about the call is the whole truth.
    fn cancel(&self, py: Python<'_>) -> PyResult<()> {
        let Some(active) = self.active() else { return Ok(()) };
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
        self.active().map(take).unwrap_or_default()
    }

    #[getter]
    fn maybe_sent(&self) -> bool {
        self.active().is_some_and(|active| active.running.progress.maybe_sent())
    }

    #[getter]
    fn idempotency_key(&self) -> Option<String> {
        self.active()?.running.progress.idempotency_key()
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let Some(active) = self.active() {
            active.running.stop();
        }
    }
}

/// What a call came to, still in Rust's terms.
pub struct Outcome {
    opener: Arc<Opener>,
    result: Result<bloomchats::Answer, Failure>,
}

impl Outcome {
    /// `Answer | Failure`.
    pub fn into_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let mut answer = match self.result {
            Ok(answer) => answer,
            Err(failure) => return Ok(Py::new(py, failure)?.into_any()),
        };
        let opener = self.opener;
        let next = answer.next.take().map(|next| Py::new(py, Call { opener, task: Task::Next(Local::new(next)) }));
        Ok(Py::new(py, Answer { answer, next: next.transpose()? })?.into_any())
    }
}

/// A successful call.
#[pyclass(frozen, module = "bloomchats._native")]
pub struct Answer {
    answer: bloomchats::Answer,
    next: Option<Py<Call>>,
}

#[pymethods]
impl Answer {
    #[getter]
    fn status(&self) -> u16 {
        self.answer.status
    }

    #[getter]
    fn headers(&self) -> Vec<(String, String)> {
        self.answer.headers.clone().into_iter().collect()
    }

    #[getter]
    fn request_id(&self) -> Option<&str> {
        self.answer.request_id.as_deref()
    }

    #[getter]
    fn attempts(&self) -> u32 {
        self.answer.attempts
    }

    #[getter]
    fn idempotency_key(&self) -> Option<&str> {
        self.answer.idempotency_key.as_deref()
    }

    #[getter]
    fn model(&self) -> &'static str {
        self.answer.model
    }

    /// On a page, the field that holds the items; empty when the body is the array itself.
    #[getter]
    fn items(&self) -> Option<&str> {
        self.answer.items.as_deref()
    }

    #[getter]
    fn body<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.answer.body)
    }

    #[getter]
    fn next(&self, py: Python<'_>) -> Option<Py<Call>> {
        self.next.as_ref().map(|next| next.clone_ref(py))
    }
}

/// A failed call: core's error as JSON, and the host's own exception that caused it, if one did.
#[pyclass(frozen, module = "bloomchats._native")]
pub struct Failure {
    #[pyo3(get)]
    json: String,
    cause: Option<Py<PyAny>>,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure { json: error.to_json().to_string(), cause: None }
    }
}

impl Failure {
    fn config(message: &str) -> Failure {
        Failure::of_bridge("config", message, &Progress::default())
    }

    fn internal(progress: &Progress) -> Failure {
        Failure::of_bridge("internal", "internal error in bloomchats; please report it", progress)
    }

    fn no_key(progress: &Progress, error: Py<PyAny>) -> Failure {
        Failure {
            cause: Some(error),
            ..Failure::of_bridge("config", "api_key: the callable did not supply a key", progress)
        }
    }

    /// What only a bridge can meet, so that core has no word for it.
    fn of_bridge(kind: &str, message: &str, progress: &Progress) -> Failure {
        let json: Value = json!({
            "kind": kind,
            "message": message,
            "attempts": progress.attempts(),
            "maybe_sent": progress.maybe_sent(),
            "idempotency_key": progress.idempotency_key(),
        });
        Failure { json: json.to_string(), cause: None }
    }
}

#[pymethods]
impl Failure {
    #[getter]
    fn cause(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.cause.as_ref().map(|cause| cause.clone_ref(py))
    }
}

/// A fresh idempotency key: a version 4 UUID from the operating system.
#[pyfunction]
pub fn new_idempotency_key(py: Python<'_>) -> PyResult<Py<PyAny>> {
    Ok(match bloomchats::new_idempotency_key() {
        Ok(key) => key.into_pyobject(py)?.into_any().unbind(),
        Err(error) => Py::new(py, Failure::from(error))?.into_any(),
    })
}
