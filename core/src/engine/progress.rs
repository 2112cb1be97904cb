//! What a call has done so far, readable from outside while it runs and after it was cancelled.

use std::fmt;
use std::sync::{Mutex, OnceLock};

use super::lock;
use super::observe::Observer;

/// The state of a call that matters when it does not come to its end.
#[derive(Default)]
pub struct Progress {
    state: Mutex<State>,
    observer: OnceLock<Observer>,
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        lock(&self.state).fmt(f)
    }
}

#[derive(Debug, Default)]
struct State {
    attempts: u32,
    maybe_sent: bool,
    /// The same, as it stood before the last attempt.
    maybe_sent_before: bool,
    /// Whatever the attempt under way does, it changes nothing.
    harmless: bool,
    /// The attempt under way has something to change, and it may be on its way.
    in_flight: bool,
    key: Option<String>,
}

impl Progress {
    /// Attempts begun.
    pub fn attempts(&self) -> u32 {
        lock(&self.state).attempts
    }

    /// Whether the service may have done what was asked, an attempt under way included once it has a connection.
    pub fn maybe_sent(&self) -> bool {
        let state = lock(&self.state);
        state.maybe_sent || state.in_flight
    }

    /// The idempotency key that last went, or is next to go, on the wire.
    pub fn idempotency_key(&self) -> Option<String> {
        lock(&self.state).key.clone()
    }

    /// Has `observer` told of this call's events, unless the client has one. To be set before the call is first polled.
    pub fn watch(&self, observer: Observer) {
        // A second one would come in the middle of the story.
        let _ = self.observer.set(observer);
    }

    pub(crate) fn observer(&self) -> Option<&Observer> {
        self.observer.get()
    }

    pub(crate) fn maybe_sent_before(&self) -> bool {
        lock(&self.state).maybe_sent_before
    }

    pub(crate) fn set_key(&self, key: Option<String>) {
        lock(&self.state).key = key;
    }

    pub(crate) fn begin_attempt(&self, harmless: bool) {
        let mut state = lock(&self.state);
        state.attempts += 1;
        state.harmless = harmless;
    }

    /// The attempt has a connection: from here on its bytes may be on their way.
    pub(crate) fn leave(&self) {
        let mut state = lock(&self.state);
        state.in_flight = !state.harmless;
    }

    /// The connection took nothing of it.
    pub(crate) fn come_back(&self) {
        lock(&self.state).in_flight = false;
    }

    /// `arrived`: this attempt may have had its effect. Nothing later takes that back.
    pub(crate) fn end_attempt(&self, arrived: bool) {
        let mut state = lock(&self.state);
        state.in_flight = false;
        state.maybe_sent_before = state.maybe_sent;
        state.maybe_sent |= arrived;
    }

    pub(crate) fn forget_attempt(&self) {
        let mut state = lock(&self.state);
        state.attempts = state.attempts.saturating_sub(1);
    }
}
