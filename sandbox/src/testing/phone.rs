//! People: what they received, and what they do.

use std::future::IntoFuture;
use std::pin::Pin;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Desk, SandboxError, encoded};

/// What a poll asks.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Poll {
    /// The question.
    pub title: String,
    /// The answers to choose from.
    pub options: Vec<String>,
}

/// A message that a person received.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Received {
    /// As v4 names it.
    pub id: String,
    /// As v2 names it.
    pub v2_id: String,
    /// The address of our channel.
    pub from: String,
    /// The group it was written to, if any.
    pub group_id: Option<String>,
    /// `text`, `media`, `poll`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// What it says.
    pub text: Option<String>,
    /// `slam`, `invisible-ink`, …; only iMessage shows one.
    pub effect: Option<String>,
    /// What it asks.
    pub poll: Option<Poll>,
    /// URLs.
    pub attachments: Vec<String>,
    /// `queued`, `sent`, `delivered`, `read`.
    pub status: String,
    /// Epoch milliseconds of the sandbox's clock.
    pub sent_at: i64,
}

/// What became of something that a person did.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Happening {
    /// The conversation, as v4 names it.
    pub chat_id: String,
    /// The message it made or changed, as v4 names it.
    pub message_id: Option<String>,
    /// The same as v2 names it.
    pub v2_message_id: Option<String>,
    /// The address of our channel.
    pub to: String,
}

#[derive(Deserialize)]
struct Inbox {
    messages: Vec<Received>,
}

/// A person. What they do is told to us as the services tell it: in lists, events, webhooks.
#[derive(Clone, Debug)]
pub struct Phone {
    pub(super) desk: Desk,
    pub(super) number: String,
}

impl Phone {
    /// Their number or address.
    pub fn number(&self) -> &str {
        &self.number
    }

    /// What they received, alone and in groups, oldest first; without what failed or was cancelled.
    ///
    /// # Errors
    /// When the number is none.
    pub async fn inbox(&self) -> Result<Vec<Received>, SandboxError> {
        let path = format!("/phones/{}/inbox", encoded(&self.number));
        Ok(self.desk.ask::<Inbox>("GET", &path, Value::Null).await?.messages)
    }

    /// Writes to us.
    pub fn write(&self, text: impl Into<String>) -> Act<'_> {
        self.act("message", json!({"text": text.into()}))
    }

    /// Sends us a poll.
    pub fn ask_poll<T: Into<String>>(&self, title: &str, options: impl IntoIterator<Item = T>) -> Act<'_> {
        let options: Vec<String> = options.into_iter().map(Into::into).collect();
        self.act("poll", json!({"title": title, "options": options}))
    }

    /// Votes in a poll of ours, by the option's text; a second time takes the vote back.
    pub fn vote(&self, option: &str) -> Act<'_> {
        self.act("poll_vote", json!({"option": option}))
    }

    /// Reacts to a message: `love`, `like`, an emoji, …; `-love` takes it back.
    pub fn react(&self, reaction: &str) -> Act<'_> {
        self.act("reaction", json!({"reaction": reaction}))
    }

    /// Begins to type.
    pub fn start_typing(&self) -> Act<'_> {
        self.act("typing", json!({"state": "started"}))
    }

    /// Stops typing.
    pub fn stop_typing(&self) -> Act<'_> {
        self.act("typing", json!({"state": "stopped"}))
    }

    /// Reads one message, or everything delivered so far.
    pub fn read(&self) -> Act<'_> {
        self.act("read", json!({}))
    }

    /// Sends us their contact card.
    pub fn share_contact_card(&self) -> Act<'_> {
        self.act("contact_card", json!({}))
    }

    /// Gives a group another name.
    pub fn rename_group(&self, group: &str, name: &str) -> Act<'_> {
        self.act("group_name", json!({"name": name})).group(group)
    }

    /// Gives a group another picture.
    pub fn set_group_icon(&self, group: &str, url: &str) -> Act<'_> {
        self.act("group_icon", json!({"icon_url": url})).group(group)
    }

    fn act(&self, kind: &str, body: Value) -> Act<'_> {
        let body = body.as_object().cloned().unwrap_or_default();
        Act { desk: &self.desk, body }.with("type", kind).with("from", self.number.as_str())
    }
}

/// Something a person is about to do; awaiting it lets them.
#[derive(Debug)]
pub struct Act<'a> {
    desk: &'a Desk,
    body: Map<String, Value>,
}

impl<'a> Act<'a> {
    /// In a conversation with this channel of ours (address, id or alias), not the latest one.
    #[must_use]
    pub fn to(self, channel: &str) -> Act<'a> {
        self.with("to", channel)
    }

    /// In a group they are in.
    #[must_use]
    pub fn group(self, group: &str) -> Act<'a> {
        self.with("group_id", group)
    }

    /// With these URLs attached.
    #[must_use]
    pub fn attachments<T: Into<String>>(self, urls: impl IntoIterator<Item = T>) -> Act<'a> {
        self.with("attachments", urls.into_iter().map(Into::into).collect::<Vec<String>>())
    }

    /// As a reply to this message, of v2 or v4.
    #[must_use]
    pub fn reply_to(self, message: &str) -> Act<'a> {
        self.with("reply_to", message)
    }

    /// To this message, of v2 or v4, not our last one.
    #[must_use]
    pub fn message(self, message: &str) -> Act<'a> {
        self.with("message_id", message)
    }

    fn with(mut self, name: &str, value: impl Into<Value>) -> Act<'a> {
        self.body.insert(name.to_owned(), value.into());
        self
    }
}

impl<'a> IntoFuture for Act<'a> {
    type Output = Result<Happening, SandboxError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.desk.ask("POST", "/inbound", Value::Object(self.body)).await })
    }
}
