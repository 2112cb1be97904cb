//! The state itself: chats, messages, and everything they hang on.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::channel::Channel;
use super::events::{Event, What};
use super::groups::Group;
use super::idempotency::Replays;
use super::life::{CANCELLING_MS, Fate, PENDING_AFTER_MS, Status, fate};
use super::message::{Author, Draft, Message, MessageError, Reaction, VOTE};
use super::people::{Contact, Person};
use super::pictures::Pictures;
use super::priorities::Priority;
use crate::ids::Ids;
use crate::switches::Switches;
use crate::timers::{Job, Timers};
use crate::webhooks::Webhooks;

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
    pub(crate) metadata: Map<String, Value>,
    pub(crate) created_at: i64,
    /// In the order they were made.
    pub(crate) messages: Vec<usize>,
    pub(crate) inbound: usize,
    pub(crate) last_inbound_at: Option<i64>,
    pub(crate) last_outbound_at: Option<i64>,
    /// When the other side last reacted to something.
    pub(crate) last_reaction_at: Option<i64>,
    pub(crate) background: Option<Background>,
    /// Whether our contact card rides on the next message.
    pub(crate) card_staged: bool,
}

/// The picture behind a chat.
#[derive(Clone, Debug)]
pub(crate) struct Background {
    pub(crate) id: String,
    pub(crate) url: String,
    pub(crate) version: i64,
}

impl Chat {
    pub(crate) fn last_message_at(&self) -> Option<i64> {
        self.last_inbound_at.max(self.last_outbound_at)
    }
}

pub(crate) struct World {
    /// The time the present request or timer happens at, epoch ms.
    pub(crate) now: i64,
    pub(crate) ids: Ids,
    pub(crate) timers: Timers,
    pub(crate) switches: Switches,
    pub(crate) organization_id: String,
    pub(crate) channels: Vec<Channel>,
    pub(crate) contacts: Vec<Contact>,
    pub(crate) people: Vec<Person>,
    pub(crate) groups: Vec<Group>,
    pub(crate) chats: Vec<Chat>,
    pub(crate) messages: Vec<Message>,
    pub(crate) events: Vec<Event>,
    pub(crate) priorities: Vec<Priority>,
    /// When the capabilities of a number or address were looked up.
    pub(super) looked_at: HashMap<String, i64>,
    /// The time of the locations that are known.
    pub(crate) located_at: i64,
    /// When conversations were opened through the API, and on which channel.
    pub(super) opened: Vec<(i64, usize)>,
    /// Messages accepted through the API.
    pub(super) accepted: u64,
    pub(crate) webhooks: Webhooks,
    pub(crate) pictures: Pictures,
    pub(crate) v2_replays: Replays,
    pub(crate) v4_replays: Replays,
    pub(super) contact_by_identifier: HashMap<String, usize>,
    pub(super) person_by_id: HashMap<String, usize>,
    pub(super) group_by_id: HashMap<String, usize>,
    pub(super) unnamed_groups: HashMap<(usize, Vec<usize>), usize>,
    chat_by_id: HashMap<String, usize>,
    chats_by_peer: HashMap<Peer, Vec<usize>>,
    /// In the order their first chats were made.
    peers: Vec<Peer>,
    message_by_id: HashMap<String, usize>,
}

impl World {
    pub(crate) fn empty(seed: u64, now: i64, switches: Switches) -> World {
        let mut ids = Ids::new(seed);
        World {
            now,
            organization_id: ids.alphanumeric("org_", 21),
            ids,
            timers: Timers::default(),
            switches,
            channels: Vec::new(),
            contacts: Vec::new(),
            people: Vec::new(),
            groups: Vec::new(),
            chats: Vec::new(),
            messages: Vec::new(),
            events: Vec::new(),
            priorities: Vec::new(),
            looked_at: HashMap::new(),
            located_at: super::SEEDED_UNTIL_MS,
            opened: Vec::new(),
            accepted: 0,
            webhooks: Webhooks::default(),
            pictures: Pictures::default(),
            v2_replays: Replays::default(),
            v4_replays: Replays::default(),
            contact_by_identifier: HashMap::new(),
            person_by_id: HashMap::new(),
            group_by_id: HashMap::new(),
            unnamed_groups: HashMap::new(),
            chat_by_id: HashMap::new(),
            chats_by_peer: HashMap::new(),
            peers: Vec::new(),
            message_by_id: HashMap::new(),
        }
    }

