//! From where and to whom: both generations of `from` and `to`, and the routing between them.

use serde_json::Value;

use super::super::{channels, unprocessable};
use crate::blooio::recipient::{is_email, normalize, same_number};
use crate::blooio::{Channel, Peer, Priority, World};
use crate::fields::Fields;
use crate::refusal::Refusal;

const MAXIMUM_RECIPIENTS: usize = 100;

/// A channel and the threads a content goes to; several threads are a fan-out.
pub(super) struct Resolved {
    pub(super) channel: usize,
    pub(super) mode: &'static str,
    /// The priority that chose the channel, and the channel's tier in it.
    pub(super) priority: Option<(String, i64)>,
    pub(super) threads: Vec<Thread>,
    /// Which half of a hybrid sender it is.
    pub(super) hybrid: Option<&'static str>,
}

/// One conversation, perhaps yet to be opened.
pub(super) enum Thread {
    Known(Peer),
    Person(String),
    /// The unnamed group of these people.
    People(Vec<String>),
    /// Somebody the channel has no way to.
    Unreachable(String),
}

impl Thread {
    pub(super) fn find(&self, world: &World, channel: usize) -> Option<Peer> {
        match self {
            Thread::Known(peer) => Some(*peer),
            Thread::Person(identifier) | Thread::Unreachable(identifier) => {
                world.find_contact(identifier).map(Peer::Person)
            }
            Thread::People(people) => {
                let members: Option<Vec<usize>> = people.iter().map(|one| world.find_contact(one)).collect();
                world.find_unnamed_group(channel, members?).map(Peer::Group)
            }
        }
    }

    /// The one person it goes to, if it goes to one.
    pub(super) fn person<'a>(&'a self, world: &'a World) -> Option<&'a str> {
        match self {
            Thread::Person(identifier) => Some(identifier),
            Thread::Known(Peer::Person(contact)) => Some(&world.contacts[*contact].identifier),
            _ => None,
        }
    }

    pub(super) fn make(&self, world: &mut World, channel: usize) -> Peer {
        match self {
            Thread::Known(Peer::Group(group)) => Peer::Group(world.merged_group(*group)),
            Thread::Known(peer) => *peer,
            Thread::Person(identifier) | Thread::Unreachable(identifier) => Peer::Person(world.contact(identifier)),
            Thread::People(people) => {
                let members = people.iter().map(|one| world.contact(one)).collect();
                Peer::Group(world.unnamed_group(channel, members).0)
            }
        }
    }

    pub(super) fn name(&self, world: &World) -> String {
        match self {
            Thread::Person(identifier) | Thread::Unreachable(identifier) => identifier.clone(),
            Thread::People(people) => people.join(","),
            Thread::Known(Peer::Person(contact)) => world.contacts[*contact].identifier.clone(),
            Thread::Known(Peer::Group(group)) => world.groups[*group].id.clone(),
        }
    }
}

/// `to`, as given.
pub(super) enum Recipient {
    Identifiers(Vec<String>),
    Contact(String),
    Group(String),
}

impl Recipient {
    pub(super) fn read(fields: Fields<'_>) -> Result<Recipient, Refusal> {
        let to = fields.get("to").ok_or_else(|| fields.refuse("to", "given"))?;
        let identifiers = match to {
            // A comma list is how the older generation wrote several.
            Value::String(text) => text.split(',').map(|one| one.trim().to_owned()).collect(),
            Value::Array(_) => owned(fields.texts("to")?),
            Value::Object(_) => {
                let to = fields.object("to")?.ok_or_else(|| fields.refuse("to", "given"))?;
                if let Some(id) = to.text("contact_id")? {
                    return Ok(Recipient::Contact(id.to_owned()));
                }
                if let Some(id) = to.text("group_id")? {
                    return Ok(Recipient::Group(id.to_owned()));
                }
                match to.texts("identifiers")? {
                    Some(several) => owned(Some(several)),
                    None => vec![to.required_text("identifier")?.to_owned()],
                }
            }
            _ => {
                return Err(
                    fields.refuse("to", "a string, an array of strings, or an object with contact_id or group_id")
                );
            }
        };
        if identifiers.is_empty() || identifiers.iter().any(String::is_empty) {
            return Err(fields.refuse("to", "at least one recipient, none of them empty"));
        }
        if identifiers.len() > MAXIMUM_RECIPIENTS {
            return Err(fields.refuse("to", "at most 100 recipients"));
        }
        Ok(Recipient::Identifiers(identifiers))
    }
}

