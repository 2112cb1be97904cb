//! One subscription: which events it wants, and in which generation's form.

use axum::http::Uri;
use bytes::Bytes;

use super::Delivery;
use super::delivery::State;
use crate::blooio::events::Event;
use crate::blooio::{Channel, World};
use crate::{v2, v4};

#[derive(Debug)]
pub(crate) struct Subscription {
    pub(crate) id: String,
    pub(crate) url: String,
    pub(crate) secret: String,
    pub(crate) style: Style,
    pub(crate) created_at: i64,
    pub(crate) last_triggered: Option<i64>,
    pub(crate) failure_count: u64,
    pub(crate) rotations: u64,
}

/// The generation that made it decides what its deliveries look like.
#[derive(Debug)]
pub(crate) enum Style {
    V2 {
        kind: &'static str,
        /// Epoch ms; -1 for no end.
        valid_until: i64,
        /// Set while it is paused, epoch ms.
        deprecated_at: Option<i64>,
    },
    V4 {
        selectors: Vec<String>,
        channel_id: Option<String>,
        channel_type: Option<String>,
        api_version: &'static str,
        disabled: bool,
    },
}

/// Where a webhook's URL points.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Target {
    /// Plain HTTP on this machine: delivered.
    Loopback,
    /// Anything else over HTTPS: accepted, never called.
    Elsewhere,
}

/// `None` when the URL is not one a webhook may have: the services want https, and plain http is for loopback only.
pub(crate) fn target(url: &str) -> Option<Target> {
    let uri: Uri = url.parse().ok()?;
    let host = uri.host().filter(|host| !host.is_empty())?;
    let here =
        host == "localhost" || host == "[::1]" || host.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| ip.is_loopback());
    match uri.scheme_str()? {
        "http" if here => Some(Target::Loopback),
        "https" => Some(Target::Elsewhere),
        _ => None,
    }
}

impl Subscription {
    pub(crate) fn is_active(&self, now: i64) -> bool {
        match &self.style {
            Style::V2 { valid_until, deprecated_at, .. } => {
                deprecated_at.is_none() && (*valid_until < 0 || now < *valid_until)
            }
            Style::V4 { disabled, .. } => !disabled,
        }
    }

    pub(crate) fn is_v2(&self) -> bool {
        matches!(self.style, Style::V2 { .. })
    }

    /// Whether it is to hear of an event; one without a channel goes to those that narrow to none.
    pub(crate) fn wants(&self, event: &str, channel: Option<&Channel>, now: i64, filtering: bool) -> bool {
        let selected = match &self.style {
            Style::V2 { kind, .. } => bucket_holds(kind, event),
            Style::V4 { selectors, channel_id, channel_type, .. } => {
                (!filtering || selectors.iter().any(|selector| selector_holds(selector, event)))
                    && channel_id.as_ref().is_none_or(|id| channel.is_some_and(|channel| *id == channel.id))
                    && channel_type.as_ref().is_none_or(|kind| channel.is_some_and(|channel| kind == channel.kind))
            }
        };
        selected && self.is_active(now)
    }

    /// The delivery that announces an event; `None` for what this generation does not tell of.
    pub(crate) fn announce(&self, world: &World, event: &Event, delivery_id: String) -> Option<Delivery> {
        let name = event.name(world);
        let mut headers = vec![("x-blooio-event", name.to_owned())];
        let message = event.message().map(|message| &world.messages[message]);
        let body = match &self.style {
            Style::V2 { .. } => {
                let id = message.map(|message| message.short_id.clone());
                headers.extend(id.map(|id| ("x-blooio-message-id", id)));
                v2::payload::body(world, event)?
            }
            Style::V4 { api_version, .. } => {
                headers.push(("x-blooio-delivery", delivery_id.clone()));
                headers.push(("x-blooio-version", (*api_version).to_owned()));
                headers.push(("x-blooio-webhook", self.id.clone()));
                v4::payload::body(world, event, api_version)
            }
        };
        Some(Delivery {
            id: delivery_id,
            subscription: self.id.clone(),
            url: self.url.clone(),
            event_id: event.id.clone(),
            event: name,
            message_id: message.map(|message| if self.is_v2() { &message.short_id } else { &message.id }).cloned(),
            headers,
            body: Bytes::from(body.to_string()),
            created_at: world.now,
            state: State::Pending,
            attempts: Vec::new(),
            next_attempt_at: Some(world.now),
            replay_of: None,
            persistent: true,
        })
    }
}

/// v2's subscription types; what happens before a message is sent is told to `all` only.
fn bucket_holds(bucket: &str, event: &str) -> bool {
    match bucket {
        "all" => true,
        "message" => matches!(event, "message.received" | "message.reaction") || bucket_holds("status", event),
        "status" => matches!(event, "message.sent" | "message.delivered" | "message.failed" | "message.read"),
        "poll" => event.starts_with("poll."),
        _ => false,
    }
}

fn selector_holds(selector: &str, event: &str) -> bool {
    match selector {
        "*" => true,
        "all" | "message" | "status" => bucket_holds(selector, event),
        _ => selector == event || selector.strip_suffix('*').is_some_and(|category| event.starts_with(category)),
    }
}
