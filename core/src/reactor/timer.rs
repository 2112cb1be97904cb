//! Time that passes on a reactor, or on tokio where there is none.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use super::Shared;
use crate::engine::lock;

/// Longer than any program runs; the system's clocks cannot count to `Duration::MAX`.
pub(crate) const FOREVER: Duration = Duration::from_secs(30 * 365 * 86_400);

/// Who waits for which moment; the number tells apart those that wait for the same.
#[derive(Default)]
pub(super) struct Timers {
    waiting: BTreeMap<(Instant, u64), Waker>,
    last: u64,
}

impl Timers {
    pub fn next(&self) -> Option<Instant> {
        self.waiting.first_key_value().map(|((at, _), _)| *at)
    }

    /// Takes out those whose moment has come.
    pub fn due(&mut self, now: Instant) -> Vec<Waker> {
        let mut due = Vec::new();
        while let Some(first) = self.waiting.first_entry().filter(|first| first.key().0 <= now) {
            due.push(first.remove());
        }
        due
    }
}

/// Passes time.
pub(crate) async fn sleep(time: Duration) {
    let time = time.min(FOREVER);
    match Shared::current() {
        Some(reactor) => Sleep { at: Instant::now() + time, number: None, reactor }.await,
        None => tokio::time::sleep(time).await,
    }
}

struct Sleep {
    at: Instant,
    /// Its number among the waiting, once it is one of them.
    number: Option<u64>,
    reactor: Arc<Shared>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if Instant::now() >= self.at {
            return Poll::Ready(());
        }
        let reactor = self.reactor.clone();
        let mut timers = lock(&reactor.timers);
        let number = *self.number.get_or_insert_with(|| {
            timers.last += 1;
            timers.last
        });
        match timers.waiting.get_mut(&(self.at, number)) {
            Some(waker) => waker.clone_from(context.waker()),
            None => drop(timers.waiting.insert((self.at, number), context.waker().clone())),
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            let waker = lock(&self.reactor.timers).waiting.remove(&(self.at, number));
            // Not under the lock: it may be the last to hold a task, and what that drops may hold timers.
            drop(waker);
        }
    }
}
