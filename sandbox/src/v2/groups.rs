//! Groups, their icons and their members.

use serde_json::{Map, Value, json};

use super::chats::{contact_id, own_chats};
use super::{Page, V2, fields, invalid};
use crate::blooio::names::{has, sort_name};
use crate::blooio::recipient::normalize;
use crate::blooio::{Group, Peer, World};
use crate::multipart;
use crate::refusal::Refusal;
use crate::service::{Answer, Call, Outcome, Service};

const NAME_LIMIT: usize = 255;

pub(super) fn list(call: &mut Call<'_>) -> Outcome {
    let page = Page::of(call)?;
    let sort = call.query.choice("sort", &["recent", "oldest", "name_asc", "name_desc"])?;
    let search = call.query.get("q").unwrap_or_default().to_lowercase();
    let world = &call.state.blooio;
    let name = |index: usize| sort_name(world.groups[index].name.as_deref());
    let mut rows: Vec<usize> = (0..world.groups.len())
        .filter(|index| !world.groups[*index].deleted && has(world.groups[*index].name.as_deref(), &search))
        .collect();
    match sort {
        "recent" => rows.reverse(),
        "name_asc" => rows.sort_by_cached_key(|index| name(*index)),
        "name_desc" => rows.sort_by_cached_key(|index| std::cmp::Reverse(name(*index))),
        _ => {}
    }
    Ok(page.answer(world, "groups", &rows, |index| Value::Object(view(world, *index))))
}

pub(super) fn create(call: &mut Call<'_>) -> Outcome {
    let body = call.json_object()?;
    let fields = fields(&body);
    let name = valid_name(fields.required_text("name")?)?;
    let guid = fields.text("chat_guid")?.map(str::to_owned);
    let members = fields.texts("members")?.unwrap_or_default();
    let members: Option<Vec<String>> = members.into_iter().map(normalize).collect();
    let members = members.ok_or_else(|| invalid("members", "members must be E.164 numbers or email addresses."))?;
    let world = &mut call.state.blooio;
    let taken = |group: &Group| !group.deleted && group.chat_guid.is_some() && group.chat_guid == guid;
    if world.groups.iter().any(taken) {
        return Err(Refusal::new(409, "A group with this chat_guid exists already."));
    }
    let known: Option<Vec<usize>> = members.iter().map(|one| world.find_contact(one)).collect();
    let Some(line) = world.lines().next() else { return Err(Refusal::new(503, "No active number.")) };
    if guid.is_none() && !members.is_empty() && known.is_some_and(|known| world.find_group_of(line, &known).is_some()) {
        return Err(Refusal::new(409, "A group of these members exists already."));
    }
    let created: Vec<&String> = members.iter().filter(|one| world.find_contact(one).is_none()).collect();
    let created = json!(created);
    let contacts = members.iter().map(|one| world.contact(one)).collect();
    let group = world.add_group(line, Some(name), contacts);
    world.groups[group].chat_guid = guid;
    world.chat(line, Peer::Group(group));
    let mut answer = view(world, group);
    answer.insert("added_members".to_owned(), members.into());
    answer.insert("created_contacts".to_owned(), created);
    Ok(Answer::new(201, Value::Object(answer)))
}

pub(super) fn get(call: &mut Call<'_>) -> Outcome {
    let group = find(call)?;
    Ok(Answer::ok(Value::Object(view(&call.state.blooio, group))))
}

/// Renames the chat on the device with it.
pub(super) fn update(call: &mut Call<'_>) -> Outcome {
    let group = find(call)?;
    let body = call.json_object()?;
    let name = valid_name(fields(&body).required_text("name")?)?;
    let world = &mut call.state.blooio;
    world.groups[group].name = Some(name);
    let mut answer = view(world, group);
    if let Some(guid) = &world.groups[group].chat_guid {
        let error = world.check_device(Peer::Group(group)).err().map(|refusal| refusal.message);
        let sync = json!({"chat_guid": guid, "synced": error.is_none(), "error": error});
        answer.insert("device_sync".to_owned(), sync);
    }
    Ok(Answer::ok(Value::Object(answer)))
}

pub(super) fn delete(call: &mut Call<'_>) -> Outcome {
    let group = find(call)?;
    let world = &mut call.state.blooio;
    if world.groups[group].chat_guid.is_some() {
        // Our number leaves the chat on the device.
        world.check_line(world.groups[group].channel)?;
        world.check_device(Peer::Group(group))?;
    }
    world.groups[group].deleted = true;
    world.groups[group].members.clear();
    Ok(Answer::ok(json!({"success": true, "deleted_at": world.now})))
}

pub(super) fn set_icon(call: &mut Call<'_>) -> Outcome {
    let (group, guid) = linked(call)?;
    let image = multipart::image(call.headers, call.body, "icon")?;
    let world = &mut call.state.blooio;
    let url = world.pictures.keep(&image);
    world.groups[group].icon_url = Some(url.clone());
    Ok(Answer::ok(json!({
        "success": true,
        "group_id": world.groups[group].id,
        "chat_guid": guid,
        "icon_url": url,
        "device_sync": {"chat_guid": guid, "synced": true, "message": "The icon was set."},
        "message": "Group icon set.",
    })))
}

