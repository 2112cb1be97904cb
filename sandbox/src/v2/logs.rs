//! Webhook logs, one row an attempt, and the replay of what they show.

use serde_json::{Value, json};

use super::Page;
use super::webhooks::find;
use crate::refusal::Refusal;
use crate::service::{Answer, Call, Outcome};
use crate::webhooks::Delivery;
use crate::webhooks::delivery::{Attempt, State};

pub(super) fn list(call: &mut Call<'_>) -> Outcome {
    let page = Page::of(call)?;
    let newest_first = call.query.choice("sort", &["desc", "asc"])? == "desc";
    let status = |name: &str| {
        let given = call.query.integer(name, 100..=599, 0)?;
        Ok::<Option<i64>, Refusal>((given > 0).then_some(given))
    };
    let (exactly, least, most) = (status("status")?, status("min_status")?, status("max_status")?);
    let id = find(call)?.id.clone();
    let world = &call.state.blooio;
    let mut rows: Vec<(&Delivery, Option<&Attempt>)> = Vec::new();
    for (_, delivery) in world.webhooks.deliveries().filter(|(_, delivery)| delivery.subscription == id) {
        match delivery.state {
            State::NotSent => rows.push((delivery, None)),
            _ => rows.extend(delivery.attempts.iter().map(|attempt| (delivery, Some(attempt)))),
        }
    }
    rows.retain(|(_, attempt)| {
        let status = answered(*attempt).map(i64::from);
        exactly.is_none_or(|wanted| status == Some(wanted))
            && least.is_none_or(|least| status.is_some_and(|status| status >= least))
            && most.is_none_or(|most| status.is_some_and(|status| status <= most))
    });
    rows.sort_by_key(|(delivery, attempt)| attempt.map_or(delivery.created_at, |attempt| attempt.at));
    if newest_first {
        rows.reverse();
    }
    let mut body = page.rows("logs", &rows, |(delivery, attempt)| view(&world.organization_id, delivery, *attempt));
    let returned = body["logs"].as_array().map_or(0, Vec::len);
    body["pagination"]["returned"] = returned.into();
    body["pagination"]["has_more"] = (page.offset.saturating_add(returned) < rows.len()).into();
    Ok(Answer::ok(Value::Object(body)))
}

/// Sends the same body again under a new event id, and answers with what the receiver said.
pub(super) fn replay(call: &mut Call<'_>) -> Outcome {
    let subscription = find(call)?;
    let (id, url) = (subscription.id.clone(), subscription.url.clone());
    let original_id = call.path[1].clone();
    let world = &mut call.state.blooio;
    let original = world.webhooks.deliveries().map(|(_, delivery)| delivery);
    let original = original.rev().find(|one| one.subscription == id && one.event_id == original_id).cloned();
    let mut delivery = original.ok_or_else(|| Refusal::not_found("Event not found."))?;
    delivery.id = world.ids.uuid7("wdel_", world.now);
    delivery.event_id = world.ids.uuid7("evt_", world.now);
    delivery.url.clone_from(&url);
    delivery.headers.retain(|(name, _)| !matches!(*name, "x-blooio-replay" | "x-original-event-id"));
    delivery.headers.push(("x-blooio-replay", "true".to_owned()));
    delivery.headers.push(("x-original-event-id", original_id.clone()));
    delivery.created_at = world.now;
    delivery.state = State::Pending;
    delivery.attempts = Vec::new();
    delivery.replay_of = Some(original_id.clone());
    delivery.persistent = false;
    let replay_id = delivery.event_id.clone();
    let number = world.webhooks.enqueue(&mut world.timers, world.now, delivery);
    Ok(Answer::later(move |namespace| async move {
        let delivery = namespace.delivered(number).await;
        let attempt = delivery.as_ref().and_then(|delivery| delivery.attempts.last());
        let outcome = attempt.and_then(|attempt| attempt.outcome.as_ref());
        let duration = attempt.map_or(0, |attempt| outcome.map_or(0, |outcome| outcome.at - attempt.at));
        let error = outcome.map_or(Some("not_sent"), |outcome| outcome.error);
        let mut answer = json!({
            "success": outcome.is_some_and(|outcome| outcome.received()),
            "replay_event_id": replay_id,
            "original_event_id": original_id,
            "webhook_id": id,
            "webhook_url": url,
            "duration_ms": duration,
            "response_data": {
                "body": outcome.map(|outcome| outcome.json()),
                "headers": {},
                "size": outcome.map_or(0, |outcome| outcome.size),
                "contentType": outcome.and_then(|outcome| outcome.content_type.as_deref()).unwrap_or_default(),
                "duration": duration,
                "error": error,
                "errorType": error,
            },
        });
        if let Some(status) = outcome.and_then(|outcome| outcome.status) {
            answer["response_status"] = status.into();
        }
        Answer::ok(answer)
    }))
}

fn answered(attempt: Option<&Attempt>) -> Option<u16> {
    attempt?.outcome.as_ref()?.status
}

fn view(organization_id: &str, delivery: &Delivery, attempt: Option<&Attempt>) -> Value {
    let outcome = attempt.and_then(|attempt| attempt.outcome.as_ref());
    let at = attempt.map_or(delivery.created_at, |attempt| attempt.at);
    let mut metadata = json!({
        "duration_ms": outcome.map_or(0, |outcome| outcome.at - at),
        "event_name": delivery.event,
        "is_replay": delivery.replay_of.is_some(),
        "message_id": delivery.message_id.as_deref().unwrap_or_default(),
        "organization_id": organization_id,
    });
    if let Some(original) = &delivery.replay_of {
        metadata["original_event_id"] = original.clone().into();
    }
    if delivery.state == State::NotSent {
        metadata["sandbox"] = "not_sent".into();
    }
    json!({
        "event_id": delivery.event_id,
        "scope": "api",
        "attempted_time": at,
        "response_received_at": outcome.filter(|outcome| outcome.status.is_some()).map(|outcome| outcome.at),
        "webhook_url": delivery.url,
        "event_body": serde_json::from_slice::<Value>(&delivery.body).unwrap_or_default(),
        "response_status": answered(attempt),
        "response_json": outcome.map(|outcome| outcome.json()),
        "metadata": metadata,
    })
}
