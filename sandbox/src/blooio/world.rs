//! The state itself: lines, people, groups, chats, messages.

use std::collections::HashMap;

use super::events::Event;
use super::idempotency::Replays;
use super::life::{STEPS, Status};
use crate::ids::Ids;
use crate::timers::{Job, Timers};
use crate::webhooks::Webhooks;

/// A line or account messages leave from. The key owns the `blooio` ones; the others belong to the organization.
#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) id: String,
    pub(crate) kind: &'static str,
    pub(crate) address: &'static str,
    pub(crate) alias: Option<&'static str>,
    pub(crate) status: &'static str,
    pub(crate) created_at: i64,
}

impl Channel {
    pub(crate) fn is_line(&self) -> bool {
        self.kind == "blooio"
    }

    pub(crate) fn is_active(&self) -> bool {
        self.status == "active"
    }

    /// Several recipients become one thread here; elsewhere they are separate sends.
    pub(crate) fn has_groups(&self) -> bool {
        matches!(self.kind, "blooio" | "whatsapp")
    }

    /// What a message's protocol turns out to be.
    fn protocol(&self) -> &'static str {
        match self.kind {
            "twilio" => "sms",
            "rcs_business" => "rcs",
            "whatsapp" | "whatsapp_business" => "whatsapp",
            _ => "imessage",
        }
    }
}

#[derive(Debug)]
pub(crate) struct Contact {
    pub(crate) id: String,
    pub(crate) identity_id: String,
    pub(crate) identifier: String,
    pub(crate) name: Option<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) created_at: i64,
}

#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) channel: usize,
    /// Contacts, sorted by identifier.
    pub(crate) members: Vec<usize>,
}

/// The other side of a chat.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Peer {
    Person(usize),
    Group(usize),
}

#[derive(Debug)]
pub(crate) struct Chat {
    pub(crate) id: String,
    pub(crate) channel: usize,
    pub(crate) peer: Peer,
    pub(crate) state: &'static str,
    pub(crate) created_at: i64,
    /// In the order they were made.
    pub(crate) messages: Vec<usize>,
    pub(crate) inbound: usize,
    pub(crate) last_inbound_at: Option<i64>,
    pub(crate) last_outbound_at: Option<i64>,
}

impl Chat {
    pub(crate) fn last_message_at(&self) -> Option<i64> {
        self.last_inbound_at.max(self.last_outbound_at)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Attachment {
    pub(crate) url: String,
    pub(crate) name: Option<String>,
}

/// What a message answers to.
#[derive(Clone, Debug)]
pub(crate) struct ReplyTo {
    /// A message of this world; `None` when only a device's guid was given.
    pub(crate) message: Option<usize>,
    pub(crate) guid: Option<String>,
    pub(crate) part_index: i64,
}

#[derive(Debug)]
pub(crate) struct Message {
    /// `msg_…`, what v4 calls it.
    pub(crate) id: String,
    /// What v2 calls it.
    pub(crate) short_id: String,
    pub(crate) chat: usize,
    pub(crate) outbound: bool,
    pub(crate) kind: &'static str,
    pub(crate) text: Option<String>,
    pub(crate) attachments: Vec<Attachment>,
    pub(crate) reply_to: Option<ReplyTo>,
    /// Group chats only: who wrote an inbound message.
    pub(crate) sender: Option<usize>,
    pub(crate) status: Status,
    pub(crate) protocol: &'static str,
    pub(crate) error: Option<(&'static str, &'static str)>,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    pub(crate) delivered_at: Option<i64>,
    /// Rows of the event feed, oldest first.
    pub(crate) events: Vec<usize>,
}

/// A message about to be made.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) kind: &'static str,
    pub(crate) text: Option<String>,
    pub(crate) attachments: Vec<Attachment>,
    pub(crate) reply_to: Option<ReplyTo>,
}

pub(crate) struct World {
    /// The time the present request or timer happens at, epoch ms.
    pub(crate) now: i64,
    pub(crate) ids: Ids,
    pub(crate) timers: Timers,
    pub(crate) organization_id: String,
    pub(crate) channels: Vec<Channel>,
    pub(crate) contacts: Vec<Contact>,
    pub(crate) groups: Vec<Group>,
    pub(crate) chats: Vec<Chat>,
    pub(crate) messages: Vec<Message>,
    pub(crate) events: Vec<Event>,
    pub(crate) webhooks: Webhooks,
    pub(crate) v2_replays: Replays,
    pub(crate) v4_replays: Replays,
    contact_by_identifier: HashMap<String, usize>,
    unnamed_groups: HashMap<(usize, Vec<usize>), usize>,
    chat_by_id: HashMap<String, usize>,
    chats_by_peer: HashMap<Peer, Vec<usize>>,
    message_by_id: HashMap<String, usize>,
}

impl World {
    pub(crate) fn empty(seed: u64, now: i64) -> World {
        let mut ids = Ids::new(seed);
        World {
            now,
            organization_id: ids.alphanumeric("org_", 21),
            ids,
            timers: Timers::default(),
            channels: Vec::new(),
            contacts: Vec::new(),
            groups: Vec::new(),
            chats: Vec::new(),
            messages: Vec::new(),
            events: Vec::new(),
            webhooks: Webhooks::default(),
            v2_replays: Replays::default(),
            v4_replays: Replays::default(),
            contact_by_identifier: HashMap::new(),
            unnamed_groups: HashMap::new(),
            chat_by_id: HashMap::new(),
            chats_by_peer: HashMap::new(),
            message_by_id: HashMap::new(),
        }
    }

