//! How completions reach an environment's event loop: a list, one wake-up when it fills, and what drives the calls that fill it.
//!
//! The environment's own libuv loop drives them where the host has one. Elsewhere the runtime's thread does, which only ever appends
//! and wakes.

use std::ffi::c_int;
use std::future::Future;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bloomchats::{Reactor, Task};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Result, Status, check_status, sys};
use tokio::runtime::Runtime;
use tokio::task::AbortHandle;

/// Takes no arguments, passes no error, and does not keep the process alive by itself.
pub type Wake = ThreadsafeFunction<(), (), (), Status, false, true>;

/// What a running call tells its environment.
pub enum Event {
    Done(Box<bloomchats::Answer>),
    /// JSON of the error.
    Failed(String),
    /// Core wants a credential.
    Asked,
    /// JSON of something the call's watcher is to see.
    Seen(String),
}

impl Event {
    fn size(&self) -> usize {
        match self {
            Event::Done(answer) => answer.body.len(),
            _ => 0,
        }
    }
}

/// Answers of so many bytes together are taken at once.
const AT_ONCE: usize = 64 * 1024;

/// The completions of one environment. Calls append; only the environment's own thread drains.
pub struct Mailbox {
    /// Gone when the environment goes away: what still happens then is nobody's.
    events: Mutex<Option<Vec<(u32, Event)>>>,
    /// While the loop is at it, what comes in needs no wake-up.
    turning: AtomicBool,
    engine: Engine,
}

pub enum Engine {
    /// The environment's loop, which watches the reactor's descriptor.
    Loop(Reactor),
    /// The runtime's thread, which has the loop drain.
    Thread(Wake, &'static Runtime),
}

/// A call under way.
pub enum Driven {
    Loop(Task),
    Thread(AbortHandle),
}

impl Mailbox {
    pub fn new(engine: Engine) -> Mailbox {
        Mailbox { events: Mutex::new(Some(Vec::new())), turning: AtomicBool::new(false), engine }
    }

    pub fn push(&self, call: u32, event: Event) {
        let mut slot = lock(&self.events);
        let Some(events) = slot.as_mut() else { return };
        events.push((call, event));
        let first = events.len() == 1;
        drop(slot);
        // Later ones travel with the first, whose wake-up is still to come.
        if !first || self.turning.load(Ordering::Acquire) {
            return;
        }
        match &self.engine {
            Engine::Loop(reactor) => reactor.ring(),
            // An environment that is going away refuses, and nobody is left to miss it.
            Engine::Thread(wake, _) => drop(wake.call((), ThreadsafeFunctionCallMode::NonBlocking)),
        }
    }

    pub fn drive(&self, call: impl Future<Output = ()> + Send + 'static) -> Driven {
        match &self.engine {
            Engine::Loop(reactor) => Driven::Loop(reactor.spawn(call)),
            Engine::Thread(_, runtime) => Driven::Thread(runtime.spawn(call).abort_handle()),
        }
    }

    /// Takes the loop's calls as far as they go. Says whether there is something to drain.
    pub fn turn(&self) -> io::Result<bool> {
        if let Engine::Loop(reactor) = &self.engine {
            self.turning.store(true, Ordering::Release);
            let turned = panic::catch_unwind(AssertUnwindSafe(|| reactor.turn(|| true)));
            self.turning.store(false, Ordering::Release);
            turned.unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))?;
        }
        Ok(self.len() > 0)
    }

    /// What the environment's loop is to watch, where it can.
    pub fn descriptor(&self) -> Option<c_int> {
        match &self.engine {
            #[cfg(unix)]
            Engine::Loop(reactor) => Some(reactor.fd()),
            _ => None,
        }
    }

    /// Takes what has come in. Unless all of it is wanted, the loop is let go on after some large answers, and rung for the rest: what
    /// is made of them would otherwise be in memory all at once.
    pub fn drain(&self, all: bool) -> Vec<(u32, Event)> {
        let mut slot = lock(&self.events);
        let Some(events) = slot.as_mut() else { return Vec::new() };
        let Engine::Loop(reactor) = &self.engine else { return std::mem::take(events) };
        let mut room = if all { usize::MAX } else { AT_ONCE };
        let mut fits = |(_, event): &(u32, Event)| {
            let before = room;
            room = room.saturating_sub(event.size());
            before > 0
        };
        let rest = events.split_off(events.iter().take_while(|event| fits(event)).count());
        if !rest.is_empty() {
            reactor.ring();
        }
        std::mem::replace(events, rest)
    }

    pub fn len(&self) -> usize {
        lock(&self.events).as_ref().map_or(0, Vec::len)
    }

    pub fn close(&self) {
        *lock(&self.events) = None;
    }

    /// Whether the process (or worker) stays alive although its event loop has nothing else to do, where a thread drives the calls.
    #[allow(unsafe_code)] // napi's own safe form wants the function for itself, which the runtime's thread shares
    pub fn keep_alive(&self, env: Env, yes: bool) -> Result<()> {
        let Engine::Thread(wake, _) = &self.engine else { return Ok(()) };
        let change = if yes { sys::napi_ref_threadsafe_function } else { sys::napi_unref_threadsafe_function };
        // SAFETY: `Env` proves that this is the environment's own thread while it runs JavaScript, so the function,
        // which goes away after that at the earliest, is still there.
        let status = unsafe { change(env.raw(), wake.raw()) };
        check_status!(status, "the event loop cannot be held")
    }
}

/// A panic elsewhere must not poison every later call: what these locks guard is valid at every point.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
