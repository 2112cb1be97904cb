//! Calls on a thread or an event loop of the host's own.
//!
//! A runtime with a thread of its own costs every call two wake-ups: one to hand the call over and one to bring the answer back. Where a
//! host already has a thread that waits for the call, or a loop that waits for everything, a [`Reactor`] lets that one watch the sockets.
//! Only making connections and resolving names is left to a tokio runtime in the background.

mod source;
mod task;
mod timer;

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use mio::{Events, Token};
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use crate::engine::lock;
use source::Slot;
pub(crate) use source::{Direction, Source};
use task::Cell;
pub use task::Task;
use timer::Timers;
pub(crate) use timer::{FOREVER, sleep};

/// The token of wake-ups from other threads; sockets count from the next one.
const ALARM: Token = Token(0);

/// Tasks often wake themselves once or twice on their way to an answer; after so many rounds the host gets its own turn.
const ROUNDS: usize = 8;

thread_local! {
    /// The reactor that this thread is turning.
    static CURRENT: RefCell<Option<Arc<Shared>>> = const { RefCell::new(None) };
}

/// Watches sockets and timers, and runs the calls that wait for them, on whichever thread turns it; one at a time.
///
/// There are two ways to turn it. A thread that has nothing else to do gives itself to one call with [`Reactor::block_on`]. A loop starts
/// calls with [`Reactor::spawn`], watches [`Reactor::fd`] and calls [`Reactor::turn`] whenever that is readable.
pub struct Reactor {
    shared: Arc<Shared>,
    polling: Mutex<Polling>,
}

struct Polling {
    poll: mio::Poll,
    events: Events,
}

/// What sockets, timers and wakers hold on to.
pub(crate) struct Shared {
    registry: mio::Registry,
    alarm: mio::Waker,
    background: Handle,
    sockets: Mutex<HashMap<Token, Arc<Slot>>>,
    last: AtomicUsize,
    timers: Mutex<Timers>,
    ready: Mutex<VecDeque<Arc<Cell>>>,
    armed: Mutex<Option<Armed>>,
}

/// When the background is going to ring.
struct Armed {
    at: Instant,
    task: AbortHandle,
}

impl std::fmt::Debug for Reactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reactor")
    }
}

impl Reactor {
    /// Opens one. `background`: a runtime with a thread of its own, for connecting and for keeping the time.
    ///
    /// # Errors
    /// When the process may open no more descriptors.
    pub fn new(background: Handle) -> io::Result<Reactor> {
        let poll = mio::Poll::new()?;
        let shared = Shared {
            registry: poll.registry().try_clone()?,
            alarm: mio::Waker::new(poll.registry(), ALARM)?,
            background,
            sockets: Mutex::default(),
            last: AtomicUsize::new(ALARM.0),
            timers: Mutex::default(),
            ready: Mutex::default(),
            armed: Mutex::default(),
        };
        Ok(Reactor {
            shared: Arc::new(shared),
            polling: Mutex::new(Polling { poll, events: Events::with_capacity(64) }),
        })
    }

    /// Runs a future to its end on this thread.
    ///
    /// # Errors
    /// When the system can no longer say which sockets are ready. The future is dropped then.
    pub fn block_on<F: Future>(&self, future: F) -> io::Result<F::Output> {
        let mut future = pin!(future);
        loop {
            if let Some(output) = self.block_on_for(future.as_mut(), Duration::MAX)? {
                return Ok(output);
            }
        }
    }

