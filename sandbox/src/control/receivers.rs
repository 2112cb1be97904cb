//! Endpoints that webhooks can be sent to, for tests that have no server of their own.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value, json};

use super::Control;
use crate::namespace::Namespace;
use crate::refusal::Refusal;
use crate::service::{Answer, Outcome};

/// Deliveries kept by one receiver; the oldest go first.
const KEPT: usize = 1_000;

struct Receiver {
    namespace: Arc<Namespace>,
    /// What it answers.
    status: u16,
    received: VecDeque<Value>,
}

/// All receivers of a process: a delivery carries no key, so its path alone says whose it is.
#[derive(Default)]
pub(crate) struct Receivers(Mutex<Vec<Receiver>>);

impl Receivers {
    fn lock(&self) -> MutexGuard<'_, Vec<Receiver>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `{"status"?}` → 201 `{id, url, status, received}`.
pub(super) fn create(control: &Control<'_>) -> Outcome {
    let status = status(control)?.unwrap_or(200);
    let receiver = Receiver { namespace: Arc::clone(&control.namespace), status, received: VecDeque::new() };
    let mut receivers = control.app.receivers.lock();
    receivers.push(receiver);
    Ok(Answer::new(201, view(control, &receivers, receivers.len() - 1)))
}

pub(super) fn read(control: &Control<'_>) -> Outcome {
    let receivers = control.app.receivers.lock();
    let index = own(control, &receivers)?;
    Ok(Answer::ok(view(control, &receivers, index)))
}

/// `{"status"}`: what it answers from now on.
pub(super) fn set(control: &Control<'_>) -> Outcome {
    let status = status(control)?;
    let mut receivers = control.app.receivers.lock();
    let index = own(control, &receivers)?;
    receivers[index].status = status.unwrap_or(receivers[index].status);
    Ok(Answer::ok(view(control, &receivers, index)))
}

/// A webhook arrives. Its bytes are kept as they came: the signature covers them.
pub(super) fn deliver(control: &Control<'_>) -> Outcome {
    let mut receivers = control.app.receivers.lock();
    let index = named(control, &receivers)?;
    let receiver = &mut receivers[index];
    let text = |value: &[u8]| Value::from(String::from_utf8_lossy(value));
    let headers: Map<String, Value> =
        control.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes()))).collect();
    if receiver.received.len() == KEPT {
        receiver.received.pop_front();
    }
    receiver.received.push_back(json!({
        "at": receiver.namespace.now_ms(),
        "status": receiver.status,
        "headers": headers,
        "body": text(&control.raw),
    }));
    Ok(Answer::new(receiver.status, json!({})))
}

fn view(control: &Control<'_>, receivers: &[Receiver], index: usize) -> Value {
    let Receiver { status, received, .. } = &receivers[index];
    let url = format!("{}/_sandbox/receivers/{}", control.app.url, index + 1);
    json!({"id": (index + 1).to_string(), "url": url, "status": status, "received": received})
}

fn status(control: &Control<'_>) -> Result<Option<u16>, Refusal> {
    let fields = control.fields()?;
    let Some(status) = fields.integer("status")? else { return Ok(None) };
    let known = u16::try_from(status).ok().filter(|status| (200..600).contains(status));
    known.map(Some).ok_or_else(|| fields.refuse("status", "an integer from 200 to 599"))
}

fn named(control: &Control<'_>, receivers: &[Receiver]) -> Result<usize, Refusal> {
    let index = control.path[0].parse::<usize>().ok().and_then(|id| id.checked_sub(1));
    index.filter(|index| *index < receivers.len()).ok_or_else(|| Refusal::not_found("No such receiver."))
}

/// The one the path names, if it is the calling namespace's.
fn own(control: &Control<'_>, receivers: &[Receiver]) -> Result<usize, Refusal> {
    let index = named(control, receivers)?;
    match Arc::ptr_eq(&receivers[index].namespace, &control.namespace) {
        true => Ok(index),
        false => Err(Refusal::not_found("No such receiver.")),
    }
}
