//! Chats as v2 sees them: one with each person or group, over all lines of the key.

use serde_json::{Value, json};

use crate::blooio::recipient::{is_email, normalize};
use crate::blooio::{Chat, Peer, World};
use crate::refusal::Refusal;
use crate::service::{Answer, Call, Outcome};
use crate::v2::Page;

/// A chat id as it stands in a path.
pub(super) enum ChatId {
    /// A normalized number or address.
    Person(String),
    /// `grp_…`.
    Group(String),
    /// Normalized numbers or addresses, each once.
    Several(Vec<String>),
}

impl ChatId {
    pub(super) fn parse(raw: &str) -> Result<ChatId, Refusal> {
        let group = raw.strip_prefix("grp_");
        if group.is_some_and(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric())) {
            return Ok(ChatId::Group(raw.to_owned()));
        }
        let people: Option<Vec<String>> = raw.split(',').map(|one| normalize(one.trim_start())).collect();
        let Some(mut people) = people else {
            return Err(Refusal::bad_request(
                "chatId must be an E.164 number, an email address, a group id, or a comma-separated list. Encode + as %2B.",
            ));
        };
        people.sort();
        people.dedup();
        Ok(match people.len() {
            1 => ChatId::Person(people.remove(0)),
            _ => ChatId::Several(people),
        })
    }

    /// The one person it means, if it means one.
    pub(super) fn person(&self) -> Option<&str> {
        match self {
            ChatId::Person(identifier) => Some(identifier),
            ChatId::Group(_) | ChatId::Several(_) => None,
        }
    }

    /// As answers name it.
    pub(super) fn name(&self) -> String {
        match self {
            ChatId::Person(name) | ChatId::Group(name) => name.clone(),
            ChatId::Several(people) => people.join(","),
        }
    }

    /// The other side, where the world knows it.
    pub(super) fn find(&self, world: &World) -> Option<Peer> {
        match self {
            ChatId::Person(identifier) => world.find_contact(identifier).map(Peer::Person),
            ChatId::Group(id) => world.find_group(id).map(Peer::Group),
            ChatId::Several(people) => {
                let members: Option<Vec<usize>> = people.iter().map(|one| world.find_contact(one)).collect();
                let members = members?;
                let group = world.lines().find_map(|line| world.find_unnamed_group(line, members.clone()));
                group.map(Peer::Group)
            }
        }
    }
}

/// The chats of a peer on the key's own lines; empty when there is none.
pub(super) fn own_chats(world: &World, peer: Peer) -> Vec<&Chat> {
    let chats = world.chats_with(peer).iter().map(|chat| &world.chats[*chat]);
    chats.filter(|chat| world.channels[chat.channel].is_line()).collect()
}

/// The peer of a path's chat id that has a chat, or 404.
pub(super) fn existing(call: &Call<'_>) -> Result<Peer, Refusal> {
    let world = &call.state.blooio;
    let peer = ChatId::parse(&call.path[0])?.find(world);
    peer.filter(|peer| !own_chats(world, *peer).is_empty()).ok_or_else(|| Refusal::not_found("Chat not found."))
}

pub(super) fn list(call: &mut Call<'_>) -> Outcome {
    let page = Page::of(call)?;
    let sort = call.query.choice("sort", &["recent", "oldest"])?;
    let search = call.query.get("q").unwrap_or_default().to_lowercase();
    let world = &call.state.blooio;
    let mut rows: Vec<(i64, usize, Peer)> = world
        .peers()
        .filter(|(peer, _)| search.is_empty() || matches(world, *peer, &search))
        .filter_map(|(peer, _)| {
            let chats = own_chats(world, peer);
            let last = chats.iter().filter_map(|chat| chat.last_message_at()).max()?;
            Some((last, *chats[0].messages.first()?, peer))
        })
        .collect();
    let order = |(last, first_message, _): &(i64, usize, Peer)| match sort {
        "recent" => (-last, usize::MAX - first_message),
        _ => (*last, *first_message),
    };
    // Only what is shown has to be in order.
    let end = page.offset.saturating_add(page.limit).min(rows.len());
    if end < rows.len() {
        rows.select_nth_unstable_by_key(end, order);
    }
    rows[..end].sort_unstable_by_key(order);
    Ok(page.answer(world, "chats", &rows, |(.., peer)| view(world, *peer)))
}

