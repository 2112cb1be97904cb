//! What is retried, after which wait, and out of which budget.

use std::sync::Mutex;
use std::time::Duration;

use super::lock;
use super::request::Traits;

const CAP: Duration = Duration::from_secs(20);
const BUDGET: u32 = 500;

/// Why an attempt gave no usable answer, as far as retries care.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cause {
    /// There was no connection: nothing can have arrived.
    NotConnected,
    /// It broke, took too long, or the service failed: it may have arrived.
    Transient,
    /// 425: refused unseen.
    TooEarly,
    /// 429: refused, and waiting helps.
    Throttled,
    /// Asking again cannot help.
    Final,
}

impl Cause {
    /// The cause an HTTP status of 300 or more stands for. The code decides before the status.
    pub fn of(status: u16, code: Option<&str>) -> Cause {
        match status {
            429 if code.is_some_and(is_quota) => Cause::Final,
            429 => Cause::Throttled,
            425 => Cause::TooEarly,
            408 | 500 | 502 | 503 | 504 => Cause::Transient,
            _ => Cause::Final,
        }
    }

    pub fn permits_retry(self, traits: Traits) -> bool {
        match self {
            Cause::NotConnected | Cause::TooEarly | Cause::Throttled => true,
            Cause::Transient => traits.replayable && !traits.one_time_secret,
            Cause::Final => false,
        }
    }

    const fn base(self) -> Duration {
        match self {
            Cause::Throttled => Duration::from_secs(1),
            _ => Duration::from_millis(500),
        }
    }

    const fn cost(self) -> u32 {
        match self {
            Cause::Throttled => 5,
            _ => 14,
        }
    }
}

/// 429 codes that no waiting clears: plan caps, and limits that only the recipient lifts.
pub(crate) fn is_quota(code: &str) -> bool {
    matches!(code, "outbound_limit_reached" | "new_conversation_limit_reached")
        || code.starts_with("conversation_")
        || code.starts_with("safety_")
}

/// Whether a status says for certain that the attempt changed nothing.
pub(crate) fn is_definite_refusal(status: u16, fan_out: bool) -> bool {
    match status {
        422 => !fan_out,
        _ => matches!(status, 400..=405 | 410 | 413 | 415 | 425 | 429 | 501),
    }
}

/// The most the `n`th retry (from 0) waits: exponential, capped. The real wait is a random share of it.
pub(crate) fn backoff_cap(cause: Cause, n: u32) -> Duration {
    cause.base().saturating_mul(1 << n.min(10)).min(CAP)
}

/// A client's allowance for retries: in an outage it stops the client from multiplying the load.
pub(crate) struct Budget(Mutex<u32>);

/// What a call took for its last retry, given back if that retry succeeds.
#[derive(Clone, Copy, Default)]
pub(crate) struct Taken(u32);

impl Budget {
    pub fn new() -> Budget {
        Budget(Mutex::new(BUDGET))
    }

    /// Pays for a retry, or `None` when the budget cannot.
    pub fn take(&self, cause: Cause) -> Option<Taken> {
        let mut left = lock(&self.0);
        *left = left.checked_sub(cause.cost())?;
        Some(Taken(cause.cost()))
    }

    /// Credits a success: what its last retry took, or one token for a first attempt.
    pub fn succeed(&self, taken: Option<Taken>) {
        let mut left = lock(&self.0);
        *left = (*left + taken.map_or(1, |taken| taken.0)).min(BUDGET);
    }
}
