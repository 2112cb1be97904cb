//! Namespaces: each has its own keys and its own world, so parallel tests share one process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use crate::blooio::World;
use crate::bloomchats::Account;
use crate::clock::Clock;
use crate::fault::Script;
use crate::ids::Ids;
use crate::limit::Window;
use crate::logs::Requests;
use crate::service::Product;
use crate::switches::Switches;
use crate::timers::Job;
use crate::webhooks::delivery::{self, Post, Sender};
use crate::webhooks::{Delivery, Webhooks};

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
    pub(crate) requests: Requests,
    pub(crate) keys: Keys,
}

impl State {
    fn seeded(seed: u64, keys: Keys, switches: Switches, origin: &str) -> State {
        let mut blooio = World::seeded(seed, switches);
        blooio.pictures.origin = origin.to_owned();
        blooio.apply_safety();
        State {
            blooio,
            bloomchats: Account::seeded(seed),
            windows: HashMap::new(),
            faults: Script::default(),
            requests: Requests::default(),
            keys,
        }
    }
}

pub(crate) struct Namespace {
    pub(crate) keys: Keys,
    pub(crate) clock: Clock,
    seed: u64,
    /// Where the sandbox answers.
    origin: String,
    /// The switches it began with, and goes back to.
    switches: Switches,
    state: Mutex<State>,
    /// A timer is due earlier than it seemed, or the clock was moved.
    earlier_timer: Notify,
    posts: watch::Sender<usize>,
    sender: Sender,
}

impl Namespace {
    fn new(seed: u64, keys: Keys, switches: Switches, origin: &str, sender: Sender) -> Namespace {
        Namespace {
            clock: Clock::system(),
            seed,
            state: Mutex::new(State::seeded(seed, keys.clone(), switches.clone(), origin)),
            origin: origin.to_owned(),
            switches,
            keys,
            earlier_timer: Notify::new(),
            posts: watch::Sender::new(0),
            sender,
        }
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

    /// As it was when it was made, or as another seed makes it; keys and switches of the start stay.
    pub(crate) fn reset(self: &Arc<Self>, seed: Option<u64>) {
        self.clock.reset();
        self.with(|state| {
            let (seed, switches) = (seed.unwrap_or(self.seed), self.switches.clone());
            let mut fresh = State::seeded(seed, self.keys.clone(), switches, &self.origin);
            fresh.blooio.webhooks = Webhooks::after(&state.blooio.webhooks);
            *state = fresh;
        });
        self.clock_moved();
    }

    /// Moves the clock on to `to_ms`. Everything due until then happens in order, each at its time, and every delivery
    /// has its answer before time goes on.
    pub(crate) async fn advance(self: &Arc<Self>, to_ms: i64) {
        loop {
            self.with(|_| ());
            self.quiet().await;
            match self.with(|state| state.blooio.timers.next_due()) {
                Some(due) if due <= to_ms => self.clock.set(due.max(self.now_ms())),
                _ => break,
            }
        }
        self.clock.set(to_ms.max(self.now_ms()));
        self.with(|_| ());
        self.quiet().await;
        self.clock_moved();
    }

    /// To be called when the clock was set: what is due, and when, may be another thing now.
    pub(crate) fn clock_moved(self: &Arc<Self>) {
        self.with(|_| ());
        self.earlier_timer.notify_one();
    }

    /// A delivery once its receiver has answered, or is known not to.
    pub(crate) async fn delivered(self: &Arc<Self>, number: u64) -> Option<Delivery> {
        let mut posts = self.posts.subscribe();
        loop {
            let delivery = self.with(|state| state.blooio.webhooks.delivery(number).cloned())?;
            if delivery.state != delivery::State::Pending || posts.changed().await.is_err() {
                return Some(delivery);
            }
        }
    }

    /// Until no delivery waits for its receiver's answer.
    async fn quiet(&self) {
        let _ = self.posts.subscribe().wait_for(|posts| *posts == 0).await;
    }

    /// Runs timers when nobody asks; ends with the server's runtime.
    async fn drive(self: Arc<Self>) {
        loop {
            let next = self.with(|state| state.blooio.timers.next_due());
            let wait = next.and_then(|due| self.clock.until(due));
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
                Job::Locate => state.blooio.located_at = due,
            }
        }
        state.blooio.now = now;
        posts
    }

    fn send(self: &Arc<Self>, posts: Vec<Post>) {
        for post in posts {
            self.posts.send_modify(|posts| *posts += 1);
            let namespace = Arc::clone(self);
            tokio::spawn(async move {
                delivery::post(Arc::clone(&namespace), namespace.sender.clone(), post).await;
                namespace.posts.send_modify(|posts| *posts -= 1);
            });
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
    switches: Switches,
    key_source: Mutex<Ids>,
    by_key: RwLock<HashMap<String, (Product, Arc<Namespace>)>>,
    default: Arc<Namespace>,
    sender: Sender,
}

impl Namespaces {
    /// Keys come from the seed too: a restart with the same seed keeps them.
    pub(crate) fn new(seed: u64, switches: Switches, origin: &str) -> Namespaces {
        let mut key_source = Ids::new(seed ^ 0x6b65_7973);
        let sender = delivery::sender();
        let keys = fresh_keys(&mut key_source);
        let default = Arc::new(Namespace::new(seed, keys, switches.clone(), origin, sender.clone()));
        let namespaces = Namespaces {
            seed,
            switches,
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

    /// What is not given is as in the default namespace.
    pub(crate) fn create(&self, seed: Option<u64>, switches: Option<Switches>) -> Arc<Namespace> {
        let keys = fresh_keys(&mut self.key_source.lock().unwrap_or_else(PoisonError::into_inner));
        let switches = switches.unwrap_or_else(|| self.switches.clone());
        let (seed, origin) = (seed.unwrap_or(self.seed), &self.default.origin);
        let namespace = Arc::new(Namespace::new(seed, keys, switches, origin, self.sender.clone()));
        self.register(&namespace);
        tokio::spawn(Arc::clone(&namespace).drive());
        namespace
    }

    pub(crate) fn switches(&self) -> &Switches {
        &self.switches
    }

    pub(crate) fn find(&self, product: Product, key: &str) -> Option<Arc<Namespace>> {
        let by_key = self.by_key.read().unwrap_or_else(PoisonError::into_inner);
        by_key.get(key).filter(|(owner, _)| *owner == product).map(|(_, namespace)| Arc::clone(namespace))
    }

    /// Every namespace.
    pub(crate) fn all(&self) -> Vec<Arc<Namespace>> {
        let by_key = self.by_key.read().unwrap_or_else(PoisonError::into_inner);
        by_key.values().filter(|(product, _)| *product == Product::Blooio).map(|(_, one)| Arc::clone(one)).collect()
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
