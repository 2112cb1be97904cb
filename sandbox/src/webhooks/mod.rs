//! Subscriptions of both generations, and the deliveries they cause.

pub(crate) mod delivery;
pub(crate) mod signature;
mod subscription;

pub(crate) use subscription::{Style, Subscription, Target, target};

use std::collections::HashMap;

use bytes::Bytes;

use crate::timers::{Job, Timers};
use delivery::{Delivery, Post};

/// Subscriptions of one organization, v2's and v4's together.
pub(crate) const MAXIMUM: usize = 64;

#[derive(Debug, Default)]
pub(crate) struct Webhooks {
    pub(crate) subscriptions: Vec<Subscription>,
    pending: HashMap<u64, Delivery>,
    deliveries: u64,
}

impl Webhooks {
    pub(crate) fn find(&self, id: &str) -> Option<usize> {
        self.subscriptions.iter().position(|subscription| subscription.id == id)
    }

    /// Queues a delivery at once; one to anything but loopback is left unsent.
    pub(crate) fn enqueue(
        &mut self,
        timers: &mut Timers,
        now: i64,
        subscription: usize,
        headers: Vec<(&'static str, String)>,
        body: Bytes,
    ) {
        let subscription = &self.subscriptions[subscription];
        if target(&subscription.url) != Some(Target::Loopback) {
            return;
        }
        self.deliveries += 1;
        let delivery = Delivery { subscription: subscription.id.clone(), headers, body, attempts: 0 };
        self.pending.insert(self.deliveries, delivery);
        timers.set(now, Job::Deliver { delivery: self.deliveries });
    }

    /// The next attempt of a delivery, signed with the secret and time of now.
    pub(crate) fn attempt(&mut self, delivery: u64, now: i64) -> Option<Post> {
        let pending = self.pending.get_mut(&delivery)?;
        let receiver = self.subscriptions.iter_mut().find(|one| one.id == pending.subscription && one.is_active(now));
        let Some(receiver) = receiver else {
            self.pending.remove(&delivery);
            return None;
        };
        pending.attempts += 1;
        receiver.last_triggered = Some(now);
        Some(Post::new(delivery, receiver, pending, now))
    }

    /// Takes the outcome of an attempt: done, tried again later, or given up.
    pub(crate) fn settle(&mut self, timers: &mut Timers, now: i64, delivery: u64, received: bool) {
        let Some(pending) = self.pending.get(&delivery) else { return };
        let again = delivery::WAITS_MS.get(pending.attempts - 1);
        if !received {
            let receiver = self.subscriptions.iter_mut().find(|one| one.id == pending.subscription);
            receiver.into_iter().for_each(|one| one.failure_count += 1);
        }
        match again {
            Some(wait) if !received => timers.set(now + wait, Job::Deliver { delivery }),
            _ => {
                self.pending.remove(&delivery);
            }
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

    fn next(timers: &mut Timers) -> Option<(i64, u64)> {
        match timers.pop_due(i64::MAX)? {
            (due, Job::Deliver { delivery }) => Some((due, delivery)),
            (_, Job::Advance { .. }) => None,
        }
    }

    #[test]
    fn a_delivery_is_attempted_six_times_on_the_documented_ladder() {
        let (mut webhooks, mut timers) = (subscribed(), Timers::default());
        webhooks.enqueue(&mut timers, 0, 0, Vec::new(), Bytes::new());
        let mut times = Vec::new();
        while let Some((due, delivery)) = next(&mut timers) {
            times.push(due / 1000);
            assert!(webhooks.attempt(delivery, due).is_some());
            webhooks.settle(&mut timers, due, delivery, false);
        }
        assert_eq!(times, [0, 30, 90, 210, 450, 930]);
        assert_eq!(webhooks.subscriptions[0].failure_count, 6);
        assert!(webhooks.pending.is_empty());
    }

    #[test]
    fn a_received_delivery_and_a_deleted_subscription_end_it() {
        let (mut webhooks, mut timers) = (subscribed(), Timers::default());
        webhooks.enqueue(&mut timers, 0, 0, Vec::new(), Bytes::new());
        webhooks.enqueue(&mut timers, 0, 0, Vec::new(), Bytes::new());
        let (due, first) = next(&mut timers).unwrap();
        webhooks.attempt(first, due);
        webhooks.settle(&mut timers, due, first, true);
        let (due, second) = next(&mut timers).unwrap();
        webhooks.subscriptions.clear();
        assert!(webhooks.attempt(second, due).is_none());
        assert!(webhooks.pending.is_empty() && next(&mut timers).is_none());
    }
}
