//! What a plan, the safety system and the state of a conversation forbid; all of it behind switches.

use serde_json::json;

use super::events::What;
use super::{Chat, Message, Peer, World, life};
use crate::refusal::Refusal;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// The organization's cap counts what happened within so long; the services say that it rolls, and not how far.
const ROLLING_MS: i64 = 30 * DAY_MS;
/// What the services say of their own plans: new conversations a day, and messages in all.
const SHARED_A_DAY: u64 = 15;
const TRIAL_MESSAGES: u64 = 20;
/// After so long without a word from the other side a conversation counts as inactive.
const INACTIVE_MS: i64 = 14 * DAY_MS;

/// A send that is about to happen.
#[derive(Clone, Copy)]
pub(crate) struct Intent<'a> {
    pub(crate) channel: usize,
    /// Who it goes to, where that is one person.
    pub(crate) person: Option<&'a str>,
    /// The same, or a group, where the world knows it.
    pub(crate) peer: Option<Peer>,
    /// Messages it would make.
    pub(crate) messages: usize,
    /// Whether they carry links or media.
    pub(crate) rich: bool,
}

impl World {
    /// Brings every line to the state its switch wants.
    pub(crate) fn apply_safety(&mut self) {
        for channel in self.lines().collect::<Vec<_>>() {
            self.set_safety(channel, self.switches.safety_action);
        }
    }

    pub(crate) fn set_safety(&mut self, channel: usize, action: &'static str) {
        let previous = std::mem::replace(&mut self.channels[channel].safety, action);
        if previous != action {
            self.emit(What::Safety { channel, action, previous }, None);
        }
    }

    pub(crate) fn set_status(&mut self, channel: usize, status: &'static str) {
        let previous = std::mem::replace(&mut self.channels[channel].status, status);
        if status == "banned" && previous != status {
            self.emit(What::Banned { channel }, None);
        }
    }

    /// What forbids this send, in the order the services check.
    pub(crate) fn check_send(&self, intent: Intent<'_>) -> Result<(), Refusal> {
        let obstacle = intent.person.and_then(life::obstacle);
        if let Some((403, message)) = obstacle {
            return Err(Refusal::new(403, message));
        }
        if self.channels[intent.channel].is_line() {
            let chat = intent.peer.and_then(|peer| self.find_chat(intent.channel, peer)).map(|chat| &self.chats[chat]);
            self.check_plan(intent, chat)?;
            self.check_safety(intent, chat)?;
            if self.switches.conversation_limits {
                self.check_conversation(intent, chat)?;
            }
        }
        // The device comes last: nobody asks it what may not be sent.
        obstacle.map_or(Ok(()), |(status, message)| Err(Refusal::new(status, message)))
    }

    /// Refuses what needs a line that is not in service.
    pub(crate) fn check_line(&self, channel: usize) -> Result<(), Refusal> {
        let active = self.channels[channel].is_active();
        if active { Ok(()) } else { Err(Refusal::new(503, "No active number can do this.")) }
    }

    /// Refuses what needs the device of a chat whose device does not answer.
    pub(crate) fn check_device(&self, peer: Peer) -> Result<(), Refusal> {
        let broken =
            |contact: &usize| life::obstacle(&self.contacts[*contact].identifier).filter(|(status, _)| *status != 403);
        let obstacle = match peer {
            Peer::Person(contact) => broken(&contact),
            Peer::Group(group) => self.groups[group].members.iter().find_map(broken),
        };
        obstacle.map_or(Ok(()), |(status, message)| Err(Refusal::new(status, message)))
    }

    fn check_plan(&self, intent: Intent<'_>, chat: Option<&Chat>) -> Result<(), Refusal> {
        let switches = &self.switches;
        let line = &self.channels[intent.channel];
        if switches.plan == "inbound" && chat.is_none_or(|chat| chat.inbound == 0) {
            let message = "An inbound number answers only those who wrote first.";
            let refusal = Refusal::new(403, message).code("inbound_only_no_prior_inbound");
            return Err(refusal.with("allocation_id", line.id.clone()).with("external_id", self.peer_name(intent)));
        }
        if chat.is_none_or(|chat| chat.messages.is_empty()) {
            let per_number = switches.outbound_limit_mode == "number";
            let here = |channel: usize| !per_number || channel == intent.channel;
            let opened =
                self.opened.iter().filter(|(at, channel)| *at > self.now - ROLLING_MS && here(*channel)).count() as u64;
            if let Some(limit) = switches.outbound_limit.filter(|limit| opened >= *limit) {
                let refusal = Refusal::new(429, "The organization's limit of new contacts is reached.");
                let refusal = refusal.code("outbound_limit_reached").with("limit", limit).with("current", opened);
                let refusal = refusal.with("mode", switches.outbound_limit_mode);
                return Err(match per_number {
                    true => refusal.with("allocation_id", line.id.clone()).with("sender_number", line.address),
                    false => refusal,
                });
            }
            let today = self.opened.iter().filter(|(at, _)| *at > self.now - DAY_MS).count() as u64;
            let cap = switches.new_conversations_per_day.or((switches.plan == "shared").then_some(SHARED_A_DAY));
            if let Some(cap) = cap.filter(|cap| today >= *cap) {
                let refusal = Refusal::new(429, "The plan's limit of new conversations a day is reached.");
                let refusal = refusal.code("new_conversation_limit_reached").with("plan_id", "shared_nc");
                return Err(refusal.with("cap", cap).with("current", today));
            }
        }
        Ok(())
    }

