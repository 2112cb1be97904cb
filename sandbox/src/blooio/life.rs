//! The life of a message: its states, when it reaches them, and the recipients whose messages fare otherwise.

use super::MessageError;

/// States of a message, in the order it passes through them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Status {
    Queued,
    /// By switch only: on its way to the channel.
    Pending,
    Sent,
    Delivered,
    Read,
    Failed,
    CancellationRequested,
    Cancelled,
    /// Another row has taken its place.
    Superseded,
    /// Inbound messages have this one only.
    Received,
}

/// When an outbound message reaches which state, in ms after it was accepted. The services take about 5 s and 0.7 s more.
const USUAL: &[(i64, Status)] = &[(150, Status::Sent), (400, Status::Delivered)];
/// When it is `pending`, where that state is switched on.
pub(crate) const PENDING_AFTER_MS: i64 = 75;
/// How long a cancellation stays requested.
pub(crate) const CANCELLING_MS: i64 = 50;

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Status::Queued => "queued",
            Status::Pending => "pending",
            Status::Sent => "sent",
            Status::Delivered => "delivered",
            Status::Read => "read",
            Status::Failed => "failed",
            Status::CancellationRequested => "cancellation_requested",
            Status::Cancelled => "cancelled",
            Status::Superseded => "superseded",
            Status::Received => "received",
        }
    }

    /// The event that tells of it; nobody is told of a cancellation or a replacement.
    pub(crate) fn event(self) -> Option<&'static str> {
        Some(match self {
            Status::Queued => "message.queued",
            Status::Pending => "message.pending",
            Status::Sent => "message.sent",
            Status::Delivered => "message.delivered",
            Status::Read => "message.read",
            Status::Failed => "message.failed",
            Status::Received => "message.received",
            Status::CancellationRequested | Status::Cancelled | Status::Superseded => return None,
        })
    }

    /// Whether the message has not left yet.
    pub(crate) fn is_waiting(self) -> bool {
        self < Status::Sent
    }

    pub(crate) fn is_final(self) -> bool {
        matches!(self, Status::Failed | Status::Cancelled | Status::Superseded | Status::Received)
    }
}

/// How messages to a recipient fare.
#[derive(Debug)]
pub(crate) struct Fate {
    pub(crate) steps: &'static [(i64, Status)],
    /// The protocol it ends with, where that is not the channel's own.
    pub(crate) protocol: Option<&'static str>,
    /// What a failure says.
    pub(crate) error: MessageError,
    /// How long the send itself takes to answer, in ms of real time.
    pub(crate) answer_after_ms: u64,
    /// Whether there is iMessage at the other end.
    pub(crate) imessage: bool,
    /// Refused before dispatch: the send answers with `status: failed`.
    pub(crate) refused: bool,
}

const NOT_DELIVERED: MessageError = ("delivery_failed", "The message could not be delivered.");

const ORDINARY: Fate =
    Fate { steps: USUAL, protocol: None, error: NOT_DELIVERED, answer_after_ms: 0, imessage: true, refused: false };

/// Recipients by number: the table of `docs/sandbox.md`.
static MAGIC: [(&str, Fate); 9] = [
    ("+15005550001", Fate { steps: &[(150, Status::Sent), (400, Status::Failed)], ..ORDINARY }),
    ("+15005550002", Fate { steps: &[(150, Status::Failed)], ..ORDINARY }),
    ("+15005550003", Fate { steps: &[(150, Status::Sent)], ..ORDINARY }),
    ("+15005550004", Fate { steps: &[], ..ORDINARY }),
    ("+15005550005", Fate { protocol: Some("sms"), imessage: false, ..ORDINARY }),
    ("+15005550006", Fate { protocol: Some("rcs"), imessage: false, steps: &[(150, Status::Sent)], ..ORDINARY }),
    ("+15005550007", Fate { answer_after_ms: 3_000, ..ORDINARY }),
    (
        "+15005550008",
        Fate { refused: true, error: ("recipient_unreachable", "The recipient cannot be reached."), ..ORDINARY },
    ),
    ("+15005550009", Fate { steps: &[(150, Status::Sent), (400, Status::Delivered), (900, Status::Read)], ..ORDINARY }),
];

/// The fate of messages to `identifier`.
pub(crate) fn fate(identifier: &str) -> &'static Fate {
    static OTHERS: Fate = ORDINARY;
    let known = MAGIC.iter().find(|(number, _)| *number == identifier);
    known.map_or(&OTHERS, |(_, fate)| fate)
}

/// Recipients a send is refused for, with the status and what it says.
static OBSTACLES: [(&str, u16, &str); 3] = [
    ("+15005550010", 403, "This number cannot be written to through the API."),
    ("+15005550011", 502, "The device did not answer."),
    ("+15005550012", 503, "No active number can take the message."),
];

pub(crate) fn obstacle(identifier: &str) -> Option<(u16, &'static str)> {
    OBSTACLES.iter().find(|(number, ..)| *number == identifier).map(|(_, status, message)| (*status, *message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_names_every_recipient_with_a_fate() {
        let guide = include_str!("../../../docs/sandbox.md");
        for number in MAGIC.iter().map(|(number, _)| number).chain(OBSTACLES.iter().map(|(number, ..)| number)) {
            assert!(guide.contains(&format!("| `{number}` |")), "{number}");
        }
    }
}
