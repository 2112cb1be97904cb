//! Contacts: people, over all numbers and addresses that are theirs.

use serde_json::{Value, json};

use super::page::{Position, indexed, page};
use super::{fields, unprocessable, wrapped};
use crate::blooio::events::What;
use crate::blooio::names::{has, sort_name};
use crate::blooio::recipient::normalize;
use crate::blooio::{Message, Peer, World};
use crate::refusal::Refusal;
use crate::service::{Answer, Call, Outcome};

/// Any of these turns the list from cursors to offsets.
const OFFSET_MODE: [&str; 5] = ["offset", "q", "tag", "sort", "filter"];

pub(super) fn list(call: &mut Call<'_>) -> Outcome {
    let by_offset = OFFSET_MODE.iter().any(|name| call.query.get(name).is_some());
    let owner = call.query.get("identifier").map(|raw| owner(&call.state.blooio, raw));
    let world = &call.state.blooio;
    let listed = (0..world.people.len()).filter(|person| world.people[*person].is_listed());
    let rows: Vec<usize> = listed.filter(|person| owner.is_none_or(|owner| owner == Some(*person))).collect();
    if !by_offset {
        return page(call, &indexed(rows.into_iter(), true), true, |person| view(world, *person));
    }
    if call.query.get("cursor").is_some() {
        return Err(Refusal::bad_request("offset, q, tag, sort and filter do not go with cursor."));
    }
    offset_page(call, rows)
}

fn offset_page(call: &Call<'_>, mut rows: Vec<usize>) -> Outcome {
    let limit = call.query.integer("limit", 1..=200, 50)? as usize;
    let offset = call.query.integer("offset", 0..=i64::MAX, 0)? as usize;
    let sort = call.query.choice("sort", &["recent", "oldest", "name_asc", "name_desc"])?;
    let filter = call.query.choice("filter", &["none", "has_tags", "no_tags", "inbound_last", "outbound_last"])?;
    let search = call.query.get("q").map(str::to_lowercase);
    let tag = call.query.get("tag").map(str::to_lowercase);
    let world = &call.state.blooio;
    let name = |person: usize| sort_name(world.people[person].name.as_deref());
    rows.retain(|person| {
        let row = &world.people[*person];
        let tagged = |wanted: &str, whole: bool| {
            row.tags
                .iter()
                .map(|tag| tag.name.to_lowercase())
                .any(|tag| if whole { tag == wanted } else { tag.contains(wanted) })
        };
        let found = |words: &String| {
            has(row.name.as_deref(), words)
                || tagged(words, false)
                || row.contacts.iter().any(|contact| world.contacts[*contact].identifier.contains(words))
        };
        let last = || last_message(world, *person).map(|message| message.outbound);
        search.as_ref().is_none_or(found)
            && tag.as_ref().is_none_or(|tag| tagged(tag, true))
            && match filter {
                "has_tags" => !row.tags.is_empty(),
                "no_tags" => row.tags.is_empty(),
                "inbound_last" => last() == Some(false),
                "outbound_last" => last() == Some(true),
                _ => true,
            }
    });
    match sort {
        "recent" => rows.reverse(),
        "name_asc" => rows.sort_by_cached_key(|person| name(*person)),
        "name_desc" => rows.sort_by_cached_key(|person| std::cmp::Reverse(name(*person))),
        _ => {}
    }
    let given: Vec<Value> = rows.iter().skip(offset).take(limit).map(|person| view(world, *person)).collect();
    Ok(Answer::ok(json!({
        "has_more": offset.saturating_add(given.len()) < rows.len(),
        "next_cursor": null,
        "pagination": {"limit": limit, "offset": offset, "total": rows.len()},
        "data": given,
    })))
}

pub(super) fn create(call: &mut Call<'_>) -> Outcome {
    let body = call.json_object()?;
    let fields = fields(&body);
    let name = fields.text("name")?.map(str::to_owned);
    let identifier = fields.text("identifier")?;
    if name.is_none() && identifier.is_none() {
        return Err(unprocessable("identifier", "Give a name, an identifier, or both."));
    }
    let (kind, channel_id) = super::identities::reach(fields, &call.state.blooio)?;
    let identifier = identifier.map(super::identities::valid).transpose()?;
    let world = &mut call.state.blooio;
    let contact = identifier.as_deref().map(|identifier| world.bare_contact(identifier));
    if contact.is_some_and(|contact| world.person(contact).is_some()) {
        return Err(Refusal::new(409, "Another contact has this identifier."));
    }
    // A deleted contact's numbers are free again.
    let person = world.add_person(name);
    if let Some(contact) = contact {
        world.release(contact);
        world.attach(contact, person, kind, channel_id);
    }
    Ok(Answer::new(201, json!({"data": view(world, person)})))
}

pub(super) fn get(call: &mut Call<'_>) -> Outcome {
    let person = find(call)?;
    Ok(wrapped(view(&call.state.blooio, person)))
}

pub(super) fn update(call: &mut Call<'_>) -> Outcome {
    let person = find(call)?;
    let body = call.json_object()?;
    let name = fields(&body).required_text("name")?.to_owned();
    let world = &mut call.state.blooio;
    world.people[person].name = Some(name);
    Ok(wrapped(view(world, person)))
}

pub(super) fn delete(call: &mut Call<'_>) -> Outcome {
    let person = find(call)?;
    let row = &mut call.state.blooio.people[person];
    row.deleted = true;
    Ok(wrapped(json!({"id": row.id, "deleted": true})))
}