    /// The lines the API key sends from.
    pub(crate) fn lines(&self) -> impl Iterator<Item = usize> {
        (0..self.channels.len()).filter(|index| self.channels[*index].is_line())
    }

    pub(crate) fn chats_with(&self, peer: Peer) -> &[usize] {
        self.chats_by_peer.get(&peer).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn peers(&self) -> impl Iterator<Item = (Peer, &[usize])> {
        self.peers.iter().map(|peer| (*peer, self.chats_with(*peer)))
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
        let chats = self.chats_by_peer.entry(peer).or_default();
        if chats.is_empty() {
            self.peers.push(peer);
        }
        chats.push(chat);
        self.chats.push(Chat {
            id,
            channel,
            peer,
            state: "open",
            metadata: Map::new(),
            created_at: self.now,
            messages: Vec::new(),
            inbound: 0,
            last_inbound_at: None,
            last_outbound_at: None,
            last_reaction_at: None,
            background: None,
            card_staged: false,
        });
        (chat, true)
    }

    /// A message by either of its ids.
    pub(crate) fn find_message(&self, id: &str) -> Option<usize> {
        self.message_by_id.get(id).copied()
    }

    /// How messages of a chat fare; those to groups all arrive.
    pub(crate) fn fate(&self, chat: usize) -> &'static Fate {
        match self.chats[chat].peer {
            Peer::Person(contact) => fate(&self.contacts[contact].identifier),
            Peer::Group(_) => fate(""),
        }
    }

    /// Accepts an outbound message and sets the timers of its life.
    pub(crate) fn send(&mut self, chat: usize, draft: Draft) -> usize {
        let fate = self.fate(chat);
        if fate.refused {
            return self.send_refused(chat, draft, fate.error);
        }
        if let Peer::Group(group) = self.chats[chat].peer {
            self.link_group(group);
        }
        if self.chats[chat].messages.is_empty() {
            self.opened.push((self.now, self.chats[chat].channel));
        }
        self.accepted += 1;
        let held_back = match self.channels[self.chats[chat].channel].safety {
            "queue" => 3_000 + self.ids.below(5_000) as i64,
            "slow" => 30_000 + self.ids.below(30_000) as i64,
            _ => 0,
        };
        let message = self.add_message(chat, draft, None);
        self.messages[message].with_card = std::mem::take(&mut self.chats[chat].card_staged);
        self.emit_status(message);
        if self.messages[message].poll.is_some() {
            self.emit(What::Poll { message }, Some(chat));
        }
        let pending =
            (self.switches.pending_status && !fate.steps.is_empty()).then_some((PENDING_AFTER_MS, Status::Pending));
        for (after, to) in pending.into_iter().chain(fate.steps.iter().copied()) {
            self.timers.set(self.now + held_back + after, Job::Advance { message, to });
        }
        message
    }

    /// Asks for a message back that has not left yet.
    pub(crate) fn cancel(&mut self, message: usize) {
        if self.messages[message].status.is_waiting() {
            self.messages[message].error = Some(("cancelled", "The message was cancelled."));
            self.advance(message, Status::CancellationRequested);
            self.timers.set(self.now + CANCELLING_MS, Job::Advance { message, to: Status::Cancelled });
        }
    }

    /// An outbound message the channel refuses at once.
    pub(crate) fn send_refused(&mut self, chat: usize, draft: Draft, error: MessageError) -> usize {
        let message = self.add_message(chat, draft, None);
        self.messages[message].error = Some(error);
        self.advance(message, Status::Failed);
        message
    }

    /// An inbound message; `sender` tells who wrote it in a group.
    pub(crate) fn receive(&mut self, chat: usize, draft: Draft, sender: usize) -> usize {
        let message = self.add_message(chat, draft, Some(sender));
        if let Peer::Group(group) = self.chats[chat].peer {
            self.link_group(group);
        }
        match self.messages[message].poll.is_some() {
            true => self.emit(What::Poll { message }, Some(chat)),
            false => self.emit_status(message),
        }
        message
    }

