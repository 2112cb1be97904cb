//! What becomes of a line: its status, and what the safety system does to it.

use serde_json::json;

use super::Control;
use crate::refusal::Refusal;
use crate::service::{Answer, Outcome};

const STATUSES: [&str; 5] = ["active", "pending_verification", "suspended", "banned", "deprecated"];
const ACTIONS: [&str; 6] = ["none", "queue", "slow", "pause_new", "reply_only", "review"];

/// `{"status"?, "safety"?}`; changes are told as events.
pub(super) fn set(control: &Control<'_>) -> Outcome {
    let fields = control.fields()?;
    let choice = |name: &str, choices: &'static [&'static str]| match fields.text(name)? {
        None => Ok(None),
        Some(given) => {
            let known = choices.iter().find(|choice| **choice == given).copied();
            known.map(Some).ok_or_else(|| fields.refuse(name, &format!("one of {}", choices.join(", "))))
        }
    };
    let (status, safety) = (choice("status", &STATUSES)?, choice("safety", &ACTIONS)?);
    control.namespace.with(|state| {
        let world = &mut state.blooio;
        let line = world.channels.iter().position(|channel| channel.address == control.path[0]);
        let line = line.ok_or_else(|| Refusal::not_found("No line has this number. Encode + as %2B."))?;
        if let Some(status) = status {
            world.set_status(line, status);
        }
        if let Some(action) = safety {
            world.set_safety(line, action);
        }
        let row = &world.channels[line];
        Ok(Answer::ok(json!({"number": row.address, "status": row.status, "safety": row.safety})))
    })
}