    /// v2 alone says 402 once a trial is used up.
    pub(crate) fn check_trial(&self, messages: usize) -> Result<(), Refusal> {
        let most = self.switches.trial_messages.or((self.switches.plan == "trial").then_some(TRIAL_MESSAGES));
        let over = most.is_some_and(|most| self.accepted + messages as u64 > most);
        if over { Err(Refusal::new(402, "The trial's messages are used up.")) } else { Ok(()) }
    }

    fn check_safety(&self, intent: Intent<'_>, chat: Option<&Chat>) -> Result<(), Refusal> {
        let (code, message) = match self.channels[intent.channel].safety {
            "review" => ("safety_account_review", "This line is under review."),
            "reply_only" if chat.is_none_or(|chat| chat.inbound == 0) => {
                ("safety_reply_only", "This line may only reply at present.")
            }
            "pause_new" if chat.is_none_or(|chat| chat.messages.is_empty()) => {
                ("safety_new_conversations_paused", "This line may not open conversations at present.")
            }
            _ => return Ok(()),
        };
        Err(Refusal::new(403, message).code(code))
    }

    fn check_conversation(&self, intent: Intent<'_>, chat: Option<&Chat>) -> Result<(), Refusal> {
        let messages = || chat.into_iter().flat_map(|chat| &chat.messages).map(|message| &self.messages[*message]);
        let replies: Vec<i64> = messages().filter(|row| !row.outbound).map(|row| row.created_at).collect();
        let last_reply = chat.and_then(|chat| chat.last_inbound_at);
        let last_word = last_reply.max(chat.and_then(|chat| chat.last_reaction_at));
        let inactive = |word: Option<i64>| word.map(|at| at + INACTIVE_MS).filter(|since| self.now > *since);
        // A reaction breaks the silence and unlocks neither links nor media; before the first reply there is none to break.
        let quiet_since = last_reply.and(inactive(last_word));
        let counted_from = quiet_since.or(last_word);
        let streak: Vec<&Message> = messages().filter(|row| row.outbound).collect();
        let streak = streak.into_iter().rev();
        let streak = streak.take_while(|message| counted_from.is_none_or(|from| message.created_at >= from)).count();
        let (most, code) = match (quiet_since, replies.first()) {
            (Some(_), _) => (1, "conversation_inactive_paused"),
            (None, None) => (3, "conversation_awaiting_reply"),
            (None, Some(first)) => (self.allowance(&replies, *first), "conversation_streak_limit"),
        };
        if intent.rich && (replies.is_empty() || inactive(last_reply).is_some()) {
            return Err(content_restricted());
        }
        if streak + intent.messages > most {
            let refusal = Refusal::new(429, "The conversation waits for a word from the other side.").code(code);
            return Err(refusal.with("limit", most).with("current", streak));
        }
        Ok(())
    }

    /// Messages in a row by how well the two sides know each other.
    fn allowance(&self, replies: &[i64], first: i64) -> usize {
        let mut days: Vec<i64> = replies.iter().map(|at| at.div_euclid(DAY_MS)).collect();
        days.dedup();
        match (replies.len(), days.len()) {
            (10.., 3..) if self.now - first > 7 * DAY_MS => 8,
            (3.., 2..) => 6,
            _ => 4,
        }
    }

    fn peer_name(&self, intent: Intent<'_>) -> serde_json::Value {
        match intent.peer {
            Some(Peer::Group(group)) => json!(self.groups[group].id),
            _ => json!(intent.person.unwrap_or_default()),
        }
    }
}

fn content_restricted() -> Refusal {
    let message = "Links and media wait for the first reply.";
    Refusal::new(403, message).code("conversation_content_restricted")
}