/// The other contact's identities and tags become this one's; a repeat changes nothing.
pub(super) fn merge(call: &mut Call<'_>) -> Outcome {
    let survivor = find(call)?;
    let body = call.json_object().map_err(Refusal::flat)?;
    let source = fields(&body).required_text("source_contact_id")?;
    let world = &mut call.state.blooio;
    let source = world.find_any_person(source).filter(|source| !world.people[*source].deleted);
    let source = source.ok_or_else(|| Refusal::not_found("The contact to merge was not found."))?;
    if source == survivor {
        return Err(Refusal::bad_request("A contact cannot be merged with itself.").code("cannot_merge_self").flat());
    }
    match world.people[source].merged_into {
        Some(other) if other != survivor => {
            let message = "The contact was merged into another one.";
            return Err(Refusal::new(409, message).code("contact_already_merged").flat());
        }
        Some(_) => {}
        None => {
            world.merge(survivor, source);
            world.emit(What::ContactMerged { source, survivor }, None);
        }
    }
    Ok(wrapped(view(world, survivor)))
}

pub(super) fn tags(call: &mut Call<'_>) -> Outcome {
    let person = find(call)?;
    Ok(wrapped(json!(tag_names(&call.state.blooio, person))))
}

pub(super) fn add_tags(call: &mut Call<'_>) -> Outcome {
    let person = find(call)?;
    let body = call.json_object()?;
    let fields = fields(&body);
    let mut tags = fields.texts("tags")?.unwrap_or_default();
    tags.extend(fields.text("tag")?.filter(|tag| !tag.is_empty()));
    if tags.is_empty() {
        return Err(fields.refuse("tags", "an array of non-empty strings"));
    }
    let world = &mut call.state.blooio;
    let now = world.now;
    world.people[person].tag(tags.into_iter().map(str::to_owned), now);
    Ok(wrapped(json!(tag_names(world, person))))
}

pub(super) fn remove_tag(call: &mut Call<'_>) -> Outcome {
    let person = find(call)?;
    let world = &mut call.state.blooio;
    world.people[person].tags.retain(|tag| tag.name != call.path[1]);
    Ok(wrapped(json!(tag_names(world, person))))
}

/// Everything that passed between us, newest first.
pub(super) fn timeline(call: &mut Call<'_>) -> Outcome {
    let with_events = call.query.choice("include_events", &["false", "true"])? == "true";
    let person = find(call)?;
    let world = &call.state.blooio;
    let chats: Vec<usize> = chats(world, person).collect();
    let mut rows: Vec<(Position, Entry)> = Vec::new();
    for message in chats.iter().flat_map(|chat| &world.chats[*chat].messages) {
        rows.push(((world.messages[*message].created_at, message * 2), Entry::Message(*message)));
    }
    if with_events {
        let events = world.events.iter().enumerate();
        let here = events.filter(|(_, event)| event.chat.is_some_and(|chat| chats.contains(&chat)));
        rows.extend(here.map(|(index, event)| ((event.occurred_at, index * 2 + 1), Entry::Event(index))));
    }
    rows.sort_unstable_by_key(|(position, _)| std::cmp::Reverse(*position));
    page(call, &rows, true, |entry| entry.view(world))
}

enum Entry {
    Message(usize),
    Event(usize),
}

impl Entry {
    fn view(&self, world: &World) -> Value {
        let (kind, occurred_at, id, chat, object) = match self {
            Entry::Message(index) => {
                let message = &world.messages[*index];
                let object = super::messages::view(world, message);
                ("message", message.created_at, &message.id, Some(message.chat), object)
            }
            Entry::Event(index) => {
                let event = &world.events[*index];
                let kind = if event.message().is_some() { "message_event" } else { "chat_event" };
                (kind, event.occurred_at, &event.id, event.chat, super::events::view(world, event))
            }
        };
        let chat = chat.map(|chat| &world.chats[chat]);
        json!({
            "type": kind,
            "occurred_at": occurred_at,
            "id": id,
            "chat_id": chat.map(|chat| &chat.id),
            "channel_id": chat.map(|chat| &world.channels[chat.channel].id),
            "channel_type": chat.map(|chat| world.channels[chat.channel].kind),
            "object": object,
        })
    }
}

/// The contact of a path, or 404.
pub(super) fn find(call: &Call<'_>) -> Result<usize, Refusal> {
    call.state.blooio.find_person(&call.path[0]).ok_or_else(|| Refusal::not_found("Contact not found."))
}

fn owner(world: &World, raw: &str) -> Option<usize> {
    let contact = world.find_contact(&normalize(raw)?)?;
    world.person(contact).and(world.contacts[contact].person)
}

fn chats(world: &World, person: usize) -> impl Iterator<Item = usize> {
    let contacts = world.people[person].contacts.iter();
    contacts.flat_map(|contact| world.chats_with(Peer::Person(*contact)).iter().copied())
}

fn last_message(world: &World, person: usize) -> Option<&Message> {
    let last = chats(world, person).filter_map(|chat| world.chats[chat].messages.last().copied()).max();
    last.map(|last| &world.messages[last])
}

fn tag_names(world: &World, person: usize) -> Vec<&String> {
    world.people[person].tags.iter().map(|tag| &tag.name).collect()
}

fn view(world: &World, person: usize) -> Value {
    let row = &world.people[person];
    let last = last_message(world, person);
    json!({
        "id": row.id,
        "name": row.name,
        "created_at": row.created_at,
        "tags": tag_names(world, person),
        "last_message_time": last.map(|message| message.created_at),
        "last_direction": last.map(|message| if message.outbound { "outbound" } else { "inbound" }),
        "last_text": last.and_then(|message| message.text.as_ref()),
        "last_status": last.map(super::messages::shown_status),
        "identities": super::identities::summaries(world, person),
    })
}
