//! How completions reach an environment's event loop: a list, and one wake-up when it fills.

use std::sync::{Mutex, MutexGuard, PoisonError};

use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Result, Status, check_status, sys};

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

/// The completions of one environment. The runtime's thread appends; only the environment's own thread drains.
pub struct Mailbox {
    /// Gone when the environment goes away: what still happens then is nobody's.
    events: Mutex<Option<Vec<(u32, Event)>>>,
    wake: Wake,
}

impl Mailbox {
    pub fn new(wake: Wake) -> Mailbox {
        Mailbox { events: Mutex::new(Some(Vec::new())), wake }
    }

    pub fn push(&self, call: u32, event: Event) {
        let mut slot = lock(&self.events);
        let Some(events) = slot.as_mut() else { return };
        events.push((call, event));
        let first = events.len() == 1;
        drop(slot);
        // Later ones travel with the first, whose wake-up is still to come. An environment that is going away refuses
        // the wake-up, and nobody is left to miss it.
        if first {
            self.wake.call((), ThreadsafeFunctionCallMode::NonBlocking);
        }
    }

    /// Whether this environment's process (or worker) stays alive although its event loop has nothing else to do.
    #[allow(unsafe_code)] // napi's own safe form wants the function for itself, which the runtime's thread shares
    pub fn keep_alive(&self, env: Env, yes: bool) -> Result<()> {
        let change = if yes { sys::napi_ref_threadsafe_function } else { sys::napi_unref_threadsafe_function };
        // SAFETY: `Env` proves that this is the environment's own thread while it runs JavaScript, so the function,
        // which goes away after that at the earliest, is still there.
        let status = unsafe { change(env.raw(), self.wake.raw()) };
        check_status!(status, "the event loop cannot be held")
    }

    pub fn drain(&self) -> Vec<(u32, Event)> {
        lock(&self.events).as_mut().map(std::mem::take).unwrap_or_default()
    }

    pub fn close(&self) {
        *lock(&self.events) = None;
    }
}

/// A panic elsewhere must not poison every later call: what these locks guard is valid at every point.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
