//! A runtime of no threads at all, and the settings of every property.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use proptest::test_runner::Config;

/// `share` hundredths of the cases that were asked for.
pub fn cases(share: u32) -> Config {
    let asked = std::env::var("BLOOMCHATS_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(2000);
    // Failures are pinned as cases of the corpus, where every language meets them, not in a file of seeds.
    Config { cases: (asked * share / 100).max(1), failure_persistence: None, ..Config::default() }
}

/// Runs a future to its end. The scripted world needs no runtime: whatever is pending is ready at the next poll.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    poll_at_most(usize::MAX, future).expect("the future ends")
}

/// Polls a future `most` times and drops it if it is still pending then.
pub fn poll_at_most<T>(most: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..most {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return Some(value);
        }
    }
    None
}