pub(super) fn get(call: &mut Call<'_>) -> Outcome {
    let peer = existing(call)?;
    let world = &call.state.blooio;
    let mut chat = view(world, peer);
    let first = own_chats(world, peer).iter().filter_map(|chat| chat.messages.first()).min().copied();
    chat["first_message_time"] = first.map(|message| world.messages[message].created_at).into();
    if first.is_none() {
        chat.as_object_mut().map(|chat| chat.remove("first_message_time"));
    }
    Ok(Answer::ok(chat))
}

/// What v2 calls a chat: the person's identifier or the group's id.
pub(super) fn chat_id(world: &World, peer: Peer) -> &str {
    match peer {
        Peer::Person(contact) => &world.contacts[contact].identifier,
        Peer::Group(group) => &world.groups[group].id,
    }
}

/// What v2 calls `contact_id`; the identifier itself once the contact is nobody's any more.
pub(super) fn contact_id(world: &World, contact: usize) -> &str {
    let row = &world.contacts[contact];
    row.person.map_or(&row.identifier, |person| &world.people[person].id)
}

pub(super) fn contact_ref(world: &World, peer: Peer) -> Value {
    match peer {
        Peer::Person(contact) => json!({
            "contact_id": contact_id(world, contact),
            "name": world.name(contact),
            "identifier": world.contacts[contact].identifier,
        }),
        Peer::Group(_) => Value::Null,
    }
}

fn matches(world: &World, peer: Peer, search: &str) -> bool {
    let name = match peer {
        Peer::Person(contact) => world.name(contact),
        Peer::Group(group) => world.groups[group].name.as_deref(),
    };
    chat_id(world, peer).to_lowercase().contains(search)
        || name.is_some_and(|name| name.to_lowercase().contains(search))
}

fn view(world: &World, peer: Peer) -> Value {
    let chats = own_chats(world, peer);
    let messages: usize = chats.iter().map(|chat| chat.messages.len()).sum();
    let inbound: usize = chats.iter().map(|chat| chat.inbound).sum();
    let latest = |time: fn(&&Chat) -> Option<i64>| chats.iter().filter_map(time).max();
    let last = chats.iter().filter_map(|chat| chat.messages.last()).max().map(|message| &world.messages[*message]);
    let group = match peer {
        Peer::Group(group) => Some(&world.groups[group]),
        Peer::Person(_) => None,
    };
    let id = chat_id(world, peer);
    let kind = if group.is_some() {
        "group"
    } else if is_email(id) {
        "email"
    } else {
        "phone"
    };
    let background = chats.iter().find_map(|chat| chat.background.as_ref());
    let mut view = json!({
        "id": id,
        "type": kind,
        "is_group": group.is_some(),
        "group_id": group.map(|group| &group.id),
        "group_name": group.and_then(|group| group.name.as_ref()),
        "contact": contact_ref(world, peer),
        "message_count": messages,
        "inbound_count": inbound,
        "outbound_count": messages - inbound,
        "background_url": background.map(|background| &background.url),
        "background_id": background.map(|background| &background.id),
        "last_inbound_time": latest(|chat| chat.last_inbound_at),
        "last_outbound_time": latest(|chat| chat.last_outbound_at),
    });
    if let Some(group) = group {
        view["member_count"] = group.members.len().into();
    }
    // A chat opened through v4 may have no message yet; these two are never null.
    if let Some(last) = last {
        view["last_message_time"] = last.created_at.into();
        view["last_message"] = json!({
            "message_id": last.short_id,
            "text": last.text,
            "direction": direction(last.outbound),
            "time_sent": last.created_at,
        });
    }
    view
}

pub(super) fn direction(outbound: bool) -> &'static str {
    if outbound { "outbound" } else { "inbound" }
}
