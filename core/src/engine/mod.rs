//! The engine: everything that has behaviour. [`call`] tells the story; the other files are its words.

mod answer;
mod attempt;
pub(crate) mod call;
pub(crate) mod clock;
mod idempotency;
pub(crate) mod limit;
pub(crate) mod listing;
pub(crate) mod multipart;
mod net;
mod observe;
pub mod operation;
pub(crate) mod page;
mod pause;
mod progress;
pub(crate) mod raw;
pub(crate) mod request;
mod retry;
pub(crate) mod script;
pub(crate) mod shape;
pub(crate) mod transport;
pub(crate) mod url;
mod v4_body;
pub(crate) mod wait;

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value};

use crate::config::{Config, Settings};
use crate::error::{Error, Result};
use clock::{Clock, SystemClock};
use net::Http;
use script::Script;
use transport::Transport;

pub use idempotency::new_idempotency_key;
pub use observe::{Event, Observer, Scope};
pub use progress::Progress;

/// A boxed future that can move between threads.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A future made where it is to live. [`Box::pin`] makes it on the stack and moves it, all of it, and a call's is large.
pub(crate) fn boxed<F: Future>(make: impl FnOnce() -> F) -> Pin<Box<F>> {
    let place = Box::new_uninit();
    Box::into_pin(Box::write(place, make()))
}

/// Settings of one call; what is absent falls back to the client's. Durations are wall time.
///
/// `Debug` shows the limits, never headers, query or body fields.
#[derive(Clone, Default)]
pub struct CallOptions {
    /// The whole call, waits included.
    pub timeout: Option<Duration>,
    /// One attempt.
    pub attempt_timeout: Option<Duration>,
    /// Retries after the first attempt, 0 to 10.
    pub max_retries: Option<u32>,
    /// The caller's own idempotency key.
    pub idempotency_key: Option<String>,
    /// Headers beside the client's.
    pub headers: Vec<(String, String)>,
    /// Query parameters beside the operation's.
    pub query: Vec<(String, String)>,
    /// Body fields beside the operation's.
    pub extra_body: Map<String, Value>,
}

impl std::fmt::Debug for CallOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("CallOptions");
        shown.field("timeout", &self.timeout).field("attempt_timeout", &self.attempt_timeout);
        shown.field("max_retries", &self.max_retries).finish_non_exhaustive()
    }
}

impl CallOptions {
    pub(crate) fn check(&self) -> Result<()> {
        for (name, value) in [("timeout", self.timeout), ("attempt_timeout", self.attempt_timeout)] {
            if value.is_some_and(|value| value.is_zero()) {
                return Err(Error::argument(name, "must be longer than 0"));
            }
        }
        if self.max_retries.is_some_and(|retries| retries > 10) {
            return Err(Error::argument("max_retries", "must be 0 to 10"));
        }
        Ok(())
    }
}

/// What all calls of one client share.
pub(crate) struct Engine {
    pub settings: Settings,
    pub transport: Arc<dyn Transport>,
    pub clock: Arc<dyn Clock>,
    pub budget: retry::Budget,
    /// Shared, like the limiter, by the process' clients of one key where they name a plan.
    pub hold: Arc<pause::Hold>,
    /// The plan's limiter.
    pub limiter: Option<Arc<limit::Limiter>>,
    /// The service has refused a tagged v4 body for its form and taken the flat one.
    pub flat_works: AtomicBool,
    observer: Option<Observer>,
}

impl Engine {
    pub fn open(config: &Config) -> Result<Engine> {
        let settings = Settings::check(config)?;
        let http = Http::new(config, &settings)?;
        let limiter = match settings.plan {
            Some(plan) => Some(config.limits().limiter(settings.identity(), plan)?),
            None => None,
        };
        let observer = config.observer.clone();
        Ok(Engine::with(settings, limiter, observer, Arc::new(http), Arc::new(SystemClock)))
    }

    pub fn scripted(config: &Config, script: &Script) -> Result<Engine> {
        let settings = Settings::check(config)?;
        // Virtual time is the script's own, so nothing of it is shared.
        let limiter = settings.plan.map(|plan| Arc::new(limit::Limiter::new(plan)));
        let observer = config.observer.clone();
        Ok(Engine::with(settings, limiter, observer, Arc::new(script.clone()), Arc::new(script.clone())))
    }

    fn with(
        settings: Settings,
        limiter: Option<Arc<limit::Limiter>>,
        observer: Option<Observer>,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
    ) -> Engine {
        Engine {
            settings,
            hold: limiter.as_ref().map(|limiter| limiter.hold.clone()).unwrap_or_default(),
            limiter,
            transport,
            clock,
            budget: retry::Budget::new(),
            flat_works: AtomicBool::new(false),
            observer,
        }
    }

    /// Of a call that begins.
    pub fn progress(&self) -> Arc<Progress> {
        let progress = Progress::default();
        if let Some(observer) = &self.observer {
            progress.watch(observer.clone());
        }
        Arc::new(progress)
    }
}

/// A panic elsewhere must not poison every later call: the data under these locks is valid at every point.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
