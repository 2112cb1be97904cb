//! Who the key belongs to, and its numbers.

use serde_json::json;

use crate::blooio::{SEEDED_UNTIL_MS, World};
use crate::service::{Answer, Call, Outcome};

pub(super) fn me(call: &mut Call<'_>) -> Outcome {
    let world = &call.state.blooio;
    let devices: Vec<_> = world
        .lines()
        .map(|line| {
            json!({
                "phone_number": world.channels[line].address,
                "is_active": world.channels[line].is_active(),
                "last_active": last_active(world, line),
                "plan_kind": world.switches.plan,
            })
        })
        .collect();
    let outbound = world.messages.iter().filter(|message| message.outbound);
    Ok(Answer::ok(json!({
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
        "devices": devices,
        "usage": {
            "inbound_messages": world.messages.len() - outbound.clone().count(),
            "outbound_messages": outbound.clone().count(),
            "last_message_sent": outbound.map(|message| message.created_at).max(),
        },
    })))
}

pub(super) fn numbers(call: &mut Call<'_>) -> Outcome {
    let world = &call.state.blooio;
    let numbers: Vec<_> = world
        .lines()
        .map(|line| {
            json!({
                "phone_number": world.channels[line].address,
                "is_active": world.channels[line].is_active(),
                // The one time of v2 that is not in epoch ms.
                "last_active": iso(last_active(world, line)),
                "plan_kind": world.switches.plan,
            })
        })
        .collect();
    Ok(Answer::ok(json!({"numbers": numbers})))
}

fn last_active(world: &World, line: usize) -> i64 {
    let chats = world.chats.iter().filter(|chat| chat.channel == line);
    chats.filter_map(|chat| chat.last_message_at()).max().unwrap_or(SEEDED_UNTIL_MS)
}

/// `2026-10-01T00:00:00.000Z` (Hinnant's civil-from-days).
fn iso(ms: i64) -> String {
    let (days, rest) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hours, minutes, seconds) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60);
    format!("{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}.{:03}Z", rest % 1000)
}
