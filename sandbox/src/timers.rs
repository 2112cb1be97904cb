//! What is due later, in order of its time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::blooio::life::Status;

/// Something that happens when its time has come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Job {
    /// A message reaches its next status.
    Advance { message: usize, to: Status },
    /// A webhook delivery is attempted.
    Deliver { delivery: u64 },
    /// People say where they are.
    Locate,
}

/// A queue of jobs; those due at the same time keep the order they were set in.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    queue: BinaryHeap<Reverse<(i64, u64, Job)>>,
    set: u64,
}

impl Timers {
    pub(crate) fn set(&mut self, due_ms: i64, job: Job) {
        self.set += 1;
        self.queue.push(Reverse((due_ms, self.set, job)));
    }

    pub(crate) fn next_due(&self) -> Option<i64> {
        self.queue.peek().map(|Reverse((due, ..))| *due)
    }

    pub(crate) fn pop_due(&mut self, now_ms: i64) -> Option<(i64, Job)> {
        if self.next_due()? > now_ms {
            return None;
        }
        self.queue.pop().map(|Reverse((due, _, job))| (due, job))
    }
}
