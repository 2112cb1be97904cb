//! Time and chance, injected so that the corpus and users' tests run on a virtual clock.

use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::BoxFuture;

/// The engine's only source of time and randomness.
pub(crate) trait Clock: Send + Sync {
    /// Monotonic time since some fixed point.
    fn now(&self) -> Duration;
    /// Wall clock, epoch milliseconds.
    fn unix_ms(&self) -> i64;
    /// Passes time.
    fn sleep(&self, time: Duration) -> BoxFuture<()>;
    /// Ends when `time` has passed while the host is at work; virtual time stands still meanwhile.
    fn patience(&self, time: Duration) -> BoxFuture<()>;
    /// A uniformly random duration below `cap`.
    fn jitter(&self, cap: Duration) -> Duration;
}

/// The real thing, on the timer of whatever drives the call. Its zero is the same for every client, which may share a limiter.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        START.elapsed()
    }

    fn unix_ms(&self) -> i64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as i64)
    }

    fn sleep(&self, time: Duration) -> BoxFuture<()> {
        Box::pin(crate::reactor::sleep(time))
    }

    fn patience(&self, time: Duration) -> BoxFuture<()> {
        self.sleep(time)
    }

    fn jitter(&self, cap: Duration) -> Duration {
        // Without randomness the full wait is the safe side.
        let fraction = getrandom::u32().map_or(1.0, |n| f64::from(n) / f64::from(u32::MAX));
        cap.mul_f64(fraction)
    }
}
