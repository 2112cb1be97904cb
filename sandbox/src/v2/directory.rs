//! Looking up phone numbers, and where people are.

use serde_json::{Value, json};

use super::fields;
use crate::blooio::phone;
use crate::blooio::recipient::normalize;
use crate::refusal::Refusal;
use crate::service::{Answer, Call, Outcome};

const BATCH: usize = 100;

pub(super) fn lookup(call: &mut Call<'_>) -> Outcome {
    entitled(call)?;
    let number = call.query.get("number").filter(|number| !number.trim().is_empty());
    let number = number.ok_or_else(|| Refusal::bad_request("number is required."))?;
    Ok(Answer::ok(phone::lookup(number)))
}

pub(super) fn lookup_posted(call: &mut Call<'_>) -> Outcome {
    entitled(call)?;
    let body = call.json_object()?;
    Ok(Answer::ok(phone::lookup(fields(&body).required_text("number")?)))
}

pub(super) fn lookup_batch(call: &mut Call<'_>) -> Outcome {
    entitled(call)?;
    let body = call.json_object()?;
    let fields = fields(&body);
    let numbers = fields.texts("numbers")?.filter(|numbers| (1..=BATCH).contains(&numbers.len()));
    let numbers = numbers.ok_or_else(|| fields.refuse("numbers", "an array of 1 to 100 numbers"))?;
    Ok(Answer::ok(json!({"results": numbers.into_iter().map(phone::lookup).collect::<Vec<Value>>()})))
}

fn entitled(call: &Call<'_>) -> Result<(), Refusal> {
    match call.state.blooio.switches.enterprise {
        true => Ok(()),
        false => Err(Refusal::new(403, "Phone-number lookup is part of the Dedicated Enterprise plan.")),
    }
}

pub(super) fn locations(call: &mut Call<'_>) -> Outcome {
    let world = &call.state.blooio;
    if !world.lines().any(|line| world.channels[line].is_active()) {
        return Err(Refusal::not_found("There is no active number."));
    }
    Ok(Answer::ok(json!({"friends": world.locations()})))
}

pub(super) fn location(call: &mut Call<'_>) -> Outcome {
    let handle = normalize(&call.path[0])
        .ok_or_else(|| Refusal::bad_request("handle must be an E.164 number or an email address."))?;
    let found = call.state.blooio.location_of(&handle);
    found.map(Answer::ok).ok_or_else(|| Refusal::not_found("This person shares no location."))
}

pub(super) fn refresh_locations(call: &mut Call<'_>) -> Outcome {
    let world = &mut call.state.blooio;
    world.refresh_locations();
    Ok(Answer::ok(json!({"success": true, "friends": world.locations()})))
}
