//! The address book.

use serde_json::{Value, json};

use super::{Page, fields, invalid};
use crate::blooio::recipient::{is_email, normalize};
use crate::blooio::{Contact, Peer, World};
use crate::refusal::Refusal;
use crate::service::{Answer, Call, Outcome};

const BAD_IDENTIFIER: &str = "The identifier must be an E.164 number or an email address. Encode + as %2B in paths.";

pub(super) fn list(call: &mut Call<'_>) -> Outcome {
    let page = Page::of(call)?;
    let sort = call.query.choice("sort", &["recent", "oldest", "name_asc", "name_desc"])?;
    let search = call.query.get("q").unwrap_or_default().to_lowercase();
    let world = &call.state.blooio;
    let name = |index: usize| world.contacts[index].name.as_deref().unwrap_or_default().to_lowercase();
    let mut rows: Vec<usize> = (0..world.contacts.len())
        .filter(|index| world.contacts[*index].identifier.contains(&search) || name(*index).contains(&search))
        .collect();
    match sort {
        "recent" => rows.reverse(),
        "name_asc" => rows.sort_by_key(|index| name(*index)),
        "name_desc" => rows.sort_by_key(|index| std::cmp::Reverse(name(*index))),
        _ => {}
    }
    Ok(Answer::ok(Value::Object(page.answer("contacts", &rows, |index| view(world, *index)))))
}

pub(super) fn create(call: &mut Call<'_>) -> Outcome {
    let body = call.json_object()?;
    let fields = fields(&body);
    let identifier =
        normalize(fields.required_text("identifier")?).ok_or_else(|| invalid("identifier", BAD_IDENTIFIER))?;
    let name = fields.text("name")?.map(str::to_owned);
    let world = &mut call.state.blooio;
    if world.find_contact(&identifier).is_some() {
        return Err(Refusal::new(409, "A contact with this identifier exists already."));
    }
    let contact = world.add_contact(&identifier, name);
    Ok(Answer::new(201, view(world, contact)))
}

pub(super) fn get(call: &mut Call<'_>) -> Outcome {
    let identifier = normalize(&call.path[0]).ok_or_else(|| Refusal::bad_request(BAD_IDENTIFIER))?;
    let world = &call.state.blooio;
    let contact = world.find_contact(&identifier).ok_or_else(|| Refusal::not_found("Contact not found."))?;
    Ok(Answer::ok(view(world, contact)))
}

fn view(world: &World, index: usize) -> Value {
    let Contact { id, identifier, name, tags, created_at, .. } = &world.contacts[index];
    let chats = world.chats_with(Peer::Person(index));
    json!({
        "id": id,
        "contact_id": id,
        "identifier": identifier,
        "name": name,
        "type": if is_email(identifier) { "email" } else { "phone" },
        "created_at": created_at,
        "last_message_time": chats.iter().filter_map(|chat| world.chats[*chat].last_message_at()).max(),
        "tags": tags,
    })
}
