//! The plan limiter: a plan's requests per minute and per UTC day, kept to the request.
//!
//! A sliding window over the last 60 s, because a bucket that refills lets nearly twice the plan through in its first
//! minute. Callers queue in order of arrival; one that could not get its turn in time fails at once and counts nothing.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, LazyLock, Mutex, Weak};
use std::time::Duration;

use serde::Deserialize;
use tokio::sync::Notify;

use super::clock::Clock;
use super::lock;
use super::pause::Hold;
use crate::error::{Error, Result};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);
const DAY_MS: i64 = 86_400_000;

/// Who has not taken its turn for so long goes to the end of the queue: its host may have stopped running it, and must not stop the others'.
const GRACE: Duration = Duration::from_secs(1);

/// How many requests a plan allows. Absent means no limit of that kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Plan {
    /// Requests in any 60 s.
    pub per_minute: Option<u32>,
    /// Requests in a UTC day.
    pub per_day: Option<u32>,
}

impl Plan {
    /// BloomChats Pro: 300 a minute, 100 000 a day.
    pub const PRO: Plan = Plan::new(300, 100_000);
    /// BloomChats Growth: 500 a minute, 50 000 a day.
    pub const GROWTH: Plan = Plan::new(500, 50_000);
    /// BloomChats Business: 2 000 a minute, 200 000 a day.
    pub const BUSINESS: Plan = Plan::new(2_000, 200_000);

    /// A plan with both limits.
    pub const fn new(per_minute: u32, per_day: u32) -> Plan {
        Plan { per_minute: Some(per_minute), per_day: Some(per_day) }
    }

    /// A BloomChats plan by its name, in any case.
    pub fn named(name: &str) -> Option<Plan> {
        match name.to_ascii_lowercase().as_str() {
            "pro" => Some(Plan::PRO),
            "growth" => Some(Plan::GROWTH),
            "business" => Some(Plan::BUSINESS),
            _ => None,
        }
    }

    pub(crate) fn check(self) -> Result<()> {
        if self == Plan::default() || self.per_minute == Some(0) || self.per_day == Some(0) {
            return Err(Error::config("plan: give per_minute, per_day or both, each at least 1"));
        }
        Ok(())
    }
}

/// The limiters of one process: clients with the same origin and key share one.
#[derive(Default)]
pub struct Limits(Mutex<HashMap<[u8; 32], Weak<Limiter>>>);

impl std::fmt::Debug for Limits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Limits")
    }
}

impl Limits {
    /// The process-wide set. A host that forks gives its children sets of their own.
    pub fn global() -> Arc<Limits> {
        static GLOBAL: LazyLock<Arc<Limits>> = LazyLock::new(Arc::default);
        GLOBAL.clone()
    }

    /// The limiter for `identity`: the hash of origin and credential.
    pub(crate) fn limiter(&self, identity: [u8; 32], plan: Plan) -> Result<Arc<Limiter>> {
        let mut limiters = lock(&self.0);
        limiters.retain(|_, limiter| limiter.strong_count() > 0);
        match limiters.get(&identity).and_then(Weak::upgrade) {
            Some(limiter) if limiter.plan == plan => Ok(limiter),
            Some(_) => Err(Error::config(
                "plan: another client with this API key names a different plan; they share one limit",
            )),
            None => {
                let limiter = Arc::new(Limiter::new(plan));
                limiters.insert(identity, Arc::downgrade(&limiter));
                Ok(limiter)
            }
        }
    }
}

/// One plan's window, day and queue.
pub(crate) struct Limiter {
    plan: Plan,
    state: Mutex<State>,
    /// Rung when a waiting call gives up its turn: those behind it may go sooner.
    left: Notify,
    /// What the service says of the same limit, to whichever client it says it: others may use the key too.
    pub hold: Arc<Hold>,
}

#[derive(Default)]
struct State {
    /// When the requests of the last 60 s left.
    sent: VecDeque<Duration>,
    day: i64,
    /// When its count began.
    day_began: Duration,
    sent_today: u32,
    /// Tickets of those who wait, in order.
    queue: VecDeque<u64>,
    /// The first of them, and since when it could have gone.
    due: Option<(u64, Duration)>,
    next_ticket: u64,
}

impl Limiter {
    pub fn new(plan: Plan) -> Limiter {
        Limiter { plan, state: Mutex::default(), left: Notify::new(), hold: Arc::default() }
    }

    /// Waits for a turn. `Err` is the wait that would have been needed, when it is not shorter than `time_left`.
    pub async fn turn(&self, clock: &dyn Clock, time_left: impl Fn() -> Duration) -> std::result::Result<(), Duration> {
        let mut ticket = Ticket::draw(self);
        loop {
            let left = self.left.notified();
            let wait = match self.wait_of(&mut ticket.0, clock) {
                Some(wait) => wait,
                None => return Ok(()),
            };
            if wait >= time_left() {
                return Err(wait);
            }
            tokio::select! {
                biased;
                () = clock.sleep(wait) => {}
                () = left => {}
            }
        }
    }

