//! Webhooks: core verifies, signs and reads; here only types change.

use std::time::Duration;

use bloomchats::webhook::{self, Event};
use bloomchats::{Result, Secret};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::answer::Failure;

/// The event as JSON bytes, or a `Failure`.
fn told(py: Python<'_>, event: Result<Event>) -> PyResult<Py<PyAny>> {
    Ok(match event {
        Ok(event) => PyBytes::new(py, event.to_json().to_string().as_bytes()).into_any().unbind(),
        Err(error) => Py::new(py, Failure::from(error))?.into_any(),
    })
}

/// Verifies a raw body; `now` in unix seconds, `tolerance` in seconds.
#[pyfunction]
pub fn verify_webhook(
    py: Python<'_>,
    body: &[u8],
    header: Option<&str>,
    secrets: Vec<String>,
    now: i64,
    tolerance: u64,
) -> PyResult<Py<PyAny>> {
    let secrets: Vec<Secret> = secrets.into_iter().map(Secret::new).collect();
    told(py, webhook::verify_at(body, header, &secrets, now, Duration::from_secs(tolerance)))
}

/// The signature header for a body, at unix seconds.
#[pyfunction]
pub fn sign_webhook(body: &[u8], secret: String, at: i64) -> String {
    webhook::sign_at(body, &secret.into(), at)
}

/// Reads a body without verifying it.
#[pyfunction]
pub fn parse_event(py: Python<'_>, body: &[u8]) -> PyResult<Py<PyAny>> {
    told(py, webhook::parse(body))
}
