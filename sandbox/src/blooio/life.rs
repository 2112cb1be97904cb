//! The life of a message: its states and when it reaches them.

/// States of a message, in the order it passes through them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Status {
    Queued,
    Sent,
    Delivered,
    Failed,
    /// Inbound messages have this one only.
    Received,
}

/// When an outbound message reaches which state, in ms after it was accepted. The services take about 5 s and 0.7 s more.
pub(crate) const STEPS: &[(i64, Status)] = &[(150, Status::Sent), (400, Status::Delivered)];

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Status::Queued => "queued",
            Status::Sent => "sent",
            Status::Delivered => "delivered",
            Status::Failed => "failed",
            Status::Received => "received",
        }
    }

    /// The event that tells of it.
    pub(crate) fn event(self) -> &'static str {
        match self {
            Status::Queued => "message.queued",
            Status::Sent => "message.sent",
            Status::Delivered => "message.delivered",
            Status::Failed => "message.failed",
            Status::Received => "message.received",
        }
    }

    pub(crate) fn is_final(self) -> bool {
        matches!(self, Status::Failed | Status::Received)
    }
}
