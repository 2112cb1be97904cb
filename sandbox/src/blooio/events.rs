//! What happened, and who is told.

use super::World;
use super::life::Status;

/// One row of the event feed: a message, and the state it was in.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) message: usize,
    pub(crate) status: Status,
    pub(crate) protocol: &'static str,
    /// Epoch ms.
    pub(crate) occurred_at: i64,
}

impl Event {
    pub(crate) fn name(&self) -> &'static str {
        self.status.event()
    }
}

impl World {
    /// Records the message's present state as an event and hands it to every subscription that wants it.
    pub(crate) fn emit(&mut self, message: usize) {
        let (id, status, protocol) = {
            let message = &self.messages[message];
            (message.id.clone(), message.status, message.protocol)
        };
        let id = match status {
            Status::Delivered => format!("evt_dlv_blooio_{id}"),
            _ => self.ids.uuid7("evt_", self.now),
        };
        self.events.push(Event { id, message, status, protocol, occurred_at: self.now });
        self.messages[message].events.push(self.events.len() - 1);
        self.notify(self.events.len() - 1);
    }

    fn notify(&mut self, event: usize) {
        for subscription in 0..self.webhooks.subscriptions.len() {
            let row = &self.events[event];
            let channel = &self.channels[self.chats[self.messages[row.message].chat].channel];
            if !self.webhooks.subscriptions[subscription].wants(row.name(), channel, self.now) {
                continue;
            }
            let delivery_id = self.ids.uuid7("wdel_", self.now);
            let (headers, body) = self.webhooks.subscriptions[subscription].announce(self, row, delivery_id);
            self.webhooks.enqueue(&mut self.timers, self.now, subscription, headers, body);
        }
    }
}
