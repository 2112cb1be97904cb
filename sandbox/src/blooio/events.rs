//! What happened, and who is told.

use super::World;
use super::life::Status;
use super::message::{Author, Reaction};

/// One row of the event feed.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) what: What,
    pub(crate) chat: Option<usize>,
    /// Epoch ms.
    pub(crate) occurred_at: i64,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    /// A message, and the state it was in.
    Message {
        message: usize,
        status: Status,
        protocol: &'static str,
    },
    Reaction {
        message: usize,
        reaction: Reaction,
    },
    /// A poll of ours, or of theirs.
    Poll {
        message: usize,
    },
    Vote {
        poll: usize,
        option: usize,
        on: bool,
        by: Author,
    },
    GroupName {
        group: usize,
        previous: Option<String>,
    },
    GroupIcon {
        group: usize,
        previous: Option<String>,
    },
    Typing {
        started: bool,
        by: usize,
    },
    ContactShared {
        by: usize,
    },
    ContactMerged {
        source: usize,
        survivor: usize,
    },
    Safety {
        channel: usize,
        action: &'static str,
        previous: &'static str,
    },
    Banned {
        channel: usize,
    },
}

impl Event {
    pub(crate) fn name(&self, world: &World) -> &'static str {
        match &self.what {
            What::Message { status, .. } => status.event().unwrap_or_default(),
            What::Reaction { .. } => "message.reaction",
            What::Poll { message } if world.messages[*message].outbound => "poll.created",
            What::Poll { .. } => "poll.received",
            What::Vote { .. } => "poll.voted",
            What::GroupName { .. } => "group.name_changed",
            What::GroupIcon { .. } => "group.icon_changed",
            What::Typing { started: true, .. } => "typing.started",
            What::Typing { .. } => "typing.stopped",
            What::ContactShared { .. } => "contact.shared",
            What::ContactMerged { .. } => "contact.merged",
            What::Safety { .. } => "safety.state_changed",
            What::Banned { .. } => "safety.number_banned",
        }
    }

    /// The message it is about.
    pub(crate) fn message(&self) -> Option<usize> {
        match &self.what {
            What::Message { message, .. } | What::Reaction { message, .. } | What::Poll { message } => Some(*message),
            What::Vote { poll, .. } => Some(*poll),
            _ => None,
        }
    }

    /// The channel it happened on, where it happened on one.
    pub(crate) fn channel(&self, world: &World) -> Option<usize> {
        match &self.what {
            What::Safety { channel, .. } | What::Banned { channel } => Some(*channel),
            _ => self.chat.map(|chat| world.chats[chat].channel),
        }
    }
}

impl World {
    /// Records the message's present state as an event.
    pub(crate) fn emit_status(&mut self, message: usize) {
        let Some(row) = self.messages.get(message) else { return };
        if row.status.event().is_none() {
            return;
        }
        self.emit(What::Message { message, status: row.status, protocol: row.protocol }, Some(row.chat));
    }

    /// Records an event and hands it to every subscription that wants it.
    pub(crate) fn emit(&mut self, what: What, chat: Option<usize>) {
        let id = match what {
            What::Message { message, status: Status::Delivered, .. } => {
                format!("evt_dlv_blooio_{}", self.messages[message].id)
            }
            _ => self.ids.uuid7("evt_", self.now),
        };
        let event = Event { id, what, chat, occurred_at: self.now };
        if let Some(message) = event.message() {
            self.messages[message].events.push(self.events.len());
        }
        self.events.push(event);
        self.notify(self.events.len() - 1);
    }

    fn notify(&mut self, event: usize) {
        for subscription in 0..self.webhooks.subscriptions.len() {
            let row = &self.events[event];
            let channel = row.channel(self).map(|channel| &self.channels[channel]);
            if !self.webhooks.subscriptions[subscription].wants(
                row.name(self),
                channel,
                self.now,
                self.switches.event_filtering,
            ) {
                continue;
            }
            let delivery_id = self.ids.uuid7("wdel_", self.now);
            let Some(delivery) = self.webhooks.subscriptions[subscription].announce(self, row, delivery_id) else {
                continue;
            };
            let hold_back = if self.switches.out_of_order_webhooks { self.ids.below(600) as i64 } else { 0 };
            self.webhooks.enqueue(&mut self.timers, self.now + hold_back, delivery);
        }
    }
}