    /// How long this ticket still waits; `None` when it is its turn, which is thereby taken.
    fn wait_of(&self, ticket: &mut u64, clock: &dyn Clock) -> Option<Duration> {
        let (now, unix_ms) = (clock.now(), clock.unix_ms());
        let mut state = lock(&self.state);
        state.forget(now, unix_ms);
        let mut ahead = state.queue.binary_search(ticket).unwrap_or_else(|_| {
            // It did not take its turn when that came.
            *ticket = state.enqueue();
            state.queue.len() - 1
        });
        let hold = self.hold.remaining(now);
        let wait_behind = |state: &State, ahead| {
            self.minute_wait(state, ahead, now).max(self.day_wait(state, ahead, now, unix_ms)).max(hold)
        };
        let first = state.queue.front().copied().filter(|_| wait_behind(&state, 0).is_zero());
        state.due = first.map(|first| state.due.filter(|(due, _)| *due == first).unwrap_or((first, now)));
        let stalls = state.due.map(|(_, since)| GRACE.saturating_sub(now.saturating_sub(since)));
        if ahead > 0 && stalls == Some(Duration::ZERO) {
            state.queue.pop_front();
            ahead -= 1;
        }
        let wait = wait_behind(&state, ahead);
        if ahead > 0 {
            // Where there is room for the first, it will leave within the moment, or not at all.
            return Some(wait.min(stalls.unwrap_or(wait)).max(Duration::from_millis(1)));
        }
        if !wait.is_zero() {
            return Some(wait);
        }
        state.queue.pop_front();
        state.sent.push_back(now);
        state.sent_today += 1;
        None
    }

    /// When the request `ahead` places behind the next may leave: as soon as the one a whole window before it is 60 s old.
    fn minute_wait(&self, state: &State, ahead: usize, now: Duration) -> Duration {
        let Some(limit) = self.plan.per_minute.map(|limit| limit as usize) else { return Duration::ZERO };
        let mut place = state.sent.len() + ahead;
        let mut windows = Duration::ZERO;
        while place >= limit {
            place -= limit;
            windows += MINUTE;
            if let Some(sent) = state.sent.get(place) {
                return (*sent + windows).saturating_sub(now);
            }
        }
        windows
    }

    fn day_wait(&self, state: &State, ahead: usize, now: Duration, unix_ms: i64) -> Duration {
        match self.plan.per_day {
            Some(limit) if state.sent_today as usize + ahead >= limit as usize => {
                let by_the_clock = Duration::from_millis(((state.day + 1) * DAY_MS - unix_ms).unsigned_abs());
                by_the_clock.min((state.day_began + DAY).saturating_sub(now))
            }
            _ => Duration::ZERO,
        }
    }
}

impl State {
    /// Draws a ticket and queues with it.
    fn enqueue(&mut self) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.queue.push_back(ticket);
        ticket
    }

    fn forget(&mut self, now: Duration, unix_ms: i64) {
        while self.sent.front().is_some_and(|sent| now.saturating_sub(*sent) >= MINUTE) {
            self.sent.pop_front();
        }
        let day = unix_ms.div_euclid(DAY_MS);
        // A clock set back must not refill the day; one that was ahead by a year must not make it last so long.
        if day > self.day || now.saturating_sub(self.day_began) >= DAY {
            self.day = day;
            self.day_began = now;
            self.sent_today = 0;
        }
    }
}

/// A place in the queue, given up when its call is dropped.
struct Ticket<'a>(u64, &'a Limiter);