    /// The lines the API key sends from.
    pub(crate) fn lines(&self) -> impl Iterator<Item = usize> {
        (0..self.channels.len()).filter(|index| self.channels[*index].is_line())
    }

    pub(crate) fn find_contact(&self, identifier: &str) -> Option<usize> {
        self.contact_by_identifier.get(identifier).copied()
    }

    /// The contact of an identifier, made when there is none.
    pub(crate) fn contact(&mut self, identifier: &str) -> usize {
        match self.find_contact(identifier) {
            Some(contact) => contact,
            None => self.add_contact(identifier, None),
        }
    }

    pub(crate) fn add_contact(&mut self, identifier: &str, name: Option<String>) -> usize {
        let contact = Contact {
            id: self.ids.uuid7("ct_", self.now),
            identity_id: self.ids.uuid7("cid_", self.now),
            identifier: identifier.to_owned(),
            name,
            tags: Vec::new(),
            created_at: self.now,
        };
        self.contacts.push(contact);
        self.contact_by_identifier.insert(identifier.to_owned(), self.contacts.len() - 1);
        self.contacts.len() - 1
    }

    pub(crate) fn find_group(&self, id: &str) -> Option<usize> {
        self.groups.iter().position(|group| group.id == id)
    }

    /// The unnamed group of exactly these members on a channel, and whether it had to be made.
    pub(crate) fn unnamed_group(&mut self, channel: usize, members: Vec<usize>) -> (usize, bool) {
        let members = self.sorted(members);
        match self.unnamed_groups.get(&(channel, members.clone())) {
            Some(group) => (*group, false),
            None => (self.add_group(channel, None, members), true),
        }
    }

    /// As [`World::unnamed_group`], making nothing.
    pub(crate) fn find_unnamed_group(&self, channel: usize, members: Vec<usize>) -> Option<usize> {
        self.unnamed_groups.get(&(channel, self.sorted(members))).copied()
    }

    pub(crate) fn add_group(&mut self, channel: usize, name: Option<String>, members: Vec<usize>) -> usize {
        let members = self.sorted(members);
        let group = self.groups.len();
        if name.is_none() {
            self.unnamed_groups.insert((channel, members.clone()), group);
        }
        self.groups.push(Group { id: self.ids.alphanumeric("grp_", 20), name, channel, members });
        group
    }

    fn sorted(&self, mut members: Vec<usize>) -> Vec<usize> {
        members.sort_by(|a, b| self.contacts[*a].identifier.cmp(&self.contacts[*b].identifier));
        members.dedup();
        members
    }