    /// Runs a future on this thread until it ends, a signal comes or `limit` is over; `None` for the latter two.
    ///
    /// # Errors
    /// When the system can no longer say which sockets are ready.
    pub fn block_on_for<F: Future>(&self, mut future: Pin<&mut F>, limit: Duration) -> io::Result<Option<F::Output>> {
        let _current = self.shared.enter();
        let root = Arc::new(Root { woken: AtomicBool::new(true), shared: self.shared.clone() });
        let waker = Waker::from(root.clone());
        let end = Instant::now().checked_add(limit);
        loop {
            while root.woken.swap(false, Ordering::AcqRel) {
                if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                    return Ok(Some(output));
                }
            }
            if end.is_some_and(|end| end <= Instant::now()) {
                return Ok(None);
            }
            self.shared.ring_by(end);
            if !self.look(None)? {
                return Ok(None);
            }
        }
    }

    /// Starts a future and runs it until it waits or steps aside; [`Reactor::turn`] takes it further.
    pub fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) -> Task {
        let _current = self.shared.enter();
        let _after = Turned(&self.shared);
        Task::start(&self.shared, Box::pin(future))
    }

    /// Takes every task as far as it goes, without waiting for anything, while the host has `room` for what comes of it. The descriptor
    /// stays readable for the others.
    ///
    /// # Errors
    /// When the system can no longer say which sockets are ready.
    pub fn turn(&self, room: impl Fn() -> bool) -> io::Result<()> {
        let _current = self.shared.enter();
        self.look(Some(Duration::ZERO))?;
        self.run_ready(room);
        Ok(())
    }

    /// The descriptor that is readable while [`Reactor::turn`] has something to do.
    #[cfg(unix)]
    pub fn fd(&self) -> std::os::fd::RawFd {
        std::os::fd::AsRawFd::as_raw_fd(&lock(&self.polling).poll)
    }

    /// Makes the descriptor readable, from whatever thread.
    pub fn ring(&self) {
        self.shared.ring();
    }

    fn run_ready(&self, room: impl Fn() -> bool) {
        let _after = Turned(&self.shared);
        for _ in 0..ROUNDS {
            let ready = lock(&self.shared.ready).len();
            if ready == 0 {
                break;
            }
            for _ in 0..ready {
                if !room() {
                    return;
                }
                let next = lock(&self.shared.ready).pop_front();
                next.iter().for_each(Cell::run);
            }
        }
    }

    /// Waits for sockets or a ring, `limit` at most, and wakes who waited for them or for a moment that has come. `false`: a signal came
    /// first.
    fn look(&self, limit: Option<Duration>) -> io::Result<bool> {
        let mut polling = lock(&self.polling);
        let Polling { poll, events } = &mut *polling;
        match poll.poll(events, limit) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(false),
            done => done?,
        }
        for event in events.iter().filter(|event| event.token() != ALARM) {
            let slot = lock(&self.shared.sockets).get(&event.token()).cloned();
            if let Some(slot) = slot {
                slot.happened(event);
            }
        }
        drop(polling);
        let due = lock(&self.shared.timers).due(Instant::now());
        due.into_iter().for_each(Waker::wake);
        Ok(true)
    }
}

impl Shared {
    /// The reactor that this thread is turning, if it is.
    pub fn current() -> Option<Arc<Shared>> {
        CURRENT.with_borrow(Clone::clone)
    }

    /// Where connections are made.
    pub fn background(&self) -> &Handle {
        &self.background
    }

    fn enter(self: &Arc<Shared>) -> Entered {
        Entered(CURRENT.replace(Some(self.clone())))
    }

    fn is_current(&self) -> bool {
        CURRENT.with_borrow(|current| current.as_ref().is_some_and(|current| std::ptr::eq(&**current, self)))
    }

    /// Has the reactor turned, unless this thread is turning it anyway.
    fn notify(&self) {
        if !self.is_current() {
            self.ring();
        }
    }

    fn ring(&self) {
        // It only fails where the process has no memory left for eight bytes; then the next event does.
        let _ = self.alarm.wake();
    }

    /// Has the background ring for the next timer, and at `end` if that is earlier. It mostly is going to ring before that anyway, since
    /// calls end long before their deadlines: a wait that had a limit of its own would cost the kernel a timer at every call.
    fn ring_by(self: &Arc<Shared>, end: Option<Instant>) {
        let Some(next) = lock(&self.timers).next().into_iter().chain(end).min() else { return };
        let mut armed = lock(&self.armed);
        if armed.as_ref().is_some_and(|armed| armed.at <= next) {
            return;
        }
        let shared: Weak<Shared> = Arc::downgrade(self);
        let task = self.background.spawn(async move {
            tokio::time::sleep_until(next.into()).await;
            if let Some(shared) = shared.upgrade() {
                lock(&shared.armed).take_if(|armed| armed.at == next);
                shared.ring();
            }
        });
        if let Some(later) = armed.replace(Armed { at: next, task: task.abort_handle() }) {
            later.task.abort();
        }
    }
}

/// Sees to what a turn leaves, also one that a task ended by panicking: the others must not wait forever.
struct Turned<'a>(&'a Arc<Shared>);

impl Drop for Turned<'_> {
    fn drop(&mut self) {
        if !lock(&self.0.ready).is_empty() {
            self.0.ring();
        }
        self.0.ring_by(None);
    }
}

/// While it lives, this thread turns a reactor; afterwards again the one before.
struct Entered(Option<Arc<Shared>>);

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

/// Wakes a thread in [`Reactor::block_on`].
struct Root {
    woken: AtomicBool,
    shared: Arc<Shared>,
}

impl Wake for Root {
    fn wake(self: Arc<Root>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Root>) {
        if !self.woken.swap(true, Ordering::AcqRel) {
            self.shared.notify();
        }
    }
}