impl Ticket<'_> {
    fn draw(limiter: &Limiter) -> Ticket<'_> {
        let ticket = lock(&limiter.state).enqueue();
        Ticket(ticket, limiter)
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.1.state);
        if let Ok(place) = state.queue.binary_search(&self.0) {
            state.queue.remove(place);
            drop(state);
            self.1.left.notify_waiters();
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::engine::BoxFuture;
    use proptest::prelude::*;

    /// tokio's paused clock, which moves when every task waits.
    struct Paused(tokio::time::Instant);

    impl Clock for Paused {
        fn now(&self) -> Duration {
            self.0.elapsed()
        }
        fn unix_ms(&self) -> i64 {
            1_790_000_000_000 + self.now().as_millis() as i64
        }
        fn sleep(&self, time: Duration) -> BoxFuture<()> {
            Box::pin(tokio::time::sleep(time))
        }
        fn patience(&self, time: Duration) -> BoxFuture<()> {
            self.sleep(time)
        }
        fn jitter(&self, cap: Duration) -> Duration {
            cap
        }
    }

    fn minute(limit: u32) -> Arc<Limiter> {
        Arc::new(Limiter::new(Plan { per_minute: Some(limit), per_day: None }))
    }

    /// Runs calls that arrive at given times with given patience; the times at which they left, in order of arrival.
    async fn run(limiter: Arc<Limiter>, arrivals: Vec<(u64, u64)>) -> Vec<Option<u64>> {
        let clock = Arc::new(Paused(tokio::time::Instant::now()));
        let mut calls = Vec::new();
        for (arrival, patience) in arrivals {
            let (limiter, clock) = (limiter.clone(), clock.clone());
            calls.push(tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(arrival)).await;
                let deadline = clock.now() + Duration::from_millis(patience);
                let turn = limiter.turn(&*clock, || deadline.saturating_sub(clock.now())).await;
                turn.ok().map(|()| clock.now().as_millis() as u64)
            }));
        }
        let mut left = Vec::new();
        for call in calls {
            left.push(call.await.unwrap());
        }
        left
    }

    #[tokio::test(start_paused = true)]
    async fn the_301st_call_of_a_minute_waits_for_the_first_to_age() {
        let left = run(minute(300), (0..301).map(|n| (n * 10, 120_000)).collect()).await;
        assert_eq!(left[299], Some(2990));
        assert!((60_000..60_010).contains(&left[300].unwrap()), "{:?}", left[300]);
    }

    #[tokio::test(start_paused = true)]
    async fn who_cannot_get_a_turn_in_time_fails_at_once_and_counts_nothing() {
        let limiter = minute(1);
        let clock = Paused(tokio::time::Instant::now());
        assert!(limiter.turn(&clock, || Duration::MAX).await.is_ok());
        let refused = limiter.turn(&clock, || Duration::from_secs(10)).await;
        assert_eq!((refused, clock.now()), (Err(MINUTE), Duration::ZERO));
        tokio::time::advance(MINUTE).await;
        assert!(limiter.turn(&clock, || Duration::from_secs(1)).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn those_ahead_count_when_a_call_asks_how_long_it_waits() {
        let limiter = minute(1);
        let clock = Arc::new(Paused(tokio::time::Instant::now()));
        limiter.turn(&*clock, || Duration::MAX).await.unwrap();
        let (its_limiter, its_clock) = (limiter.clone(), clock.clone());
        let ahead = tokio::spawn(async move { its_limiter.turn(&*its_clock, || Duration::MAX).await });
        tokio::task::yield_now().await;
        let refused = limiter.turn(&*clock, || Duration::from_secs(90)).await;
        assert_eq!((refused, clock.now()), (Err(MINUTE * 2), Duration::ZERO));
        ahead.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_gives_up_lets_those_behind_it_move_up() {
        let limiter = minute(1);
        let clock = Arc::new(Paused(tokio::time::Instant::now()));
        limiter.turn(&*clock, || Duration::MAX).await.unwrap();
        let wait = || {
            let (limiter, clock) = (limiter.clone(), clock.clone());
            tokio::spawn(async move { limiter.turn(&*clock, || Duration::MAX).await.map(|()| clock.now()) })
        };
        let first = wait();
        tokio::task::yield_now().await;
        let second = wait();
        tokio::task::yield_now().await;
        first.abort();
        let left = second.await.unwrap().unwrap();
        assert!(left < MINUTE + Duration::from_millis(10), "{left:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_thousand_waiting_calls_leave_in_order_a_hundred_a_minute() {
        let left = run(minute(100), vec![(0, 600_000); 1_000]).await;
        for (place, left) in left.iter().enumerate() {
            let minute = place as u64 / 100 * 60_000;
            assert!((minute..minute + 1_000).contains(&left.unwrap()), "{place}: {left:?}");
        }
        assert!(left.is_sorted());
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_a_turn_waits_for_the_service_too() {
        let limiter = minute(2);
        let clock = Arc::new(Paused(tokio::time::Instant::now()));
        limiter.turn(&*clock, || Duration::MAX).await.unwrap();
        // The service counts requests of others under the same key.
        let none_left = [("ratelimit-remaining", "0"), ("ratelimit-reset", "90")];
        let none_left = none_left.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        limiter.hold.observe(&none_left.into_iter().collect(), clock.now(), clock.unix_ms());
        let refused = limiter.turn(&*clock, || MINUTE).await;
        assert_eq!(refused, Err(Duration::from_secs(90)));
        limiter.turn(&*clock, || Duration::MAX).await.unwrap();
        assert_eq!(clock.now().as_secs(), 90);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_nobody_runs_holds_up_the_others_for_a_moment_only() {
        let limiter = minute(1);
        let clock = Paused(tokio::time::Instant::now());
        limiter.turn(&clock, || Duration::MAX).await.unwrap();
        let mut parked = Box::pin(limiter.turn(&clock, || Duration::MAX));
        tokio::select! {
            biased;
            _ = parked.as_mut() => panic!("there was no room"),
            () = std::future::ready(()) => {}
        }
        tokio::time::advance(MINUTE * 2).await;
        limiter.turn(&clock, || Duration::MAX).await.unwrap();
        assert_eq!(clock.now().as_secs(), 120 + 1);
        parked.await.unwrap();
        assert_eq!(clock.now().as_secs(), 180 + 1);
    }

    #[test]
    fn clients_of_one_key_hear_what_the_service_said_to_one_of_them() {
        let limits: Arc<Limits> = Arc::default();
        let open = |key: &str| {
            let config = crate::Config::blooio().with_api_key(key).with_plan(Plan::PRO).with_limits(limits.clone());
            crate::engine::Engine::open(&config).unwrap()
        };
        let (one, other, stranger) = (open("bl_one"), open("bl_one"), open("bl_two"));
        assert!(Arc::ptr_eq(&one.hold, &other.hold));
        assert!(!Arc::ptr_eq(&one.hold, &stranger.hold));
    }

    #[tokio::test(start_paused = true)]
    async fn the_day_ends_at_midnight_utc() {
        let limiter = Limiter::new(Plan { per_minute: None, per_day: Some(1) });
        let clock = Paused(tokio::time::Instant::now());
        limiter.turn(&clock, || Duration::MAX).await.unwrap();
        limiter.turn(&clock, || Duration::MAX).await.unwrap();
        assert_eq!(clock.unix_ms() % DAY_MS, 0, "the second left at the first moment of the next day");
    }

    #[tokio::test(start_paused = true)]
    async fn a_day_begun_by_a_clock_that_was_a_year_ahead_lasts_a_day() {
        struct SetRight(Paused);
        impl Clock for SetRight {
            fn now(&self) -> Duration {
                self.0.now()
            }
            fn unix_ms(&self) -> i64 {
                self.0.unix_ms() + if self.now().is_zero() { 365 * DAY_MS } else { 0 }
            }
            fn sleep(&self, time: Duration) -> BoxFuture<()> {
                self.0.sleep(time)
            }
            fn patience(&self, time: Duration) -> BoxFuture<()> {
                self.0.patience(time)
            }
            fn jitter(&self, cap: Duration) -> Duration {
                cap
            }
        }
        let limiter = Limiter::new(Plan { per_minute: None, per_day: Some(2) });
        let clock = SetRight(Paused(tokio::time::Instant::now()));
        limiter.turn(&clock, || Duration::MAX).await.unwrap();
        tokio::time::advance(MINUTE).await;
        limiter.turn(&clock, || Duration::MAX).await.unwrap();
        assert_eq!(limiter.turn(&clock, || MINUTE).await, Err(DAY - MINUTE), "set back, the clock refills nothing");
        limiter.turn(&clock, || Duration::MAX).await.unwrap();
        limiter.turn(&clock, || MINUTE).await.unwrap();
        assert_eq!(clock.now(), DAY);
        assert!(limiter.turn(&clock, || MINUTE).await.is_err(), "the next day has its limit too");
    }

    #[test]
    fn one_key_has_one_plan() {
        let limits = Limits::default();
        let first = limits.limiter([1; 32], Plan::PRO).unwrap();
        assert!(Arc::ptr_eq(&first, &limits.limiter([1; 32], Plan::PRO).unwrap()));
        assert!(limits.limiter([1; 32], Plan::GROWTH).is_err());
        drop(first);
        assert!(limits.limiter([1; 32], Plan::GROWTH).is_ok(), "the last client of the old plan is gone");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

        /// Whatever arrives when: no 60 s hold more than the limit, turns go in order, nobody outstays its patience.
        #[test]
        fn the_limit_is_kept_in_order_and_in_time(
            limit in 1u32..20,
            arrivals in prop::collection::vec((0u64..150_000, 1u64..300_000), 1..120),
        ) {
            let mut arrivals = arrivals;
            arrivals.sort_unstable();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
            let left = runtime.block_on(run(minute(limit), arrivals.clone()));
            let mut sent: Vec<u64> = Vec::new();
            for ((arrival, patience), left) in arrivals.iter().zip(&left) {
                if let Some(left) = left {
                    // tokio's timer counts whole ms, and a turn may be taken in the ms after its slot opens.
                    prop_assert!(*left <= arrival + patience + 2, "left {left}, arrived {arrival}, patience {patience}");
                    prop_assert!(sent.last().is_none_or(|before| before <= left), "out of order");
                    sent.push(*left);
                }
            }
            for window in sent.windows(limit as usize + 1) {
                prop_assert!(window[limit as usize] - window[0] >= 60_000 - 1, "{window:?}");
            }
        }
    }
}
