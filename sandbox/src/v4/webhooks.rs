//! Webhook subscriptions with enveloped deliveries.

use serde_json::{Value, json};

use super::channels::KINDS;
use super::page::{indexed, page};
use super::payload::VERSIONS;
use super::{fields, unprocessable, wrapped};
use crate::fields::Fields;
use crate::refusal::Refusal;
use crate::service::{Answer, Call, Outcome};
use crate::webhooks::{MAXIMUM, Style, Subscription, target};

pub(super) fn list(call: &mut Call<'_>) -> Outcome {
    let subscriptions = &call.state.blooio.webhooks.subscriptions;
    let rows = indexed((0..subscriptions.len()).filter(|index| !subscriptions[*index].is_v2()), true);
    page(call, &rows, true, |index| view(&subscriptions[*index]))
}

pub(super) fn create(call: &mut Call<'_>) -> Outcome {
    let body = call.json_object()?;
    let fields = fields(&body);
    let url = valid_url(fields.required_text("url")?)?;
    let selectors = selectors(fields)?.unwrap_or_else(|| vec!["*".to_owned()]);
    let channel_id = fields.text("channel_id")?.map(str::to_owned);
    let channel_type = fields.text("channel_type")?.map(str::to_owned);
    let api_version = version(fields)?.unwrap_or(call.state.blooio.switches.webhook_api_version);
    let world = &mut call.state.blooio;
    if channel_type.as_ref().is_some_and(|kind| !KINDS.contains(&kind.as_str())) {
        return Err(fields.refuse("channel_type", "a channel type"));
    }
    if channel_id.as_ref().is_some_and(|id| world.channels.iter().all(|channel| channel.id != *id)) {
        return Err(fields.refuse("channel_id", "the id of a channel"));
    }
    if world.webhooks.subscriptions.len() >= MAXIMUM {
        return Err(Refusal::new(409, format!("An organization has at most {MAXIMUM} webhooks.")));
    }
    let subscription = Subscription {
        id: world.ids.uuid7("wh_", world.now),
        url,
        secret: world.ids.hex("whsec_", 64),
        style: Style::V4 { selectors, channel_id, channel_type, api_version, disabled: false },
        created_at: world.now,
        last_triggered: None,
        failure_count: 0,
        rotations: 0,
    };
    let mut data = view(&subscription);
    data["signing_secret"] = subscription.secret.clone().into();
    world.webhooks.subscriptions.push(subscription);
    Ok(Answer::new(201, json!({"data": data})))
}

pub(super) fn get(call: &mut Call<'_>) -> Outcome {
    Ok(wrapped(view(find(call)?)))
}

pub(super) fn update(call: &mut Call<'_>) -> Outcome {
    find(call)?;
    let body = call.json_object()?;
    let fields = fields(&body);
    let known = ["url", "event_types", "status", "api_version"];
    if !known.iter().any(|name| fields.has(name)) {
        return Err(unprocessable("body", format!("Give at least one of {}.", known.join(", "))));
    }
    let new_url = fields.text("url")?.map(valid_url).transpose()?;
    let new_selectors = selectors(fields)?;
    let new_version = version(fields)?;
    let new_status = match fields.text("status")? {
        None => None,
        Some("active") => Some(false),
        Some("disabled") => Some(true),
        Some(_) => return Err(fields.refuse("status", "active or disabled")),
    };
    let subscription = find(call)?;
    if let Some(url) = new_url {
        subscription.url = url;
    }
    if let Style::V4 { selectors, api_version, disabled, .. } = &mut subscription.style {
        if let Some(new) = new_selectors {
            *selectors = new;
        }
        *api_version = new_version.unwrap_or(api_version);
        *disabled = new_status.unwrap_or(*disabled);
    }
    Ok(wrapped(view(subscription)))
}

pub(super) fn delete(call: &mut Call<'_>) -> Outcome {
    let id = find(call)?.id.clone();
    call.state.blooio.webhooks.subscriptions.retain(|one| one.id != id);
    Ok(wrapped(json!({"id": id, "deleted": true})))
}

/// The old secret is dead at once.
pub(super) fn rotate_secret(call: &mut Call<'_>) -> Outcome {
    find(call)?;
    let secret = call.state.blooio.ids.hex("whsec_", 64);
    let subscription = find(call)?;
    subscription.secret = secret;
    subscription.rotations += 1;
    Ok(wrapped(json!({"id": subscription.id, "signing_secret": subscription.secret})))
}

pub(super) fn versions(_: &mut Call<'_>) -> Outcome {
    Ok(wrapped(VERSIONS.iter().map(|version| json!({"version": version, "latest": *version == VERSIONS[0]})).collect()))
}

pub(super) fn find<'a>(call: &'a mut Call<'_>) -> Result<&'a mut Subscription, Refusal> {
    let webhooks = &mut call.state.blooio.webhooks;
    let found = webhooks.find(&call.path[0]).map(|index| &mut webhooks.subscriptions[index]);
    found.filter(|one| !one.is_v2()).ok_or_else(|| Refusal::not_found("Webhook not found."))
}

fn valid_url(url: &str) -> Result<String, Refusal> {
    match target(url) {
        Some(_) => Ok(url.to_owned()),
        None => Err(unprocessable("url", "url must be an https URL; the sandbox takes http for loopback.")),
    }
}

fn selectors(fields: Fields<'_>) -> Result<Option<Vec<String>>, Refusal> {
    let selectors = fields.texts("event_types")?.filter(|selectors| !selectors.is_empty());
    Ok(selectors.map(|selectors| selectors.into_iter().map(str::to_owned).collect()))
}

fn version(fields: Fields<'_>) -> Result<Option<&'static str>, Refusal> {
    let Some(given) = fields.text("api_version")? else { return Ok(None) };
    let known = VERSIONS.iter().find(|version| **version == given).copied();
    known.map(Some).ok_or_else(|| fields.refuse("api_version", "one of GET /webhooks/versions"))
}

fn view(subscription: &Subscription) -> Value {
    let Style::V4 { selectors, channel_id, channel_type, api_version, disabled } = &subscription.style else {
        return Value::Null;
    };
    json!({
        "id": subscription.id,
        "url": subscription.url,
        "event_types": selectors,
        "status": if *disabled { "disabled" } else { "active" },
        "channel_id": channel_id,
        "channel_type": channel_type,
        "api_version": api_version,
        "created_at": subscription.created_at,
    })
}