    pub(crate) fn advance(&mut self, message: usize, to: Status) {
        let Some(row) = self.messages.get(message) else { return };
        let (chat, fate) = (row.chat, self.fate(row.chat));
        let protocol = fate.protocol.unwrap_or(self.channels[self.chats[chat].channel].protocol());
        let row = &mut self.messages[message];
        let cancelling = row.status == Status::CancellationRequested && to != Status::Cancelled;
        if row.status >= to || row.status.is_final() || cancelling {
            return;
        }
        row.status = to;
        row.updated_at = self.now;
        match to {
            Status::Delivered => {
                row.protocol = protocol;
                row.delivered_at = Some(self.now);
            }
            // A network without receipts is known as soon as it has taken the message.
            Status::Sent if fate.protocol.is_some() => row.protocol = protocol,
            Status::Read => row.read_at = Some(self.now),
            Status::Failed => {
                row.protocol = "unknown";
                row.error = row.error.or(Some(fate.error));
            }
            _ => {}
        }
        self.emit_status(message);
    }

    pub(crate) fn react(&mut self, message: usize, reaction: &str, added: bool, by: Author) {
        let reaction = Reaction { reaction: reaction.to_owned(), added, by, at: self.now };
        let chat = self.messages[message].chat;
        let reactions = &mut self.messages[message].reactions;
        reactions.retain(|one| one.by != by || one.reaction != reaction.reaction);
        reactions.push(reaction.clone());
        if by.is_some() {
            self.chats[chat].last_reaction_at = Some(self.now);
        }
        self.emit(What::Reaction { message, reaction }, Some(chat));
    }

    /// Sets or takes back a vote; `true` when it now stands.
    pub(crate) fn vote(&mut self, poll: usize, option: usize, by: Author) -> bool {
        let chat = self.messages[poll].chat;
        let Some(row) = self.messages[poll].poll.as_mut() else { return false };
        let before = row.votes.len();
        row.votes.retain(|vote| *vote != (by, option));
        let on = row.votes.len() == before;
        if on {
            row.votes.push((by, option));
        }
        self.emit(What::Vote { poll, option, on, by }, Some(chat));
        on
    }

    /// A row of its own for a vote of ours; it takes the place of the one before.
    pub(crate) fn vote_of_ours(&mut self, poll: usize, option: usize) -> (usize, bool) {
        let on = self.vote(poll, option, None);
        let vote = self.make_message(self.messages[poll].chat, Draft { kind: VOTE, ..Draft::default() }, None);
        self.messages[vote].status = Status::Sent;
        let before = self.messages[poll].poll.as_mut().and_then(|poll| poll.our_vote.replace(vote));
        before.into_iter().for_each(|before| self.advance(before, Status::Superseded));
        (vote, on)
    }

    fn add_message(&mut self, chat: usize, draft: Draft, from: Option<usize>) -> usize {
        let index = self.make_message(chat, draft, from);
        let row = &mut self.chats[chat];
        row.messages.push(index);
        match from {
            None => row.last_outbound_at = Some(self.now),
            Some(_) => {
                row.inbound += 1;
                row.last_inbound_at = Some(self.now);
            }
        }
        index
    }

    fn make_message(&mut self, chat: usize, draft: Draft, from: Option<usize>) -> usize {
        let (index, outbound) = (self.messages.len(), from.is_none());
        let row = &self.chats[chat];
        let message = Message {
            id: self.ids.uuid7("msg_", self.now),
            short_id: self.ids.short(),
            chat,
            outbound,
            kind: draft.kind,
            text: draft.text,
            attachments: draft.attachments,
            reply_to: draft.reply_to,
            poll: draft.poll,
            effect: draft.effect,
            reactions: Vec::new(),
            with_card: false,
            sender: from.filter(|_| matches!(row.peer, Peer::Group(_))),
            status: if outbound { Status::Queued } else { Status::Received },
            protocol: if outbound { "pending" } else { self.channels[row.channel].protocol() },
            error: None,
            created_at: self.now,
            updated_at: self.now,
            delivered_at: None,
            read_at: None,
            events: Vec::new(),
        };
        self.message_by_id.insert(message.id.clone(), index);
        self.message_by_id.insert(message.short_id.clone(), index);
        self.messages.push(message);
        index
    }
}
