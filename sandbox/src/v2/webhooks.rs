//! Webhook subscriptions with flat deliveries.

use serde_json::{Value, json};

use super::{fields, invalid};
use crate::refusal::Refusal;
use crate::service::{Answer, Call, Outcome};
use crate::webhooks::{MAXIMUM, Style, Subscription, target};

const TYPES: [&str; 4] = ["message", "status", "poll", "all"];

pub(super) fn list(call: &mut Call<'_>) -> Outcome {
    let now = call.state.blooio.now;
    let subscriptions = call.state.blooio.webhooks.subscriptions.iter().filter(|one| one.is_v2());
    Ok(Answer::ok(json!({"webhooks": subscriptions.map(|one| view(one, now)).collect::<Vec<_>>()})))
}

pub(super) fn create(call: &mut Call<'_>) -> Outcome {
    let body = call.json_object()?;
    let fields = fields(&body);
    let url = fields.required_text("webhook_url")?;
    if target(url).is_none() {
        return Err(invalid("webhook_url", "webhook_url must be an https URL; the sandbox takes http for loopback."));
    }
    let kind = webhook_type(fields.text("webhook_type")?)?.unwrap_or(TYPES[0]);
    let valid_until = fields.integer("valid_until")?.unwrap_or(-1);
    let world = &mut call.state.blooio;
    if let Some(known) = world.webhooks.subscriptions.iter().find(|one| one.is_v2() && one.url == url) {
        return Ok(Answer::ok(json!({
            "webhook_id": known.id,
            "webhook_url": known.url,
            "scope": "api_key",
            "message": "A webhook with this URL exists already.",
        })));
    }
    if world.switches.v2_webhooks_closed {
        return Err(Refusal::new(410, "New webhooks are made through v4."));
    }
    if world.webhooks.subscriptions.len() >= MAXIMUM {
        return Err(Refusal::new(409, format!("An organization has at most {MAXIMUM} webhooks.")));
    }
    let subscription = Subscription {
        id: world.ids.alphanumeric("wh_", 20),
        url: url.to_owned(),
        secret: world.ids.hex("whsec_", 64),
        style: Style::V2 { kind, valid_until, deprecated_at: None },
        created_at: world.now,
        last_triggered: None,
        failure_count: 0,
        rotations: 0,
    };
    let answer = json!({
        "webhook_id": subscription.id,
        "webhook_url": subscription.url,
        "webhook_type": kind,
        "scope": "api_key",
        "created_at": subscription.created_at,
        "signing_secret": subscription.secret,
    });
    world.webhooks.subscriptions.push(subscription);
    Ok(Answer::new(201, answer))
}

pub(super) fn get(call: &mut Call<'_>) -> Outcome {
    let now = call.state.blooio.now;
    Ok(Answer::ok(view(find(call)?, now)))
}

pub(super) fn update(call: &mut Call<'_>) -> Outcome {
    find(call)?;
    let body = call.json_object()?;
    let fields = fields(&body);
    let new_kind = webhook_type(fields.text("webhook_type")?)?;
    let new_end = match body.get("valid_until") {
        Some(Value::Null) => Some(-1),
        _ => fields.integer("valid_until")?,
    };
    let deprecate = fields.get("deprecate").or(fields.get("deprecated")).is_some();
    let paused = fields.flag("deprecate")? || fields.flag("deprecated")?;
    let now = call.state.blooio.now;
    let subscription = find(call)?;
    if let Style::V2 { kind, valid_until, deprecated_at } = &mut subscription.style {
        *kind = new_kind.unwrap_or(kind);
        *valid_until = new_end.unwrap_or(*valid_until);
        if deprecate {
            *deprecated_at = paused.then_some(now);
        }
    }
    Ok(Answer::ok(view(subscription, now)))
}

pub(super) fn delete(call: &mut Call<'_>) -> Outcome {
    let id = find(call)?.id.clone();
    call.state.blooio.webhooks.subscriptions.retain(|one| one.id != id);
    Ok(Answer::ok(json!({"success": true, "message": "Webhook deleted."})))
}

pub(super) fn rotate_secret(call: &mut Call<'_>) -> Outcome {
    find(call)?;
    let secret = call.state.blooio.ids.hex("whsec_", 64);
    let now = call.state.blooio.now;
    let subscription = find(call)?;
    subscription.secret = secret;
    subscription.rotations += 1;
    Ok(Answer::ok(json!({
        "webhook_id": subscription.id,
        "signing_secret": subscription.secret,
        "rotated_at": now,
        "rotated_by": "api_key",
        "rotation_count": subscription.rotations,
    })))
}

pub(super) fn find<'a>(call: &'a mut Call<'_>) -> Result<&'a mut Subscription, Refusal> {
    let webhooks = &mut call.state.blooio.webhooks;
    let found = webhooks.find(&call.path[0]).map(|index| &mut webhooks.subscriptions[index]);
    found.filter(|one| one.is_v2()).ok_or_else(|| Refusal::not_found("Webhook not found."))
}

fn webhook_type(given: Option<&str>) -> Result<Option<&'static str>, Refusal> {
    let Some(given) = given else { return Ok(None) };
    let known = TYPES.iter().find(|kind| **kind == given).copied();
    known.map(Some).ok_or_else(|| invalid("webhook_type", format!("webhook_type must be one of {}.", TYPES.join(", "))))
}

fn view(subscription: &Subscription, now: i64) -> Value {
    let Style::V2 { kind, valid_until, deprecated_at } = &subscription.style else { return Value::Null };
    json!({
        "webhook_id": subscription.id,
        "webhook_url": subscription.url,
        "webhook_type": kind,
        "scope": "api_key",
        "api_key_name": "sandbox",
        "integration_name": null,
        "created_at": subscription.created_at,
        "deprecated_at": deprecated_at,
        "valid_until": valid_until,
        "last_triggered": subscription.last_triggered,
        "failure_count": subscription.failure_count,
        "is_active": subscription.is_active(now),
    })
}