pub(super) fn remove_icon(call: &mut Call<'_>) -> Outcome {
    let (group, guid) = linked(call)?;
    let world = &mut call.state.blooio;
    world.groups[group].icon_url = None;
    Ok(Answer::ok(json!({
        "success": true,
        "group_id": world.groups[group].id,
        "chat_guid": guid,
        "device_sync": {"chat_guid": guid, "synced": true, "message": "The icon was removed."},
        "message": "Group icon removed.",
    })))
}

pub(super) fn members(call: &mut Call<'_>) -> Outcome {
    let page = Page::of(call)?;
    let group = find(call)?;
    let world = &call.state.blooio;
    let row = &world.groups[group];
    let mut body = page.rows("members", &row.members, |member| member_view(world, row, *member));
    body.insert("group_id".to_owned(), row.id.clone().into());
    body.insert("group_name".to_owned(), row.name.clone().into());
    body.insert("icon_url".to_owned(), row.icon_url.clone().into());
    Ok(Answer::ok(Value::Object(body)))
}

/// 501 as at the vendor, unless the intended form is switched on.
pub(super) fn add_member(call: &mut Call<'_>) -> Outcome {
    if !call.state.blooio.switches.v2_group_members {
        return Ok(V2.coming_soon("Adding group members"));
    }
    let group = find(call)?;
    let body = call.json_object()?;
    let identifier = normalize(fields(&body).required_text("contact_id")?);
    let identifier =
        identifier.ok_or_else(|| invalid("contact_id", "contact_id must be an E.164 number or an email address."))?;
    let world = &mut call.state.blooio;
    let created = world.find_contact(&identifier).is_none();
    let member = world.contact(&identifier);
    if world.groups[group].members.contains(&member) {
        let member = member_view(world, &world.groups[group], member);
        return Ok(Answer::ok(json!({"message": "The contact is a member already.", "member": member})));
    }
    world.join(group, member);
    let row = &world.groups[group];
    let mut answer = json!({"member": member_view(world, row, member), "contact_created": created});
    if let Some(guid) = &row.chat_guid {
        answer["device_sync"] = json!({"chat_guid": guid, "action": "add_participant", "synced": true, "error": null});
    }
    Ok(Answer::new(201, answer))
}

/// As [`add_member`]; the line's own number leaves the group.
pub(super) fn remove_member(call: &mut Call<'_>) -> Outcome {
    if !call.state.blooio.switches.v2_group_members {
        return Ok(V2.coming_soon("Removing group members"));
    }
    let group = find(call)?;
    let world = &mut call.state.blooio;
    let identifier = normalize(&call.path[1])
        .ok_or_else(|| Refusal::bad_request("contactId must be an E.164 number or an email address."))?;
    let own = world.lines().any(|line| world.channels[line].address == identifier);
    let member = world.find_contact(&identifier).filter(|member| world.groups[group].members.contains(member));
    if !own && member.is_none() {
        return Err(Refusal::not_found("The group has no such member."));
    }
    world.groups[group].members.retain(|one| Some(*one) != member);
    let mut answer = json!({"success": true, "removed_at": world.now});
    if let Some(guid) = &world.groups[group].chat_guid {
        let action = if own { "leave" } else { "remove_participant" };
        answer["device_sync"] = json!({"chat_guid": guid, "action": action, "synced": true, "error": null});
    }
    Ok(Answer::ok(answer))
}

fn find(call: &Call<'_>) -> Result<usize, Refusal> {
    call.state.blooio.find_group(&call.path[0]).ok_or_else(|| Refusal::not_found("Group not found."))
}

/// Icons live on the device: there must be a chat there.
fn linked(call: &Call<'_>) -> Result<(usize, String), Refusal> {
    let group = find(call)?;
    let guid = call.state.blooio.groups[group].chat_guid.clone();
    let guid = guid.ok_or_else(|| Refusal::bad_request("The group is not linked to a chat yet."))?;
    call.state.blooio.check_device(Peer::Group(group))?;
    Ok((group, guid))
}

fn valid_name(name: &str) -> Result<String, Refusal> {
    match name.chars().count() <= NAME_LIMIT {
        true => Ok(name.to_owned()),
        false => Err(invalid("name", format!("name has at most {NAME_LIMIT} characters."))),
    }
}

fn member_view(world: &World, group: &Group, member: usize) -> Value {
    json!({
        "id": contact_id(world, member),
        "contact_id": contact_id(world, member),
        "identifier": world.contacts[member].identifier,
        "name": world.name(member),
        "added_at": group.joined_at(member),
    })
}

fn view(world: &World, index: usize) -> Map<String, Value> {
    let group = &world.groups[index];
    let chats = own_chats(world, Peer::Group(index));
    let last = chats.iter().filter_map(|chat| chat.messages.last()).max().map(|last| &world.messages[*last]);
    let view = json!({
        "group_id": group.id,
        "name": group.name,
        "chat_guid": group.chat_guid,
        "icon_url": group.icon_url,
        "member_count": group.members.len(),
        "message_count": chats.iter().map(|chat| chat.messages.len()).sum::<usize>(),
        "last_message_text": last.and_then(|message| message.text.as_ref()),
        "last_message_time": last.map(|message| message.created_at),
        "last_message_direction": last.map(|message| super::chats::direction(message.outbound)),
        "created_at": group.created_at,
    });
    view.as_object().cloned().unwrap_or_default()
}
