//! The one source of time.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Wall time in epoch milliseconds that never runs backwards, whatever happens to the machine's clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    origin_ms: i64,
    origin: Instant,
}

impl Clock {
    pub(crate) fn system() -> Clock {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Clock { origin_ms: since_epoch.as_millis() as i64, origin: Instant::now() }
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.origin_ms + self.origin.elapsed().as_millis() as i64
    }
}
