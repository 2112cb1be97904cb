//! Who the key belongs to, and its lines.

use serde_json::{Value, json};

use super::wrapped;
use crate::blooio::World;
use crate::service::{Call, Outcome};

pub(super) fn me(call: &mut Call<'_>) -> Outcome {
    let world = &call.state.blooio;
    let outbound = world.messages.iter().filter(|message| message.outbound);
    Ok(wrapped(json!({
        "auth_type": "api_key",
        "valid": true,
        "api_key": call.state.keys.blooio,
        "organization_id": world.organization_id,
        "organization": {
            "organization_id": world.organization_id,
            "name": "Sandbox",
            "country_code": "US",
            "created_at": world.channels[0].created_at,
        },
        "metadata": {"name": "sandbox"},
        "integration_details": null,
        "devices": lines(world),
        "usage": {
            "inbound_messages": world.messages.len() - outbound.clone().count(),
            "outbound_messages": outbound.clone().count(),
            "last_message_sent": outbound.map(|message| message.created_at).max(),
        },
    })))
}

pub(super) fn numbers(call: &mut Call<'_>) -> Outcome {
    Ok(wrapped(lines(&call.state.blooio)))
}

fn lines(world: &World) -> Value {
    let last_active = |line| {
        let chats = world.chats.iter().filter(|chat| chat.channel == line);
        chats.filter_map(|chat| chat.last_message_at()).max()
    };
    let row = |line: usize| {
        json!({
            "phone_number": world.channels[line].address,
            "is_active": world.channels[line].is_active(),
            "suspended": false,
            "status": world.channels[line].status,
            "last_active": last_active(line),
            "plan_kind": world.switches.plan,
        })
    };
    world.lines().map(row).collect()
}
