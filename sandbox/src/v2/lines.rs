//! What belongs to a number of the key: its contact card, and forwarding of its calls.

use serde_json::json;

use super::fields;
use crate::blooio::recipient::normalize;
use crate::refusal::Refusal;
use crate::service::{Answer, Call, Outcome};

pub(super) fn card(call: &mut Call<'_>) -> Outcome {
    let line = own(call, 404)?;
    Ok(Answer::ok(call.state.blooio.channels[line].card_view()))
}

/// Only what is given changes.
pub(super) fn update_card(call: &mut Call<'_>) -> Outcome {
    let line = own(call, 404)?;
    let body = call.json_object()?;
    let fields = fields(&body);
    let world = &mut call.state.blooio;
    let channel = &mut world.channels[line];
    channel.card.update(fields, world.switches.enterprise)?;
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
    let forward_to =
        normalize(fields.required_text("forward_to")?).filter(|number| number.starts_with("+1") && number.len() == 12);
    let forward_to = forward_to.ok_or_else(|| fields.refuse("forward_to", "a number of the United States in E.164"))?;
    let world = &mut call.state.blooio;
    if !world.switches.enterprise || !matches!(world.switches.plan, "dedicated" | "inbound") {
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
