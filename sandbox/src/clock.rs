//! The one source of time of a namespace.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Epoch milliseconds that run with real time unless they are frozen, and go anywhere on request. Never backwards by
/// themselves, whatever happens to the machine's clock.
#[derive(Debug)]
pub(crate) struct Clock(Mutex<Reading>);

#[derive(Clone, Copy, Debug)]
struct Reading {
    at_ms: i64,
    since: Instant,
    frozen: bool,
}

impl Reading {
    fn now_ms(&self) -> i64 {
        let elapsed = if self.frozen { 0 } else { self.since.elapsed().as_millis() as i64 };
        self.at_ms.saturating_add(elapsed)
    }
}

impl Clock {
    pub(crate) fn system() -> Clock {
        Clock(Mutex::new(Reading { at_ms: wall_ms(), since: Instant::now(), frozen: false }))
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.lock().now_ms()
    }

    pub(crate) fn is_frozen(&self) -> bool {
        self.lock().frozen
    }

    pub(crate) fn set(&self, now_ms: i64) {
        let mut reading = self.lock();
        (reading.at_ms, reading.since) = (now_ms, Instant::now());
    }

    pub(crate) fn freeze(&self, frozen: bool) {
        let mut reading = self.lock();
        (reading.at_ms, reading.since) = (reading.now_ms(), Instant::now());
        reading.frozen = frozen;
    }

    /// Back to the machine's time.
    pub(crate) fn reset(&self) {
        *self.lock() = Reading { at_ms: wall_ms(), since: Instant::now(), frozen: false };
    }

    /// Real time until `due_ms`; `None` while the clock stands still before it.
    pub(crate) fn until(&self, due_ms: i64) -> Option<Duration> {
        let reading = self.lock();
        let left = due_ms.saturating_sub(reading.now_ms()).max(0);
        (left == 0 || !reading.frozen).then(|| Duration::from_millis(left.unsigned_abs()))
    }

    fn lock(&self) -> MutexGuard<'_, Reading> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wall_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as i64
}
