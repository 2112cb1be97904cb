//! Channels: everything the organization sends from.

use serde_json::{Value, json};

use super::page::{indexed, page};
use super::wrapped;
use crate::blooio::recipient::same_number;
use crate::blooio::{Channel, World};
use crate::refusal::Refusal;
use crate::service::{Call, Outcome};

pub(super) const KINDS: [&str; 6] = ["blooio", "twilio", "whatsapp", "whatsapp_business", "rcs_business", "amb"];
const STATUSES: [&str; 5] = ["pending_verification", "active", "suspended", "banned", "deprecated"];

pub(super) fn list(call: &mut Call<'_>) -> Outcome {
    let kind = call.query.get("type").map(|_| call.query.choice("type", &KINDS)).transpose()?;
    let status = call.query.get("status").map(|_| call.query.choice("status", &STATUSES)).transpose()?;
    let world = &call.state.blooio;
    let fits = |index: &usize| {
        let channel = &world.channels[*index];
        kind.is_none_or(|kind| kind == channel.kind) && status.is_none_or(|status| status == channel.status)
    };
    let rows = indexed((0..world.channels.len()).filter(fits), false);
    page(call, &rows, false, |index| view(&world.channels[*index]))
}

pub(super) fn get(call: &mut Call<'_>) -> Outcome {
    Ok(wrapped(view(find(call)?)))
}

pub(super) fn capabilities(call: &mut Call<'_>) -> Outcome {
    let channel = find(call)?;
    let capabilities = view(channel)["capabilities"].take();
    Ok(wrapped(json!({"channel_id": channel.id, "type": channel.kind, "capabilities": capabilities})))
}

/// Any object; it is kept and given back.
pub(super) fn set_profile(call: &mut Call<'_>) -> Outcome {
    let id = find(call)?.id.clone();
    let profile = call.json_object()?;
    let world = &mut call.state.blooio;
    let channel = world.channels.iter_mut().find(|channel| channel.id == id);
    let channel = channel.ok_or_else(|| Refusal::not_found("Channel not found."))?;
    channel.profile = profile;
    Ok(wrapped(json!({"channel_id": channel.id, "type": channel.kind, "profile": channel.profile})))
}

pub(super) fn settings(call: &mut Call<'_>) -> Outcome {
    let channel = find(call)?;
    Ok(wrapped(json!({
        "channel_id": channel.id,
        "type": channel.kind,
        "settings": {"auto_mark_read": false, "auto_share_contact": false},
    })))
}

/// Buying lines is switched off for nearly everyone; this is what they are told.
pub(super) fn available(_: &mut Call<'_>) -> Outcome {
    Err(not_enabled())
}

pub(super) fn purchase(call: &mut Call<'_>) -> Outcome {
    match call.idempotency_key() {
        Some(_) => Err(not_enabled()),
        None => Err(Refusal::bad_request("A purchase needs an Idempotency-Key.")),
    }
}

fn not_enabled() -> Refusal {
    Refusal::new(403, "Buying numbers is not enabled for this organization.").code("feature_not_enabled")
}

fn find<'a>(call: &'a Call<'_>) -> Result<&'a Channel, Refusal> {
    let found = named(&call.state.blooio, &call.path[0]);
    found
        .first()
        .map(|index| &call.state.blooio.channels[*index])
        .ok_or_else(|| Refusal::not_found("Channel not found."))
}

/// The channels a `ch_` id, an alias or a number in any notation means; several when a number serves several types.
pub(super) fn named(world: &World, name: &str) -> Vec<usize> {
    let fits = |index: &usize| {
        let channel = &world.channels[*index];
        channel.id == name || channel.alias == Some(name) || same_number(channel.address, name)
    };
    (0..world.channels.len()).filter(fits).collect()
}

fn view(channel: &Channel) -> Value {
    let (protocols, content, actions, interactive) = match channel.kind {
        "blooio" => (
            json!(["imessage", "sms", "rcs"]),
            json!(["text", "media", "rich_link", "multipart", "poll"]),
            json!(["typing", "read", "reactions", "profile"]),
            json!(["effects", "polls", "rich_links"]),
        ),
        "rcs_business" => {
            (json!(["rcs"]), json!(["text", "media", "interactive"]), json!(["typing", "read"]), json!(["kinds"]))
        }
        "whatsapp_business" => (
            json!(["whatsapp"]),
            json!(["text", "media", "interactive", "template"]),
            json!(["typing", "read"]),
            json!(["kinds"]),
        ),
        _ => (json!(["sms"]), json!(["text", "media"]), json!([]), json!([])),
    };
    let mut view = json!({
        "id": channel.id,
        "type": channel.kind,
        "address": channel.address,
        "status": channel.status,
        "capabilities": {
            "protocols": protocols, "content": content, "actions": actions, "interactive": interactive, "gates": [],
        },
        "created_at": channel.created_at,
    });
    if !channel.profile.is_empty() {
        view["metadata"] = json!({"profile": channel.profile});
    }
    if let Some(alias) = channel.alias {
        view["alias"] = alias.into();
    }
    view
}
