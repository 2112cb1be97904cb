//! The logs: ring buffers, oldest row first.

use serde_json::{Value, json};

use super::Control;
use crate::service::{Answer, Outcome};
use crate::webhooks::Delivery;

pub(super) fn requests(control: &Control<'_>) -> Outcome {
    Ok(Answer::ok(json!({"requests": control.namespace.with(|state| state.requests.view())})))
}

pub(super) fn deliveries(control: &Control<'_>) -> Outcome {
    let rows: Value = control
        .namespace
        .with(|state| state.blooio.webhooks.deliveries().map(|(_, delivery)| view(delivery)).collect());
    Ok(Answer::ok(json!({"deliveries": rows})))
}

fn view(delivery: &Delivery) -> Value {
    let attempts: Vec<Value> = delivery
        .attempts
        .iter()
        .map(|attempt| {
            let outcome = attempt.outcome.as_ref();
            json!({
                "at": attempt.at,
                "answered_at": outcome.map(|outcome| outcome.at),
                "status": outcome.and_then(|outcome| outcome.status),
                "error": outcome.and_then(|outcome| outcome.error),
            })
        })
        .collect();
    json!({
        "id": delivery.id,
        "webhook_id": delivery.subscription,
        "url": delivery.url,
        "event_id": delivery.event_id,
        "event": delivery.event,
        "state": delivery.state.as_str(),
        "replay_of": delivery.replay_of,
        "created_at": delivery.created_at,
        "next_attempt_at": delivery.next_attempt_at,
        "attempts": attempts,
        "body": serde_json::from_slice::<Value>(&delivery.body).unwrap_or_default(),
    })
}
