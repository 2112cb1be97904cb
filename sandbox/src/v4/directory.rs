//! Looking up phone numbers, and where people are.

use serde_json::{Value, json};

use super::{fields, wrapped};
use crate::blooio::phone;
use crate::blooio::recipient::normalize;
use crate::refusal::Refusal;
use crate::service::{Call, Outcome};

const BATCH: usize = 100;

pub(super) fn lookup(call: &mut Call<'_>) -> Outcome {
    entitled(call)?;
    let number = call.query.get("number").filter(|number| !number.trim().is_empty());
    Ok(wrapped(phone::lookup(number.ok_or_else(|| Refusal::bad_request("number is required."))?)))
}

/// The one place beside uploads where a wrong field is 400.
pub(super) fn lookup_posted(call: &mut Call<'_>) -> Outcome {
    entitled(call)?;
    let body = call.json_object()?;
    let number = fields(&body).required_text("number").map_err(|refusal| Refusal::bad_request(refusal.message))?;
    Ok(wrapped(phone::lookup(number)))
}

pub(super) fn lookup_batch(call: &mut Call<'_>) -> Outcome {
    entitled(call)?;
    let body = call.json_object()?;
    let numbers = fields(&body).texts("numbers").map_err(|refusal| Refusal::bad_request(refusal.message))?;
    let numbers = numbers.filter(|numbers| (1..=BATCH).contains(&numbers.len()));
    let numbers = numbers.ok_or_else(|| Refusal::bad_request("numbers must be an array of 1 to 100 numbers."))?;
    Ok(wrapped(numbers.into_iter().map(phone::lookup).collect()))
}

fn entitled(call: &Call<'_>) -> Result<(), Refusal> {
    match call.state.blooio.switches.enterprise {
        true => Ok(()),
        false => Err(Refusal::new(403, "Phone-number lookup is part of the Dedicated Enterprise plan.").flat()),
    }
}

pub(super) fn locations(call: &mut Call<'_>) -> Outcome {
    Ok(wrapped(call.state.blooio.locations()))
}

pub(super) fn location(call: &mut Call<'_>) -> Outcome {
    let found: Option<Value> = normalize(&call.path[0]).and_then(|handle| call.state.blooio.location_of(&handle));
    found.map(wrapped).ok_or_else(|| Refusal::not_found("This person shares no location."))
}

pub(super) fn refresh_locations(call: &mut Call<'_>) -> Outcome {
    let world = &mut call.state.blooio;
    world.refresh_locations();
    Ok(wrapped(json!({"success": true, "friends": world.locations()})))
}