/// `from` and its alternatives, as given.
enum Sender {
    /// A number, an alias or an id, perhaps of one channel type.
    Named {
        name: String,
        kind: Option<String>,
    },
    OfType(String),
    /// By id, perhaps of one channel type.
    Priority {
        id: String,
        kind: Option<String>,
    },
    /// Twilio first; perhaps the owner of one number.
    Hybrid(Option<String>),
    Any,
}

/// Both ends of a routed send.
pub(super) struct Addressing {
    sender: Sender,
    recipient: Recipient,
}

impl Addressing {
    pub(super) fn read(fields: Fields<'_>) -> Result<Addressing, Refusal> {
        let recipient = Recipient::read(fields)?;
        let hybrid = fields.get("hybrid").is_some_and(|hybrid| *hybrid != Value::Bool(false));
        let excluded = ["priority_id", "channel_type", "channel_id"].into_iter().find(|name| fields.has(name));
        let excluded = excluded.or(hybrid.then_some("hybrid"));
        if let Some(name) = excluded.filter(|_| fields.has("from")) {
            return Err(unprocessable(name, format!("{name} does not go with from.")));
        }
        if hybrid && fields.has("priority_id") {
            return Err(unprocessable("priority_id", "priority_id does not go with hybrid."));
        }
        let sender = match fields.get("from") {
            Some(Value::Object(_)) => read_selector(fields)?,
            Some(_) => Sender::Named { name: fields.required_text("from")?.to_owned(), kind: None },
            None if hybrid => Sender::Hybrid(fields.get("hybrid").and_then(Value::as_str).map(str::to_owned)),
            None if fields.has("priority_id") => Sender::Priority {
                id: fields.required_text("priority_id")?.to_owned(),
                kind: fields.text("channel_type")?.map(str::to_owned),
            },
            None => match (fields.text("channel_id")?, fields.text("channel_type")?) {
                (Some(id), _) => Sender::Named { name: id.to_owned(), kind: None },
                (None, Some(kind)) => Sender::OfType(kind.to_owned()),
                (None, None) => Sender::Any,
            },
        };
        if let Sender::OfType(kind) | Sender::Named { kind: Some(kind), .. } = &sender
            && !channels::KINDS.contains(&kind.as_str())
        {
            return Err(fields.refuse("channel_type", "a channel type"));
        }
        Ok(Addressing { sender, recipient })
    }

    /// `carries` tells which channels the content can go through.
    pub(super) fn resolve(self, world: &World, carries: impl Fn(&Channel) -> bool) -> Result<Resolved, Refusal> {
        let recipient = match self.recipient {
            Recipient::Contact(id) => {
                let person = world.find_person(&id);
                let contacts = person.map(|person| world.people[person].contacts.as_slice()).unwrap_or_default();
                let contact = last_used(world, contacts)
                    .ok_or_else(|| Refusal::not_found("Contact not found.").code("contact_not_found"))?;
                Recipient::Identifiers(vec![world.contacts[contact].identifier.clone()])
            }
            other => other,
        };
        match self.sender {
            Sender::Named { name, kind } => {
                let channel = one_of(
                    world,
                    channels::named(world, &name)
                        .into_iter()
                        .filter(|channel| kind.as_ref().is_none_or(|kind| kind == world.channels[*channel].kind)),
                )?;
                on_channel(world, channel, recipient)
            }
            Sender::Hybrid(number) => hybrid(world, number.as_deref(), recipient),
            Sender::Priority { id, kind } => {
                let priority = world.find_priority(&id).map(|index| &world.priorities[index]);
                let priority =
                    priority.ok_or_else(|| Refusal::not_found("Priority not found.").code("priority_not_found"))?;
                Pool::of_priority(world, priority, kind.as_deref(), carries).resolve(world, recipient)
            }
            Sender::OfType(kind) => match world.default_priority() {
                Some(priority) => Pool::of_priority(world, priority, Some(&kind), carries).resolve(world, recipient),
                None => Pool::of_kind(world, &kind).resolve(world, recipient),
            },
            Sender::Any => match world.default_priority() {
                Some(priority) => Pool::of_priority(world, priority, None, carries).resolve(world, recipient),
                None => Pool::of_kind(world, "blooio").resolve(world, recipient),
            },
        }
    }
}

