//! The namespace's clock.

use std::sync::Arc;

use serde_json::json;

use super::Control;
use crate::namespace::Namespace;
use crate::service::{Answer, Outcome};

/// The furthest it can be set, in the year 9999.
const END_MS: i64 = 253_402_300_799_000;
/// The furthest one step can go: ten years.
const LONGEST_STEP_MS: i64 = 10 * 365 * 24 * 60 * 60 * 1000;

pub(super) fn read(control: &Control<'_>) -> Outcome {
    Ok(view(&control.namespace))
}

/// `{"now"?, "frozen"?}`: jumps without living through what lies between; what is due then happens at once.
pub(super) fn set(control: &Control<'_>) -> Outcome {
    let fields = control.fields()?;
    let now = fields.integer("now")?;
    if now.is_some_and(|now| !(0..=END_MS).contains(&now)) {
        return Err(fields.refuse("now", "epoch milliseconds from 1970 to 9999"));
    }
    let frozen = fields.has("frozen").then(|| fields.flag("frozen")).transpose()?;
    let clock = &control.namespace.clock;
    frozen.into_iter().for_each(|frozen| clock.freeze(frozen));
    now.into_iter().for_each(|now| clock.set(now));
    control.namespace.clock_moved();
    Ok(view(&control.namespace))
}

/// `{"ms"}`: lives through the time, webhook deliveries and their retries included.
pub(super) fn advance(control: &Control<'_>) -> Outcome {
    let fields = control.fields()?;
    let step = fields.integer("ms")?.filter(|ms| (0..=LONGEST_STEP_MS).contains(ms));
    let step = step.ok_or_else(|| fields.refuse("ms", "an integer from 0 to ten years"))?;
    Ok(Answer::later(move |namespace| async move {
        namespace.advance(namespace.now_ms().saturating_add(step)).await;
        view(&namespace)
    }))
}

fn view(namespace: &Arc<Namespace>) -> Answer {
    Answer::ok(json!({"now": namespace.now_ms(), "frozen": namespace.clock.is_frozen()}))
}
