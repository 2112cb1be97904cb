//! The fault script of a namespace.

use serde_json::{Value, json};

use super::Control;
use crate::fault::Script;
use crate::refusal::Refusal;
use crate::service::{Answer, Outcome};

pub(super) fn list(control: &Control<'_>) -> Outcome {
    Ok(Answer::ok(json!({"faults": control.namespace.with(|state| state.faults.view())})))
}

/// One more line, at the end.
pub(super) fn add(control: &Control<'_>) -> Outcome {
    let line = control.object()?;
    control.namespace.with(|state| state.faults.add(line))?;
    Ok(Answer::new(201, list(control)?.body))
}

/// `{"faults": […]}` or the bare list, in place of everything scripted so far.
pub(super) fn replace(control: &Control<'_>) -> Outcome {
    let lines = control.body.as_array().or_else(|| control.body["faults"].as_array());
    let lines = lines.ok_or_else(|| Refusal::bad_request("faults must be an array."))?;
    let mut script = Script::default();
    for line in lines {
        script.add(line.as_object().ok_or_else(|| Refusal::bad_request("Each fault must be an object."))?)?;
    }
    control.namespace.with(|state| state.faults = script);
    list(control)
}

pub(super) fn clear(control: &Control<'_>) -> Outcome {
    control.namespace.with(|state| state.faults = Script::default());
    Ok(Answer::ok(json!({"faults": Value::Array(Vec::new())})))
}