/// Of a contact's numbers and addresses the one of the latest conversation, else the first.
fn last_used(world: &World, contacts: &[usize]) -> Option<usize> {
    let last = |contact: usize| {
        let chats = world.chats_with(Peer::Person(contact)).iter();
        chats.filter_map(|chat| world.chats[*chat].last_message_at()).max()
    };
    contacts.iter().rev().copied().max_by_key(|contact| last(*contact))
}

/// The older generation's sender object.
fn read_selector(fields: Fields<'_>) -> Result<Sender, Refusal> {
    let from = fields.object("from")?.ok_or_else(|| fields.refuse("from", "a sender"))?;
    let kind = from.text("type")?.map(str::to_owned);
    if kind.as_deref() == Some("hybrid") {
        return Ok(Sender::Hybrid(from.text("number")?.map(str::to_owned)));
    }
    if let Some(id) = from.text("priority_id")? {
        return Ok(Sender::Priority { id: id.to_owned(), kind });
    }
    for name in ["id", "number", "sender_key"] {
        if let Some(name) = from.text(name)? {
            return Ok(Sender::Named { name: name.to_owned(), kind });
        }
    }
    kind.map(Sender::OfType).ok_or_else(|| fields.refuse("from", "a sender: id, number, type or priority_id"))
}

/// The channel a path names.
pub(super) fn exact(world: &World, name: &str) -> Result<usize, Refusal> {
    one_of(world, channels::named(world, name).into_iter())
}

/// Refuses a channel that sends nothing at present.
pub(super) fn in_service(world: &World, channel: usize) -> Result<usize, Refusal> {
    match world.channels[channel].is_active() {
        true => Ok(channel),
        false => Err(Refusal::new(409, "The channel is not active.").code("channel_inactive")),
    }
}

/// The one active channel among `found`.
fn one_of(world: &World, found: impl Iterator<Item = usize>) -> Result<usize, Refusal> {
    let (active, inactive): (Vec<usize>, Vec<usize>) = found.partition(|channel| world.channels[*channel].is_active());
    let mut found = active.into_iter();
    let Some(first) = found.next() else {
        let refusal = Refusal::not_found("No channel is meant by this sender.").code("channel_number_not_found");
        return inactive.first().map_or(Err(refusal), |channel| in_service(world, *channel));
    };
    let mut kinds: Vec<&str> = found.map(|other| world.channels[other].kind).collect();
    if kinds.is_empty() {
        return Ok(first);
    }
    kinds.insert(0, world.channels[first].kind);
    Err(Refusal::new(409, "This sender fits several active channel types.")
        .code("ambiguous_from")
        .with("channel_types", kinds))
}

/// Twilio until the person has answered there or on Blooio, from then on the key's first line. What it says of its state
/// is ours.
fn hybrid(world: &World, number: Option<&str>, recipient: Recipient) -> Result<Resolved, Refusal> {
    let fits = |kind: &'static str| {
        let fits = move |index: &usize| world.channels[*index].kind == kind && world.channels[*index].is_active();
        (0..world.channels.len()).find(fits)
    };
    let pair = fits("twilio").zip(fits("blooio")).filter(|_| world.switches.hybrid);
    let (twilio, line) = pair.ok_or_else(|| unprocessable("hybrid", "This key has no hybrid configuration."))?;
    let represents = |channel: usize, number: &str| same_number(world.channels[channel].address, number);
    if number.is_some_and(|number| !represents(twilio, number) && !represents(line, number)) {
        return Err(unprocessable("hybrid", "No hybrid sender has this number."));
    }
    let answered = |identifier: &str| {
        let peer = normalize(identifier).and_then(|identifier| world.find_contact(&identifier)).map(Peer::Person);
        peer.is_some_and(|peer| world.chats_with(peer).iter().any(|chat| world.chats[*chat].inbound > 0))
    };
    let channel = match &recipient {
        Recipient::Identifiers(people) if people.len() == 1 && !answered(&people[0]) => twilio,
        Recipient::Identifiers(people) if people.len() == 1 => line,
        Recipient::Group(_) => line,
        _ => return Err(unprocessable("to", "A hybrid sender writes to one person, or to a group that it owns.")),
    };
    let phase = if channel == twilio { "twilio" } else { "blooio" };
    Ok(Resolved { mode: "hybrid", hybrid: Some(phase), ..on_channel(world, channel, recipient)? })
}

/// The channels a send may take, lower tiers first.
struct Pool {
    tiers: Vec<(usize, i64)>,
    priority_id: Option<String>,
}

