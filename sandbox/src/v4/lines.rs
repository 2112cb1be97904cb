//! What belongs to a number of the key: its contact card, and forwarding of its calls.

use serde_json::json;

use super::{fields, wrapped};
use crate::blooio::recipient::{normalize, same_number};
use crate::multipart;
use crate::refusal::Refusal;
use crate::service::{Call, Outcome};

pub(super) fn card(call: &mut Call<'_>) -> Outcome {
    let line = own(call)?;
    Ok(wrapped(call.state.blooio.channels[line].card_view()))
}

pub(super) fn update_card(call: &mut Call<'_>) -> Outcome {
    let line = own(call)?;
    let body = call.json_object()?;
    let world = &mut call.state.blooio;
    let channel = &mut world.channels[line];
    channel.card.update(fields(&body), world.switches.enterprise)?;
    Ok(wrapped(channel.card_view()))
}

pub(super) fn upload_avatar(call: &mut Call<'_>) -> Outcome {
    let line = own(call)?;
    let image = multipart::image(call.headers, call.body, "avatar")?;
    let world = &mut call.state.blooio;
    let url = world.pictures.keep(&image);
    world.channels[line].card.avatar = Some(url.clone());
    Ok(wrapped(json!({"phone_number": world.channels[line].address, "avatar": url})))
}

/// A support ticket is all that comes of it, at the vendor's too.
pub(super) fn forward_calls(call: &mut Call<'_>) -> Outcome {
    let line = own(call)?;
    let body = call.json_object()?;
    let fields = fields(&body);
    let forward_to =
        normalize(fields.required_text("forward_to")?).filter(|number| number.starts_with("+1") && number.len() == 12);
    let forward_to = forward_to.ok_or_else(|| fields.refuse("forward_to", "a number of the United States in E.164"))?;
    let world = &mut call.state.blooio;
    if !world.switches.enterprise || !matches!(world.switches.plan, "dedicated" | "inbound") {
        return Err(Refusal::new(403, "Call forwarding is not part of this plan.").flat());
    }
    Ok(wrapped(json!({
        "success": true,
        "ticket_id": world.ids.alphanumeric("tkt_", 16),
        "status": "open",
        "number": world.channels[line].address,
        "forward_to": forward_to,
    })))
}

fn own(call: &Call<'_>) -> Result<usize, Refusal> {
    let world = &call.state.blooio;
    let line = world.lines().find(|line| same_number(world.channels[*line].address, &call.path[0]));
    line.ok_or_else(|| Refusal::not_found("This number does not belong to the API key."))
}
