//! Messages and what clings to them.

use super::life::Status;

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

/// Why a message failed: a code, and words.
pub(crate) type MessageError = (&'static str, &'static str);

/// One side of a conversation: a contact, or `None` for us.
pub(crate) type Author = Option<usize>;

#[derive(Clone, Debug)]
pub(crate) struct Reaction {
    pub(crate) reaction: String,
    pub(crate) added: bool,
    pub(crate) by: Author,
    pub(crate) at: i64,
}

/// The kind of the rows that votes of ours make: found by their id, in no chat's list.
pub(crate) const VOTE: &str = "poll_vote";

/// What a poll asks, and who chose what.
#[derive(Clone, Debug, Default)]
pub(crate) struct Poll {
    pub(crate) title: String,
    pub(crate) options: Vec<String>,
    pub(crate) votes: Vec<(Author, usize)>,
    /// The row of our last vote.
    pub(crate) our_vote: Option<usize>,
}

impl Poll {
    pub(crate) fn count(&self, option: usize) -> usize {
        self.votes.iter().filter(|(_, chosen)| *chosen == option).count()
    }

    /// The options somebody has chosen.
    pub(crate) fn chosen_by(&self, author: Author) -> Vec<usize> {
        let mut chosen: Vec<usize> =
            self.votes.iter().filter(|(voter, _)| *voter == author).map(|(_, option)| *option).collect();
        chosen.sort_unstable();
        chosen
    }
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
    pub(crate) poll: Option<Poll>,
    pub(crate) effect: Option<String>,
    pub(crate) reactions: Vec<Reaction>,
    /// Whether our contact card went along.
    pub(crate) with_card: bool,
    /// Group chats only: who wrote an inbound message.
    pub(crate) sender: Option<usize>,
    pub(crate) status: Status,
    pub(crate) protocol: &'static str,
    pub(crate) error: Option<MessageError>,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    pub(crate) delivered_at: Option<i64>,
    pub(crate) read_at: Option<i64>,
    /// Rows of the event feed, oldest first.
    pub(crate) events: Vec<usize>,
}

/// A message about to be made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    pub(crate) kind: &'static str,
    pub(crate) text: Option<String>,
    pub(crate) attachments: Vec<Attachment>,
    pub(crate) reply_to: Option<ReplyTo>,
    pub(crate) poll: Option<Poll>,
    /// How it appears on iMessage; nothing else shows it.
    pub(crate) effect: Option<String>,
}

impl Draft {
    pub(crate) fn text(text: impl Into<String>) -> Draft {
        Draft { kind: "text", text: Some(text.into()), ..Draft::default() }
    }

    /// Whether it carries links or media.
    pub(crate) fn is_rich(&self) -> bool {
        let link = |text: &String| text.contains("http://") || text.contains("https://");
        !self.attachments.is_empty() || self.kind == "rich_link" || self.text.as_ref().is_some_and(link)
    }
}