    pub(crate) fn chats_with(&self, peer: Peer) -> &[usize] {
        self.chats_by_peer.get(&peer).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn peers(&self) -> impl Iterator<Item = (Peer, &[usize])> {
        self.chats_by_peer.iter().map(|(peer, chats)| (*peer, chats.as_slice()))
    }

    pub(crate) fn find_chat(&self, channel: usize, peer: Peer) -> Option<usize> {
        self.chats_with(peer).iter().copied().find(|chat| self.chats[*chat].channel == channel)
    }

    pub(crate) fn chat_by_id(&self, id: &str) -> Option<usize> {
        self.chat_by_id.get(id).copied()
    }

    /// The chat with `peer` on `channel`, and whether it had to be made.
    pub(crate) fn chat(&mut self, channel: usize, peer: Peer) -> (usize, bool) {
        if let Some(chat) = self.find_chat(channel, peer) {
            return (chat, false);
        }
        let id = self.ids.uuid7("chat_", self.now);
        let chat = self.chats.len();
        self.chat_by_id.insert(id.clone(), chat);
        self.chats_by_peer.entry(peer).or_default().push(chat);
        self.chats.push(Chat {
            id,
            channel,
            peer,
            state: "open",
            created_at: self.now,
            messages: Vec::new(),
            inbound: 0,
            last_inbound_at: None,
            last_outbound_at: None,
        });
        (chat, true)
    }

    /// A message by either of its ids.
    pub(crate) fn find_message(&self, id: &str) -> Option<usize> {
        self.message_by_id.get(id).copied()
    }

    /// Accepts an outbound message and sets the timers of its life.
    pub(crate) fn send(&mut self, chat: usize, draft: Draft) -> usize {
        let message = self.add_message(chat, draft, None);
        self.emit(message);
        for (after, status) in STEPS {
            self.timers.set(self.now + after, Job::Advance { message, to: *status });
        }
        message
    }

    /// An outbound message the channel refuses at once.
    pub(crate) fn send_refused(&mut self, chat: usize, draft: Draft, error: (&'static str, &'static str)) -> usize {
        let message = self.add_message(chat, draft, None);
        self.messages[message].error = Some(error);
        self.advance(message, Status::Failed);
        message
    }

    /// An inbound message; `sender` tells who wrote it in a group.
    pub(crate) fn receive(&mut self, chat: usize, draft: Draft, sender: usize) -> usize {
        let message = self.add_message(chat, draft, Some(sender));
        self.emit(message);
        message
    }

    pub(crate) fn advance(&mut self, message: usize, to: Status) {
        let protocol = self.channels[self.chats[self.messages[message].chat].channel].protocol();
        let row = &mut self.messages[message];
        if row.status >= to || row.status.is_final() {
            return;
        }
        row.status = to;
        row.updated_at = self.now;
        match to {
            Status::Delivered => {
                row.protocol = protocol;
                row.delivered_at = Some(self.now);
            }
            Status::Failed => row.protocol = "unknown",
            _ => {}
        }
        self.emit(message);
    }

    fn add_message(&mut self, chat: usize, draft: Draft, from: Option<usize>) -> usize {
        let outbound = from.is_none();
        let index = self.messages.len();
        let row = &mut self.chats[chat];
        row.messages.push(index);
        match outbound {
            true => row.last_outbound_at = Some(self.now),
            false => {
                row.inbound += 1;
                row.last_inbound_at = Some(self.now);
            }
        }
        let message = Message {
            id: self.ids.uuid7("msg_", self.now),
            short_id: self.ids.short(),
            chat,
            outbound,
            kind: draft.kind,
            text: draft.text,
            attachments: draft.attachments,
            reply_to: draft.reply_to,
            sender: from.filter(|_| matches!(row.peer, Peer::Group(_))),
            status: if outbound { Status::Queued } else { Status::Received },
            protocol: if outbound { "pending" } else { self.channels[row.channel].protocol() },
            error: None,
            created_at: self.now,
            updated_at: self.now,
            delivered_at: None,
            events: Vec::new(),
        };
        self.message_by_id.insert(message.id.clone(), index);
        self.message_by_id.insert(message.short_id.clone(), index);
        self.messages.push(message);
        index
    }
}