impl Pool {
    fn of_kind(world: &World, kind: &str) -> Pool {
        let fits = |index: &usize| world.channels[*index].kind == kind && world.channels[*index].is_active();
        Pool { tiers: (0..world.channels.len()).filter(fits).map(|index| (index, 1)).collect(), priority_id: None }
    }

    fn of_priority(world: &World, priority: &Priority, kind: Option<&str>, carries: impl Fn(&Channel) -> bool) -> Pool {
        let fits = |(index, _): &&(usize, i64)| {
            let channel = &world.channels[*index];
            channel.is_active() && kind.is_none_or(|kind| kind == channel.kind) && carries(channel)
        };
        let tiers = priority.channels.iter().filter(fits).copied().collect();
        Pool { tiers, priority_id: Some(priority.id.clone()) }
    }

    /// History first: the channel already used with the recipient; then the lowest tier's channels in turn.
    fn resolve(self, world: &World, recipient: Recipient) -> Result<Resolved, Refusal> {
        let Some((_, lowest)) = self.tiers.first() else {
            if self.priority_id.is_none() && !world.lines().any(|line| world.channels[line].is_active()) {
                return Err(Refusal::new(503, "No active line can send this."));
            }
            return Err(Refusal::not_found("No active channel can take this.").code("channel_number_not_found"));
        };
        let Recipient::Identifiers(people) = &recipient else {
            return Err(unprocessable("to", "A group needs the channel it belongs to as the exact sender."));
        };
        let known = match people.as_slice() {
            [one] => normalize(one).and_then(|identifier| world.find_contact(&identifier)).map(Peer::Person),
            _ => None,
        };
        let has_chat =
            |(channel, _): &&(usize, i64)| known.is_some_and(|peer| world.find_chat(*channel, peer).is_some());
        let first: Vec<(usize, i64)> = self.tiers.iter().filter(|(_, tier)| tier == lowest).copied().collect();
        // Groups keep to one channel, so that the same people always meet in the same thread.
        let turn = if people.len() > 1 { 0 } else { world.chats.len() % first.len() };
        let (channel, tier) = self.tiers.iter().find(has_chat).copied().unwrap_or(first[turn]);
        let resolved = on_channel(world, channel, recipient)?;
        let priority = self.priority_id.map(|id| (id, tier));
        Ok(Resolved { mode: "priority", priority, ..resolved })
    }
}

/// The threads of a recipient on a channel.
pub(super) fn on_channel(world: &World, channel: usize, recipient: Recipient) -> Result<Resolved, Refusal> {
    let threads = match recipient {
        Recipient::Contact(_) => return Err(unprocessable("to", "contact_id goes with POST /messages only.")),
        Recipient::Group(id) => {
            let group =
                world.find_group(&id).ok_or_else(|| Refusal::not_found("Group not found.").code("group_not_found"))?;
            if world.groups[group].channel != channel {
                return Err(unprocessable("to", "The group belongs to another channel."));
            }
            vec![Thread::Known(Peer::Group(group))]
        }
        Recipient::Identifiers(raw) => people(world, channel, raw)?,
    };
    Ok(Resolved { channel, mode: "explicit", priority: None, threads, hybrid: None })
}

fn people(world: &World, channel: usize, raw: Vec<String>) -> Result<Vec<Thread>, Refusal> {
    let channel = &world.channels[channel];
    if !channel.is_line() {
        return Ok(raw.into_iter().map(reachable_by_number).collect());
    }
    let people: Option<Vec<String>> = raw.iter().map(|one| normalize(one)).collect();
    let mut people = people.ok_or_else(|| {
        unprocessable("to", "to must hold E.164 numbers or email addresses.").code("invalid_recipient")
    })?;
    people.sort();
    people.dedup();
    Ok(match people.len() {
        1 => vec![Thread::Person(people.remove(0))],
        _ if channel.has_groups() => vec![Thread::People(people)],
        _ => people.into_iter().map(Thread::Person).collect(),
    })
}

/// Channels beside Blooio's lines reach phone numbers; anyone else is refused once the message exists.
fn reachable_by_number(raw: String) -> Thread {
    match normalize(&raw) {
        Some(number) if !is_email(&number) => Thread::Person(number),
        other => Thread::Unreachable(other.unwrap_or(raw)),
    }
}

fn owned(texts: Option<Vec<&str>>) -> Vec<String> {
    texts.unwrap_or_default().into_iter().map(str::to_owned).collect()
}
