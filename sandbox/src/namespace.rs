//! Namespaces: each has its own keys and its own world, so parallel tests share one process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::Notify;

use crate::blooio::World;
use crate::bloomchats::Account;
use crate::clock::Clock;
use crate::fault::Script;
use crate::ids::Ids;
use crate::limit::Window;
use crate::service::Product;
use crate::timers::Job;
use crate::webhooks::delivery::{self, Post, Sender};

/// The keys that open a namespace.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    pub(crate) blooio: String,
    pub(crate) bloomchats: String,
}

/// Everything a namespace holds, behind one lock.
pub(crate) struct State {
    pub(crate) blooio: World,
    pub(crate) bloomchats: Account,
    pub(crate) windows: HashMap<&'static str, Window>,
    pub(crate) faults: Script,
    pub(crate) keys: Keys,
}

pub(crate) struct Namespace {
    pub(crate) keys: Keys,
    clock: Clock,
    state: Mutex<State>,
    earlier_timer: Notify,
    sender: Sender,
}

impl Namespace {
    fn new(seed: u64, keys: Keys, clock: Clock, sender: Sender) -> Namespace {
        let state = State {
            blooio: World::seeded(seed),
            bloomchats: Account::seeded(seed),
            windows: HashMap::new(),
            faults: Script::default(),
            keys: keys.clone(),
        };
        Namespace { keys, clock, state: Mutex::new(state), earlier_timer: Notify::new(), sender }
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// Runs `work` on the state as it is now: everything due has happened before, what it sets off leaves after.
    pub(crate) fn with<T>(self: &Arc<Self>, work: impl FnOnce(&mut State) -> T) -> T {
        let (result, posts, earlier) = {
            let mut state = self.lock();
            let mut posts = self.run_due(&mut state);
            let before = state.blooio.timers.next_due();
            let result = work(&mut state);
            posts.append(&mut self.run_due(&mut state));
            let after = state.blooio.timers.next_due();
            (result, posts, after.is_some_and(|after| before.is_none_or(|before| after < before)))
        };
        if earlier {
            self.earlier_timer.notify_one();
        }
        self.send(posts);
        result
    }

    /// Runs timers when nobody asks; ends with the server's runtime.
    async fn drive(self: Arc<Self>) {
        loop {
            let next = self.with(|state| state.blooio.timers.next_due());
            let wait = next.map(|due| Duration::from_millis((due - self.now_ms()).max(0) as u64));
            tokio::select! {
                () = sleep(wait) => {}
                () = self.earlier_timer.notified() => {}
            }
        }
    }

    fn run_due(&self, state: &mut State) -> Vec<Post> {
        let now = self.now_ms();
        let mut posts = Vec::new();
        while let Some((due, job)) = state.blooio.timers.pop_due(now) {
            // A job happens at the time it was set for, even if the process was late.
            state.blooio.now = due;
            match job {
                Job::Advance { message, to } => state.blooio.advance(message, to),
                Job::Deliver { delivery } => posts.extend(state.blooio.webhooks.attempt(delivery, now)),
            }
        }
        state.blooio.now = now;
        posts
    }

    fn send(self: &Arc<Self>, posts: Vec<Post>) {
        for post in posts {
            tokio::spawn(delivery::post(Arc::clone(self), self.sender.clone(), post));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A handler that panicked has lost its own request; the others go on.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn sleep(wait: Option<Duration>) {
    match wait {
        Some(wait) => tokio::time::sleep(wait).await,
        None => std::future::pending().await,
    }
}

/// All namespaces of a process, found by key.
pub(crate) struct Namespaces {
    seed: u64,
    clock: Clock,
    key_source: Mutex<Ids>,
    by_key: RwLock<HashMap<String, (Product, Arc<Namespace>)>>,
    default: Arc<Namespace>,
    sender: Sender,
}

impl Namespaces {
    /// Keys come from the seed too: a restart with the same seed keeps them.
    pub(crate) fn new(seed: u64, clock: Clock) -> Namespaces {
        let mut key_source = Ids::new(seed ^ 0x6b65_7973);
        let sender = delivery::sender();
        let default = Arc::new(Namespace::new(seed, fresh_keys(&mut key_source), clock, sender.clone()));
        let namespaces = Namespaces {
            seed,
            clock,
            key_source: Mutex::new(key_source),
            by_key: RwLock::default(),
            default: Arc::clone(&default),
            sender,
        };
        namespaces.register(&default);
        namespaces
    }

    pub(crate) fn default(&self) -> &Arc<Namespace> {
        &self.default
    }

    /// Lets the default namespace's timers run; needs the runtime, which its keys do not.
    pub(crate) fn start(&self) {
        tokio::spawn(Arc::clone(&self.default).drive());
    }

    pub(crate) fn create(&self, seed: Option<u64>) -> Arc<Namespace> {
        let keys = fresh_keys(&mut self.key_source.lock().unwrap_or_else(PoisonError::into_inner));
        let namespace = Arc::new(Namespace::new(seed.unwrap_or(self.seed), keys, self.clock, self.sender.clone()));
        self.register(&namespace);
        tokio::spawn(Arc::clone(&namespace).drive());
        namespace
    }

    pub(crate) fn find(&self, product: Product, key: &str) -> Option<Arc<Namespace>> {
        let by_key = self.by_key.read().unwrap_or_else(PoisonError::into_inner);
        by_key.get(key).filter(|(owner, _)| *owner == product).map(|(_, namespace)| Arc::clone(namespace))
    }

    fn register(&self, namespace: &Arc<Namespace>) {
        let mut by_key = self.by_key.write().unwrap_or_else(PoisonError::into_inner);
        by_key.insert(namespace.keys.blooio.clone(), (Product::Blooio, Arc::clone(namespace)));
        by_key.insert(namespace.keys.bloomchats.clone(), (Product::BloomChats, Arc::clone(namespace)));
    }
}

fn fresh_keys(source: &mut Ids) -> Keys {
    Keys { blooio: source.hex("bl_sandbox_", 32), bloomchats: source.hex("dmtb_sandbox_", 32) }
}
