//! What a call came to.

use bloomchats::{Error, Progress};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString};
use serde_json::{Value, json};

use crate::client::NextPage;
use crate::runtime::Local;

/// `Answer | Failure`.
pub fn into_python(py: Python<'_>, result: Result<Box<bloomchats::Answer>, Failure>) -> PyResult<Py<PyAny>> {
    let mut answer = match result {
        Ok(answer) => answer,
        Err(failure) => return Ok(Py::new(py, failure)?.into_any()),
    };
    let next = answer.next.take().map(|next| Py::new(py, NextPage(Local::new(next))));
    Ok(Py::new(py, Answer { answer, next: next.transpose()? })?.into_any())
}

/// A successful call.
#[pyclass(frozen, module = "bloomchats._native")]
pub struct Answer {
    answer: Box<bloomchats::Answer>,
    next: Option<Py<NextPage>>,
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

    /// The value as JSON, on a page the whole body, without blanks before it.
    #[getter]
    fn text<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        // Core has read it as text.
        let text = std::str::from_utf8(&self.answer.body).unwrap_or_default();
        PyString::new(py, text.trim_ascii_start())
    }

    /// The items of a page as JSON, one by one.
    fn rows<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyList>>> {
        self.answer.rows().map(|rows| PyList::new(py, rows)).transpose()
    }

    #[getter]
    fn next(&self, py: Python<'_>) -> Option<Py<NextPage>> {
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
    pub fn config(message: &str) -> Failure {
        Failure::of_bridge("config", message, &Progress::default())
    }

    pub fn internal(progress: &Progress) -> Failure {
        Failure::of_bridge("internal", "internal error in bloomchats; please report it", progress)
    }

    pub fn no_key(progress: &Progress, error: Py<PyAny>) -> Failure {
        Failure {
            cause: Some(error),
            ..Failure::of_bridge("config", "api_key: the callable did not supply a key", progress)
        }
    }

    /// What only a bridge can meet, so that core has no word for it.
    pub fn of_bridge(kind: &str, message: &str, progress: &Progress) -> Failure {
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
