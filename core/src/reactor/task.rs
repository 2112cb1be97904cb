//! A future that a reactor runs, and its end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Wake, Waker};

use super::Shared;
use crate::engine::{BoxFuture, lock};

/// Something that a [`Reactor`](super::Reactor) runs. Dropping it ends it.
pub struct Task(Arc<Cell>);

impl std::fmt::Debug for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Task")
    }
}

impl Task {
    pub(super) fn new(reactor: &Arc<Shared>, future: BoxFuture<()>) -> Task {
        let cell =
            Cell { future: Mutex::new(Some(future)), queued: AtomicBool::new(false), reactor: Arc::downgrade(reactor) };
        let task = Task(Arc::new(cell));
        task.0.wake_by_ref();
        task
    }

    /// Takes it as far as it goes if it has been woken, out of turn. Says whether it had been.
    pub(super) fn take_turn(&self) -> bool {
        let Some(reactor) = self.0.reactor.upgrade() else { return false };
        let mut ready = lock(&reactor.ready);
        let place = ready.iter().rposition(|cell| Arc::ptr_eq(cell, &self.0));
        let next = place.and_then(|place| ready.remove(place));
        drop(ready);
        next.iter().for_each(Cell::run);
        next.is_some()
    }

    /// Ends it here and now: its sockets are closed when this comes back. Nothing happens when it was over.
    pub fn cancel(&self) {
        let future = lock(&self.0.future).take();
        drop(future);
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.cancel();
    }
}

pub(super) struct Cell {
    /// Gone once it is over. Whoever runs or ends it holds the lock, so that nothing more happens when `cancel` comes back.
    future: Mutex<Option<BoxFuture<()>>>,
    queued: AtomicBool,
    reactor: Weak<Shared>,
}

impl Cell {
    pub fn run(self: &Arc<Cell>) {
        self.queued.store(false, Ordering::Release);
        let waker = Waker::from(self.clone());
        let mut slot = lock(&self.future);
        // Taken out, so that one that panics is over.
        let Some(mut future) = slot.take() else { return };
        if future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            *slot = Some(future);
        }
    }
}

impl Wake for Cell {
    fn wake(self: Arc<Cell>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Cell>) {
        if self.queued.swap(true, Ordering::AcqRel) {
            return;
        }
        // Without its reactor nobody is left to run it.
        let Some(reactor) = self.reactor.upgrade() else { return };
        lock(&reactor.ready).push_back(self.clone());
        reactor.notify();
    }
}
