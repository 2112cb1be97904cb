//! Subscriptions of both generations, and the deliveries they cause.

pub(crate) mod delivery;
mod signature;
mod subscription;

pub(crate) use subscription::{Style, Subscription, Target, target};

use std::collections::VecDeque;

use crate::timers::{Job, Timers};
pub(crate) use delivery::Delivery;
use delivery::{Attempt, Outcome, Post, State};

/// Subscriptions of one organization, v2's and v4's together.
pub(crate) const MAXIMUM: usize = 64;
/// Deliveries remembered; older ones are forgotten, even unfinished.
const REMEMBERED: usize = 5_000;

#[derive(Debug, Default)]
pub(crate) struct Webhooks {
    pub(crate) subscriptions: Vec<Subscription>,
    deliveries: VecDeque<Delivery>,
    /// How many deliveries came before the first one remembered.
    forgotten: u64,
}

impl Webhooks {
    /// None, numbered from where `old` ends, so that late outcomes of its deliveries find nothing.
    pub(crate) fn after(old: &Webhooks) -> Webhooks {
        Webhooks { forgotten: old.forgotten + old.deliveries.len() as u64, ..Webhooks::default() }
    }

    pub(crate) fn find(&self, id: &str) -> Option<usize> {
        self.subscriptions.iter().position(|subscription| subscription.id == id)
    }

    /// Deliveries with their numbers, oldest first.
    pub(crate) fn deliveries(&self) -> impl DoubleEndedIterator<Item = (u64, &Delivery)> {
        self.deliveries.iter().enumerate().map(|(index, delivery)| (self.forgotten + index as u64, delivery))
    }

    pub(crate) fn delivery(&self, number: u64) -> Option<&Delivery> {
        self.deliveries.get(usize::try_from(number.checked_sub(self.forgotten)?).ok()?)
    }

    fn delivery_mut(&mut self, number: u64) -> Option<&mut Delivery> {
        self.deliveries.get_mut(usize::try_from(number.checked_sub(self.forgotten)?).ok()?)
    }

    /// Queues a delivery; one to anything but loopback is left unsent.
    pub(crate) fn enqueue(&mut self, timers: &mut Timers, due: i64, delivery: Delivery) -> u64 {
        let called = target(&delivery.url) == Some(Target::Loopback);
        let number = self.remember(delivery);
        match called {
            true => timers.set(due, Job::Deliver { delivery: number }),
            false => self.delivery_mut(number).into_iter().for_each(|one| one.state = State::NotSent),
        }
        number
    }

    fn remember(&mut self, delivery: Delivery) -> u64 {
        if self.deliveries.len() == REMEMBERED {
            self.deliveries.pop_front();
            self.forgotten += 1;
        }
        self.deliveries.push_back(delivery);
        self.forgotten + self.deliveries.len() as u64 - 1
    }

    /// The next attempt of a delivery, signed with the secret and time of now.
    pub(crate) fn attempt(&mut self, number: u64, now: i64) -> Option<Post> {
        let subscription = self.delivery(number)?.subscription.clone();
        let paused_is_fine = self.delivery(number)?.replay_of.is_some();
        let receiver = self.subscriptions.iter().position(|one| one.id == subscription);
        let receiver = receiver.filter(|index| paused_is_fine || self.subscriptions[*index].is_active(now));
        let delivery = self.delivery_mut(number)?;
        delivery.next_attempt_at = None;
        let Some(receiver) = receiver else {
            delivery.state = State::Failed;
            return None;
        };
        delivery.attempts.push(Attempt { at: now, outcome: None });
        self.subscriptions[receiver].last_triggered = Some(now);
        Some(Post::new(number, &self.subscriptions[receiver], self.delivery(number)?, now))
    }

