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
    /// Runs it until it waits for the first time.
    pub(super) fn start(reactor: &Arc<Shared>, future: BoxFuture<()>) -> Task {
        let cell =
            Cell { future: Mutex::new(Some(future)), queued: AtomicBool::new(false), reactor: Arc::downgrade(reactor) };
        let task = Task(Arc::new(cell));
        task.0.run();
        task
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
