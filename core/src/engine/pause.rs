//! The pauses that a service names itself: in the headers of any answer, and in an error.

use std::sync::Mutex;
use std::time::Duration;

use http::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

use super::answer::header;
use super::lock;

/// A reset further away than this is a mistake or another kind of window.
const LONGEST: i64 = 120;

// Looked up in every answer: read once, not at each of them.
static X_REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
static X_RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
static REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
static RESET: HeaderName = HeaderName::from_static("ratelimit-reset");
static POLICIES: HeaderName = HeaderName::from_static("ratelimit");

/// The client-wide pause after an answer that says no requests are left in its window.
#[derive(Default)]
pub(crate) struct Hold(Mutex<Duration>);

impl Hold {
    /// How long to wait before the next attempt.
    pub fn remaining(&self, now: Duration) -> Duration {
        lock(&self.0).saturating_sub(now)
    }

    /// Learns from an answer's headers.
    pub fn observe(&self, headers: &HeaderMap, now: Duration, unix_ms: i64) {
        if let Some(wait) = named_pause(headers, unix_ms) {
            let mut until = lock(&self.0);
            *until = (*until).max(now + wait);
        }
    }
}

fn named_pause(headers: &HeaderMap, unix_ms: i64) -> Option<Duration> {
    let number = |name: &HeaderName| headers.get(name)?.to_str().ok()?.trim_ascii().parse::<i64>().ok();
    let seconds = if number(&X_REMAINING) == Some(0) {
        number(&X_RESET)?.saturating_sub(answered_at(headers, unix_ms))
    } else if number(&REMAINING) == Some(0) {
        number(&RESET)?
    } else {
        let fields = headers.get_all(&POLICIES).iter().filter_map(|field| field.to_str().ok());
        fields.filter_map(drafted_pause).max()?
    };
    (0..=LONGEST).contains(&seconds).then(|| Duration::from_secs(seconds.unsigned_abs()))
}

/// Seconds until a policy of a `RateLimit` field that has nothing left begins anew. Newer drafts list policies, each with parameters `r` and
/// `t`; older ones have a single policy, whose `remaining` and `reset` are the list.
fn drafted_pause(field: &str) -> Option<i64> {
    let parameter = |policy: &str, names: [&str; 2]| {
        let mut pairs = policy.split([',', ';']).filter_map(|item| item.trim().split_once('='));
        pairs.find(|(name, _)| names.contains(&name.trim()))?.1.trim().parse::<i64>().ok()
    };
    let pause = |policy: &str| {
        let nothing_left = parameter(policy, ["r", "remaining"]) == Some(0);
        nothing_left.then(|| parameter(policy, ["t", "reset"])).flatten()
    };
    if field.contains("remaining") { pause(field) } else { field.split(',').filter_map(pause).max() }
}

/// The answer's own clock in epoch seconds, so that a skewed local clock does not matter.
fn answered_at(headers: &HeaderMap, unix_ms: i64) -> i64 {
    let date = header(headers, DATE).and_then(|date| httpdate::parse_http_date(&date).ok());
    let since = date.and_then(|date| date.duration_since(std::time::UNIX_EPOCH).ok());
    since.map_or(unix_ms.div_euclid(1000), |since| since.as_secs() as i64)
}

/// The wait an error answer names: `Retry-After` in seconds or as a date, or `retry_after` in its body; the larger.
pub(crate) fn named_wait(headers: &HeaderMap, body: Option<&serde_json::Value>, unix_ms: i64) -> Option<Duration> {
    let from_header = header(headers, RETRY_AFTER).and_then(|value| {
        let value = value.trim();
        match value.parse::<f64>() {
            Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
            Err(_) => {
                let at = httpdate::parse_http_date(value).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
                let wait = at.as_secs() as i64 - answered_at(headers, unix_ms);
                Some(Duration::from_secs(u64::try_from(wait).unwrap_or(0)))
            }
        }
    });
    let places = ["/retry_after", "/error/retry_after", "/details/retry_after", "/error/details/retry_after"];
    let from_body = body.and_then(|body| {
        let seconds = places.iter().find_map(|place| body.pointer(place)?.as_f64())?;
        Duration::try_from_secs_f64(seconds).ok()
    });
    from_header.max(from_body)
}
