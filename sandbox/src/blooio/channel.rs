//! What messages leave from.

use serde_json::{Map, Value};

/// A line or account. The key owns the `blooio` ones; the others belong to the organization.
#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) id: String,
    pub(crate) kind: &'static str,
    pub(crate) address: &'static str,
    pub(crate) alias: Option<&'static str>,
    pub(crate) status: &'static str,
    pub(crate) created_at: i64,
    pub(crate) profile: Map<String, Value>,
    pub(crate) card: Card,
    /// What the safety system has done to it.
    pub(crate) safety: &'static str,
}

/// The card a line shares about itself.
#[derive(Debug, Default)]
pub(crate) struct Card {
    pub(crate) first_name: Option<String>,
    pub(crate) last_name: Option<String>,
    pub(crate) avatar: Option<String>,
    pub(crate) sharing: bool,
    pub(crate) audience: i64,
    pub(crate) name_format: i64,
}

impl Card {
    pub(crate) fn full_name(&self) -> Option<String> {
        let parts: Vec<&str> = [&self.first_name, &self.last_name].into_iter().flatten().map(String::as_str).collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    }
}

impl Channel {
    pub(crate) fn is_line(&self) -> bool {
        self.kind == "blooio"
    }

    pub(crate) fn is_active(&self) -> bool {
        self.status == "active"
    }

    /// Several recipients become one thread here; elsewhere they are separate sends.
    pub(crate) fn has_groups(&self) -> bool {
        matches!(self.kind, "blooio" | "whatsapp")
    }

    /// What a message's protocol turns out to be.
    pub(crate) fn protocol(&self) -> &'static str {
        match self.kind {
            "twilio" => "sms",
            "rcs_business" => "rcs",
            "whatsapp" | "whatsapp_business" => "whatsapp",
            _ => "imessage",
        }
    }
}
