//! Deliveries of a webhook, and their replay.

use serde_json::{Value, json};

use super::page::{Position, page};
use super::webhooks::find;
use crate::refusal::Refusal;
use crate::service::{Answer, Call, Outcome};
use crate::webhooks::Delivery;
use crate::webhooks::delivery::State;

pub(super) fn list(call: &mut Call<'_>) -> Outcome {
    let id = find(call)?.id.clone();
    let deliveries = call.state.blooio.webhooks.deliveries().rev();
    let rows: Vec<(Position, &Delivery)> = deliveries
        .filter(|(_, delivery)| delivery.subscription == id)
        .map(|(number, delivery)| ((0, number as usize), delivery))
        .collect();
    page(call, &rows, true, |delivery| view(delivery))
}

/// A new delivery of the same event.
pub(super) fn replay(call: &mut Call<'_>) -> Outcome {
    let subscription = find(call)?;
    let (id, url) = (subscription.id.clone(), subscription.url.clone());
    let now = call.state.blooio.now;
    if !find(call)?.is_active(now) {
        return Err(Refusal::bad_request("The webhook is disabled."));
    }
    let world = &mut call.state.blooio;
    let fits = |delivery: &&Delivery| delivery.subscription == id && delivery.id == call.path[1];
    let original = world.webhooks.deliveries().map(|(_, delivery)| delivery).find(fits).cloned();
    let original = original.ok_or_else(|| Refusal::not_found("Delivery not found."))?;
    let new_id = world.ids.uuid7("wdel_", now);
    let mut headers = original.headers.clone();
    headers
        .iter_mut()
        .filter(|(name, _)| *name == "x-blooio-delivery")
        .for_each(|(_, value)| value.clone_from(&new_id));
    let delivery = Delivery {
        id: new_id.clone(),
        url,
        headers,
        created_at: now,
        state: State::Pending,
        attempts: Vec::new(),
        next_attempt_at: Some(now),
        replay_of: Some(original.id.clone()),
        ..original.clone()
    };
    world.webhooks.enqueue(&mut world.timers, now, delivery);
    Ok(Answer::new(201, json!({"data": {"id": new_id, "replay_of": original.id, "status": "pending"}})))
}

fn view(delivery: &Delivery) -> Value {
    let last = delivery.attempts.last();
    json!({
        "id": delivery.id,
        "webhook_id": delivery.subscription,
        "event_id": delivery.event_id,
        "event_type": delivery.event,
        "status": delivery.state.as_str(),
        "attempt_count": delivery.attempts.len(),
        "response_status": last.and_then(|attempt| attempt.outcome.as_ref()).and_then(|outcome| outcome.status),
        "last_attempt_at": last.map(|attempt| attempt.at),
        "next_attempt_at": delivery.next_attempt_at,
        "created_at": delivery.created_at,
    })
}
