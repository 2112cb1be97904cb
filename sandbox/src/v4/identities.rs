//! The numbers and addresses of a contact, each by the type of channel that reaches it.

use serde_json::{Value, json};

use super::channels::KINDS;
use super::{contacts, fields, unprocessable, wrapped};
use crate::blooio::recipient::{is_email, normalize};
use crate::blooio::{World, life};
use crate::fields::Fields;
use crate::refusal::Refusal;
use crate::service::{Answer, Call, Outcome};

pub(super) fn list(call: &mut Call<'_>) -> Outcome {
    let person = contacts::find(call)?;
    let world = &call.state.blooio;
    let data: Vec<Value> = places(world, person).map(|(contact, index)| view(world, contact, index, true)).collect();
    Ok(Answer::ok(json!({"data": data, "has_more": false, "next_cursor": null})))
}

pub(super) fn attach(call: &mut Call<'_>) -> Outcome {
    let person = contacts::find(call)?;
    let body = call.json_object()?;
    let fields = fields(&body);
    let identifier = valid(fields.required_text("identifier")?)?;
    let (kind, channel_id) = reach(fields, &call.state.blooio)?;
    let world = &mut call.state.blooio;
    let contact = free(world, &identifier, person, kind)?;
    let index = world.attach(contact, person, kind, channel_id);
    Ok(Answer::new(201, json!({"data": view(world, contact, index, true)})))
}

/// Another identifier under the same id; `name` renames the contact.
pub(super) fn update(call: &mut Call<'_>) -> Outcome {
    let (person, contact, index) = find(call)?;
    let body = call.json_object()?;
    let fields = fields(&body);
    let identifier = valid(fields.required_text("identifier")?)?;
    let name = fields.text("name")?.map(str::to_owned);
    let world = &mut call.state.blooio;
    let (mut contact, mut index) = (contact, index);
    if world.contacts[contact].identifier != identifier {
        let kind = world.contacts[contact].identities[index].channel_type;
        let other = free(world, &identifier, person, kind)?;
        (contact, index) = (other, world.move_identity(contact, index, other));
    }
    if let Some(name) = name {
        world.people[person].name = Some(name);
    }
    Ok(wrapped(view(world, contact, index, true)))
}

pub(super) fn detach(call: &mut Call<'_>) -> Outcome {
    let (_, contact, index) = find(call)?;
    call.state.blooio.detach(contact, index);
    Ok(wrapped(json!({"id": call.path[1], "detached": true})))
}

/// What each identity can receive; for Blooio's this is a lookup, and needs a line to look from.
pub(super) fn capabilities(call: &mut Call<'_>) -> Outcome {
    let person = contacts::find(call)?;
    let world = &call.state.blooio;
    if !world.lines().any(|line| world.channels[line].is_active()) {
        let refusal = Refusal::new(409, "There is no active Blooio channel to look from.");
        return Err(refusal.code("no_active_blooio_channel").flat());
    }
    let capable = |(contact, index): (usize, usize)| {
        let mut view = view(world, contact, index, false);
        let identifier = &world.contacts[contact].identifier;
        let imessage = life::fate(identifier).imessage;
        view["capabilities"] = match world.contacts[contact].identities[index].channel_type {
            "blooio" => json!({"imessage": imessage, "sms": !is_email(identifier), "facetime": imessage}),
            _ => json!({}),
        };
        view.as_object_mut().map(|view| view.remove("created_at"));
        view
    };
    Ok(wrapped(places(world, person).map(capable).collect()))
}

/// As contacts list them.
pub(super) fn summaries(world: &World, person: usize) -> Vec<Value> {
    places(world, person).map(|(contact, index)| view(world, contact, index, false)).collect()
}

/// `channel_type` and `channel_id` of a body; a channel's own type counts where none is given.
pub(super) fn reach(fields: Fields<'_>, world: &World) -> Result<(&'static str, Option<String>), Refusal> {
    let channel_id = fields.text("channel_id")?;
    let channel = channel_id.map(|id| world.channels.iter().find(|channel| channel.id == id));
    let channel = match channel {
        Some(None) => return Err(fields.refuse("channel_id", "the id of a channel")),
        other => other.flatten(),
    };
    let kind = match fields.text("channel_type")? {
        None => channel.map_or("blooio", |channel| channel.kind),
        Some(given) => {
            let known = KINDS.iter().find(|kind| **kind == given).copied();
            known.ok_or_else(|| fields.refuse("channel_type", "a channel type"))?
        }
    };
    Ok((kind, channel_id.map(str::to_owned)))
}

pub(super) fn valid(raw: &str) -> Result<String, Refusal> {
    normalize(raw).ok_or_else(|| unprocessable("identifier", "identifier must be an E.164 number or an email address."))
}

/// The row of an identifier that nobody else has, and that has no identity of this type yet.
fn free(world: &mut World, identifier: &str, person: usize, kind: &str) -> Result<usize, Refusal> {
    let contact = world.bare_contact(identifier);
    let owner = world.person(contact).and(world.contacts[contact].person);
    let here_already = world.contacts[contact].identities.iter().any(|identity| identity.channel_type == kind);
    match owner {
        Some(owner) if owner != person => Err(Refusal::new(409, "Another contact has this identifier.")),
        Some(_) if here_already => Err(Refusal::new(409, "The contact has this identity already.")),
        Some(_) => Ok(contact),
        None => {
            world.release(contact);
            Ok(contact)
        }
    }
}

fn find(call: &Call<'_>) -> Result<(usize, usize, usize), Refusal> {
    let person = contacts::find(call)?;
    let world = &call.state.blooio;
    let wanted = |(contact, index): &(usize, usize)| world.contacts[*contact].identities[*index].id == call.path[1];
    let place = places(world, person).find(wanted);
    place
        .map(|(contact, index)| (person, contact, index))
        .ok_or_else(|| Refusal::not_found("The contact has no such identity."))
}

/// Where a contact's identities are: row and index.
fn places(world: &World, person: usize) -> impl Iterator<Item = (usize, usize)> {
    let contacts = world.people[person].contacts.iter().copied();
    contacts.flat_map(|contact| (0..world.contacts[contact].identities.len()).map(move |index| (contact, index)))
}

fn view(world: &World, contact: usize, index: usize, with_owner: bool) -> Value {
    let row = &world.contacts[contact];
    let identity = &row.identities[index];
    let mut view = json!({
        "id": identity.id,
        "channel_type": identity.channel_type,
        "identifier": row.identifier,
        "channel_id": identity.channel_id,
        "created_at": identity.created_at,
    });
    if with_owner {
        view["contact_id"] =
            row.person.map(|person| &world.people[person].id).into_iter().cloned().collect::<String>().into();
    }
    view
}