    /// Takes the outcome of an attempt: done, tried again later, or given up.
    pub(crate) fn settle(&mut self, timers: &mut Timers, scale: f64, number: u64, outcome: Outcome) {
        let (received, now) = (outcome.received(), outcome.at);
        let Some(delivery) = self.delivery_mut(number) else { return };
        let wait = delivery::WAITS_MS.get(delivery.attempts.len().saturating_sub(1)).filter(|_| delivery.persistent);
        delivery.attempts.last_mut().into_iter().for_each(|attempt| attempt.outcome = Some(outcome.clone()));
        match wait {
            _ if received => delivery.state = State::Delivered,
            None => delivery.state = State::Failed,
            Some(wait) => {
                let due = now.saturating_add((*wait as f64 * scale) as i64);
                delivery.next_attempt_at = Some(due);
                timers.set(due, Job::Deliver { delivery: number });
            }
        }
        if !received {
            let subscription = delivery.subscription.clone();
            let receiver = self.subscriptions.iter_mut().find(|one| one.id == subscription);
            receiver.into_iter().for_each(|one| one.failure_count += 1);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    fn subscribed() -> Webhooks {
        let subscription = Subscription {
            id: "wh_1".to_owned(),
            url: "http://127.0.0.1:9/hook".to_owned(),
            secret: "whsec_1".to_owned(),
            style: Style::V2 { kind: "all", valid_until: -1, deprecated_at: None },
            created_at: 0,
            last_triggered: None,
            failure_count: 0,
            rotations: 0,
        };
        Webhooks { subscriptions: vec![subscription], ..Webhooks::default() }
    }

    fn delivery() -> Delivery {
        Delivery {
            id: "wdel_1".to_owned(),
            subscription: "wh_1".to_owned(),
            url: "http://127.0.0.1:9/hook".to_owned(),
            event_id: "evt_1".to_owned(),
            event: "message.sent",
            message_id: None,
            headers: Vec::new(),
            body: bytes::Bytes::new(),
            created_at: 0,
            state: State::Pending,
            attempts: Vec::new(),
            next_attempt_at: None,
            replay_of: None,
            persistent: true,
        }
    }

    fn outcome(at: i64, status: u16) -> Outcome {
        let body = bytes::Bytes::new();
        Outcome { at, status: Some(status), content_type: None, body, size: 0, error: None }
    }

    fn next(timers: &mut Timers) -> Option<(i64, u64)> {
        match timers.pop_due(i64::MAX)? {
            (due, Job::Deliver { delivery }) => Some((due, delivery)),
            (_, Job::Advance { .. } | Job::Locate) => None,
        }
    }

    #[test]
    fn a_delivery_is_attempted_six_times_on_the_documented_ladder() {
        let (mut webhooks, mut timers) = (subscribed(), Timers::default());
        let number = webhooks.enqueue(&mut timers, 0, delivery());
        let mut times = Vec::new();
        while let Some((due, delivery)) = next(&mut timers) {
            times.push(due / 1000);
            assert!(webhooks.attempt(delivery, due).is_some());
            webhooks.settle(&mut timers, 1.0, delivery, outcome(due, 500));
        }
        assert_eq!(times, [0, 30, 90, 210, 450, 930]);
        assert_eq!(webhooks.subscriptions[0].failure_count, 6);
        assert_eq!(webhooks.delivery(number).unwrap().state, State::Failed);
    }

    #[test]
    fn a_received_delivery_and_a_deleted_subscription_end_it() {
        let (mut webhooks, mut timers) = (subscribed(), Timers::default());
        webhooks.enqueue(&mut timers, 0, delivery());
        webhooks.enqueue(&mut timers, 0, delivery());
        let (due, first) = next(&mut timers).unwrap();
        webhooks.attempt(first, due);
        webhooks.settle(&mut timers, 1.0, first, outcome(due, 204));
        let (due, second) = next(&mut timers).unwrap();
        webhooks.subscriptions.clear();
        assert!(webhooks.attempt(second, due).is_none());
        assert!(next(&mut timers).is_none());
        let states: Vec<State> = webhooks.deliveries().map(|(_, delivery)| delivery.state).collect();
        assert_eq!(states, [State::Delivered, State::Failed]);
    }

    #[test]
    fn old_deliveries_are_forgotten_and_numbers_go_on() {
        let (mut webhooks, mut timers) = (subscribed(), Timers::default());
        for _ in 0..=REMEMBERED {
            webhooks.enqueue(&mut timers, 0, delivery());
        }
        assert!(webhooks.delivery(0).is_none() && webhooks.attempt(0, 0).is_none());
        assert!(webhooks.delivery(REMEMBERED as u64).is_some());
        assert_eq!(Webhooks::after(&webhooks).enqueue(&mut timers, 0, delivery()), REMEMBERED as u64 + 1);
    }
}
