//! The address book. A contact is a number or an address; its name and tags are its owner's.

use serde_json::{Value, json};

use super::chats::contact_id;
use super::{Page, fields, invalid};
use crate::blooio::names::{has, sort_name};
use crate::blooio::recipient::{is_email, normalize};
use crate::blooio::{Peer, Person, World, life};
use crate::refusal::Refusal;
use crate::service::{Answer, Call, Outcome};

const BAD_IDENTIFIER: &str = "The identifier must be an E.164 number or an email address. Encode + as %2B in paths.";

pub(super) fn list(call: &mut Call<'_>) -> Outcome {
    let page = Page::of(call)?;
    let sort = call.query.choice("sort", &["recent", "oldest", "name_asc", "name_desc"])?;
    let search = call.query.get("q").unwrap_or_default().to_lowercase();
    let world = &call.state.blooio;
    let name = |index: usize| sort_name(world.name(index));
    let mut rows: Vec<usize> = (0..world.contacts.len())
        .filter(|index| world.person(*index).is_some())
        .filter(|index| world.contacts[*index].identifier.contains(&search) || has(world.name(*index), &search))
        .collect();
    match sort {
        "recent" => rows.reverse(),
        "name_asc" => rows.sort_by_cached_key(|index| name(*index)),
        "name_desc" => rows.sort_by_cached_key(|index| std::cmp::Reverse(name(*index))),
        _ => {}
    }
    Ok(page.answer(world, "contacts", &rows, |index| view(world, *index)))
}

pub(super) fn create(call: &mut Call<'_>) -> Outcome {
    let body = call.json_object()?;
    let fields = fields(&body);
    let identifier =
        normalize(fields.required_text("identifier")?).ok_or_else(|| invalid("identifier", BAD_IDENTIFIER))?;
    let name = fields.text("name")?.map(str::to_owned);
    let world = &mut call.state.blooio;
    if world.find_contact(&identifier).is_some_and(|contact| world.person(contact).is_some()) {
        return Err(Refusal::new(409, "A contact with this identifier exists already."));
    }
    // One that was deleted comes back as it was, unless it gets a new name.
    let contact = world.contact(&identifier);
    if let (Some(person), Some(name)) = (world.contacts[contact].person, name) {
        world.people[person].name = Some(name);
    }
    Ok(Answer::new(201, view(world, contact)))
}

pub(super) fn get(call: &mut Call<'_>) -> Outcome {
    let contact = find(call)?;
    Ok(Answer::ok(view(&call.state.blooio, contact)))
}

pub(super) fn update(call: &mut Call<'_>) -> Outcome {
    let contact = find(call)?;
    let body = call.json_object()?;
    let name = fields(&body).text("name")?.map(str::to_owned);
    if body.contains_key("name") {
        owner(call, contact)?.name = name;
    }
    Ok(Answer::ok(view(&call.state.blooio, contact)))
}

pub(super) fn delete(call: &mut Call<'_>) -> Outcome {
    let contact = find(call)?;
    owner(call, contact)?.deleted = true;
    Ok(Answer::ok(json!({"success": true, "deleted_at": call.state.blooio.now})))
}

pub(super) fn capabilities(call: &mut Call<'_>) -> Outcome {
    let identifier = identifier(call)?;
    let last_checked = call.state.blooio.look_at(&identifier)?;
    let email = is_email(&identifier);
    let imessage = life::fate(&identifier).imessage;
    Ok(Answer::ok(json!({
        "contact": identifier,
        "type": kind(&identifier),
        "capabilities": {"imessage": imessage, "sms": !email, "facetime": imessage},
        "last_checked": last_checked,
    })))
}

pub(super) fn tags(call: &mut Call<'_>) -> Outcome {
    let contact = find(call)?;
    let tags = &owner(call, contact)?.tags;
    let tags: Vec<Value> = tags.iter().map(|tag| json!({"tag": tag.name, "created_at": tag.created_at})).collect();
    Ok(Answer::ok(json!({"tags": tags})))
}

pub(super) fn add_tags(call: &mut Call<'_>) -> Outcome {
    let contact = find(call)?;
    let body = call.json_object()?;
    let fields = fields(&body);
    let tags = fields.texts("tags")?.filter(|tags| !tags.is_empty());
    let tags = tags.ok_or_else(|| fields.refuse("tags", "an array of non-empty strings"))?;
    let now = call.state.blooio.now;
    owner(call, contact)?.tag(tags.iter().map(|tag| (*tag).to_owned()), now);
    Ok(Answer::new(201, json!({"success": true, "tags_added": tags})))
}

pub(super) fn remove_tag(call: &mut Call<'_>) -> Outcome {
    let contact = find(call)?;
    let tag = call.path[1].clone();
    let tags = &mut owner(call, contact)?.tags;
    if tags.iter().all(|one| one.name != tag) {
        return Err(Refusal::not_found("The contact has no such tag."));
    }
    tags.retain(|one| one.name != tag);
    Ok(Answer::ok(json!({"success": true, "deleted_at": call.state.blooio.now})))
}

fn identifier(call: &Call<'_>) -> Result<String, Refusal> {
    normalize(&call.path[0]).ok_or_else(|| Refusal::bad_request(BAD_IDENTIFIER))
}

fn find(call: &Call<'_>) -> Result<usize, Refusal> {
    let (identifier, world) = (identifier(call)?, &call.state.blooio);
    let contact = world.find_contact(&identifier).filter(|contact| world.person(*contact).is_some());
    contact.ok_or_else(|| Refusal::not_found("Contact not found."))
}

fn owner<'a>(call: &'a mut Call<'_>, contact: usize) -> Result<&'a mut Person, Refusal> {
    let world = &mut call.state.blooio;
    let person = world.contacts[contact].person.and_then(|person| world.people.get_mut(person));
    person.ok_or_else(|| Refusal::not_found("Contact not found."))
}

fn kind(identifier: &str) -> &'static str {
    if is_email(identifier) { "email" } else { "phone" }
}

fn view(world: &World, index: usize) -> Value {
    let identifier = &world.contacts[index].identifier;
    let chats = world.chats_with(Peer::Person(index));
    let person = world.person(index);
    json!({
        "id": identifier,
        "contact_id": contact_id(world, index),
        "identifier": identifier,
        "name": world.name(index),
        "type": kind(identifier),
        "created_at": person.map_or(0, |person| person.created_at),
        "last_message_time": chats.iter().filter_map(|chat| world.chats[*chat].last_message_at()).max(),
        "tags": person.map_or(Vec::new(), |person| person.tags.iter().map(|tag| &tag.name).collect()),
    })
}
