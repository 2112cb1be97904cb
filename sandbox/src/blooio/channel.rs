//! What messages leave from.

use serde_json::{Map, Value, json};

use crate::fields::Fields;
use crate::refusal::Refusal;

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
    /// Takes what is given and leaves the rest; name and avatar are part of some plans only.
    pub(crate) fn update(&mut self, fields: Fields<'_>, entitled: bool) -> Result<(), Refusal> {
        let names = [fields.text("first_name")?, fields.text("last_name")?, fields.text("avatar")?];
        let sharing = fields.object("sharing")?;
        if names.iter().all(Option::is_none) && sharing.is_none() {
            return Err(fields.refuse("sharing", "given, or first_name, last_name or avatar"));
        }
        if names.iter().any(Option::is_some) && !entitled {
            return Err(Refusal::new(403, "Name and avatar of the contact card are not part of this plan.").flat());
        }
        // v4 writes these two as strings.
        let bit = |name: &str, now: i64| match sharing.and_then(|sharing| sharing.get(name)) {
            None => Ok(now),
            Some(Value::String(text)) if text == "0" || text == "1" => Ok(i64::from(text == "1")),
            Some(number) if matches!(number.as_i64(), Some(0 | 1)) => Ok(number.as_i64().unwrap_or(now)),
            Some(_) => Err(fields.refuse(&format!("sharing.{name}"), "0 or 1")),
        };
        let (audience, name_format) = (bit("audience", self.audience)?, bit("name_format", self.name_format)?);
        if let Some(sharing) = sharing.filter(|sharing| sharing.has("enabled")) {
            self.sharing = sharing.flag("enabled")?;
        }
        let [first, last, avatar] = names.map(|name| name.map(str::to_owned));
        self.first_name = first.or(self.first_name.take());
        self.last_name = last.or(self.last_name.take());
        self.avatar = avatar.or(self.avatar.take());
        (self.audience, self.name_format) = (audience, name_format);
        Ok(())
    }

    pub(crate) fn full_name(&self) -> Option<String> {
        let parts: Vec<&str> = [&self.first_name, &self.last_name].into_iter().flatten().map(String::as_str).collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    }
}

impl Channel {
    pub(crate) fn card_view(&self) -> Value {
        let card = &self.card;
        json!({
            "phone_number": self.address,
            "first_name": card.first_name,
            "last_name": card.last_name,
            "name": card.full_name(),
            "avatar": card.avatar,
            "has_wallpaper": false,
            "sharing": {"enabled": card.sharing, "audience": card.audience, "name_format": card.name_format},
        })
    }

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
