//! Clients, and the ways into a call.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;

use bloomchats::{Config, Credential, Progress, Script};
use pyo3::prelude::*;
use serde_json::json;

use crate::answer::Failure;
use crate::arguments::{self, Files, Given};
use crate::call::{Begun, Making};
use crate::credential::Asking;
use crate::queue::Queue;
use crate::running::{self, Pending};
use crate::runtime::{Local, PerProcess, limits};

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

impl Client {
    fn begin(&self, operation: String, arguments: &Given<'_>, options: &[u8], files: Option<Files>) -> Option<Begun> {
        let call = arguments::read(operation, arguments, options, files)?;
        let begin = || -> bloomchats::Result<Begun> { Ok(Begun::new(self.0.opened()?.client.start(call?))) };
        Some(begin().unwrap_or_else(|error| Failure::from(error).into()))
    }
}

#[pymethods]
impl Client {
    /// `Client | Failure`. `asks`: each call is given a callable to ask for the key; `transcript` makes a scripted client.
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

    /// A call for a thread to make: see [`Making`]. `None` if the arguments have to be written down first.
    #[pyo3(signature = (asks, watched, operation, arguments, options, files = None))]
    fn make(
        &self,
        asks: bool,
        watched: bool,
        operation: String,
        arguments: Given<'_>,
        options: &[u8],
        files: Option<Files>,
    ) -> Option<Making> {
        Some(Making::new(self.begin(operation, &arguments, options, files)?, asks, watched))
    }

    /// Starts a call on the loop of `queue`: see [`running::start`], and `make` for `None`.
    #[expect(clippy::too_many_arguments, reason = "they are what a call consists of, and a tuple would only hide that")]
    #[pyo3(signature = (queue, call, watched, operation, arguments, options, files = None))]
    fn start(
        &self,
        queue: &Queue,
        call: u64,
        watched: bool,
        operation: String,
        arguments: Given<'_>,
        options: &[u8],
        files: Option<Files>,
    ) -> PyResult<Option<Pending>> {
        let begun = self.begin(operation, &arguments, options, files);
        begun.map(|begun| running::start(begun, queue, call, watched)).transpose()
    }

    /// What a scripted client did so far: JSON `{"requests", "waits_ms", "left"}`; `None` for any other.
    fn script(&self) -> Option<String> {
        let script = self.0.opened().ok()?.script.as_ref()?;
        Some(json!({"requests": script.requests(), "waits_ms": script.waits_ms(), "left": script.left()}).to_string())
    }
}

/// The way on from a page. Each run is a call of its own.
#[pyclass(frozen, module = "bloomchats._native")]
pub struct NextPage(pub Local<bloomchats::NextPage>);

impl NextPage {
    fn begin(&self) -> Begun {
        match self.0.get() {
            Some(page) => Begun::new(page.start()),
            None => Failure::config("this page was fetched before the process forked; list again").into(),
        }
    }
}

#[pymethods]
impl NextPage {
    /// The fetch of it, for a thread to make: see [`Making`].
    fn make(&self, asks: bool, watched: bool) -> Making {
        Making::new(self.begin(), asks, watched)
    }

    /// Starts to fetch it on the loop of `queue`: see [`running::start`].
    fn start(&self, queue: &Queue, call: u64, watched: bool) -> PyResult<Pending> {
        running::start(self.begin(), queue, call, watched)
    }
}
