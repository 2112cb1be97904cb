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
