//! What belongs to a number of the key: its contact card, and forwarding of its calls.

use serde_json::json;

use super::{fields, invalid};
use crate::blooio::recipient::normalize;
use crate::refusal::Refusal;
use crate::service::{Answer, Call, Outcome};

pub(super) fn card(call: &mut Call<'_>) -> Outcome {
    let line = own(call, 404)?;
    let channel = &call.state.blooio.channels[line];
    let card = &channel.card;
    Ok(Answer::ok(json!({
        "phone_number": channel.address,
        "first_name": card.first_name,
        "last_name": card.last_name,
        "name": card.full_name(),
        "avatar": card.avatar,
        "has_wallpaper": false,
        "sharing": {"enabled": card.sharing, "audience": card.audience, "name_format": card.name_format},
    })))
}

/// Only what is given changes.
pub(super) fn update_card(call: &mut Call<'_>) -> Outcome {
    let line = own(call, 404)?;
    let body = call.json_object()?;
    let fields = fields(&body);
    let names = [fields.text("first_name")?, fields.text("last_name")?, fields.text("avatar")?];
    let sharing = fields.object("sharing")?;
    if names.iter().any(Option::is_some) && !call.state.blooio.switches.enterprise {
        return Err(Refusal::new(403, "Name and avatar of the contact card are not part of this plan."));
    }
    let bit = |name: &str| match sharing.map(|sharing| sharing.integer(name)).transpose()?.flatten() {
        None => Ok(None),
        Some(bit @ (0 | 1)) => Ok(Some(bit)),
        Some(_) => Err(invalid("sharing", format!("{name} must be 0 or 1."))),
    };
    let (audience, name_format) = (bit("audience")?, bit("name_format")?);
    let enabled =
        sharing.filter(|sharing| sharing.has("enabled")).map(|sharing| sharing.flag("enabled")).transpose()?;
    let channel = &mut call.state.blooio.channels[line];
    let [first, last, avatar] = names.map(|name| name.map(str::to_owned));
    let card = &mut channel.card;
    card.first_name = first.or(card.first_name.take());
    card.last_name = last.or(card.last_name.take());
    card.avatar = avatar.or(card.avatar.take());
    card.sharing = enabled.unwrap_or(card.sharing);
    card.audience = audience.unwrap_or(card.audience);
    card.name_format = name_format.unwrap_or(card.name_format);
    Ok(Answer::ok(json!({
        "success": true,
        "phone_number": channel.address,
        "first_name": channel.card.first_name,
        "last_name": channel.card.last_name,
    })))
}

/// A support ticket is all that comes of it, at the vendor's too.
pub(super) fn forward_calls(call: &mut Call<'_>) -> Outcome {
    let line = own(call, 403)?;
    let body = call.json_object()?;
    let fields = fields(&body);
    let forward_to = normalize(fields.required_text("forward_to")?).filter(|number| number.starts_with('+'));
    let forward_to = forward_to.ok_or_else(|| fields.refuse("forward_to", "an E.164 number"))?;
    let world = &mut call.state.blooio;
    if !world.switches.enterprise {
        return Err(Refusal::new(403, "Call forwarding is not part of this plan."));
    }
    Ok(Answer::new(
        201,
        json!({
            "success": true,
            "ticket_id": world.ids.alphanumeric("tkt_", 16),
            "status": "open",
            "number": world.channels[line].address,
            "forward_to": forward_to,
        }),
    ))
}

/// The line of a path; `status` is what a number that is not ours gets.
fn own(call: &Call<'_>, status: u16) -> Result<usize, Refusal> {
    let number = normalize(&call.path[0]).filter(|number| number.starts_with('+'));
    let number = number.ok_or_else(|| Refusal::bad_request("number must be in E.164. Encode + as %2B."))?;
    let world = &call.state.blooio;
    let line = world.lines().find(|line| world.channels[*line].address == number);
    line.ok_or_else(|| Refusal::new(status, "This number does not belong to the API key."))
}
