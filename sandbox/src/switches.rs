//! Where the services' own accounts of themselves differ, or depend on a plan: one switch each, with its default.

use serde_json::{Map, Value, json};

/// Every switch of a namespace.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Switches {
    /// v4: the status of an accepted send, 201 or 202.
    pub(crate) send_status: u16,
    /// v4: the status of a replayed send, 200 or 201.
    pub(crate) replay_status: u16,
    /// v4: whether the older generation of bodies is taken.
    pub(crate) legacy_body: bool,
    /// v4: the payload version of subscriptions that name none.
    pub(crate) webhook_api_version: &'static str,
    /// v4: whether selectors choose events; off, every event is sent.
    pub(crate) event_filtering: bool,
    /// Whether unanswered messages, links before the first reply and silence stop further sends.
    pub(crate) conversation_limits: bool,
    /// What the safety system does to every line.
    pub(crate) safety_action: &'static str,
    /// The plan of the key's lines.
    pub(crate) plan: &'static str,
    /// Whether phone-number lookup, contact cards and call forwarding are part of the plan.
    pub(crate) enterprise: bool,
    /// New contacts the organization may write to in all; `None` for no cap.
    pub(crate) outbound_limit: Option<u64>,
    /// New conversations a day; `None` for no cap.
    pub(crate) new_conversations_per_day: Option<u64>,
    /// Messages of a trial in all; `None` for no trial.
    pub(crate) trial_messages: Option<u64>,
    /// Waits between delivery attempts are multiplied by this.
    pub(crate) webhook_time_scale: f64,
    pub(crate) out_of_order_webhooks: bool,
    /// Whether a message that waits becomes `pending` before it is sent.
    pub(crate) pending_status: bool,
    /// Whether the key has a hybrid sender: Twilio first, Blooio once the person has replied.
    pub(crate) hybrid: bool,
    /// Whether `outbound_limit` counts for the organization or for each number.
    pub(crate) outbound_limit_mode: &'static str,
    /// v2: whether a known key is 409, whatever comes with it.
    pub(crate) v2_duplicate_key_conflict: bool,
    /// v2: whether a cancellation that comes too late is 409.
    pub(crate) v2_cancel_conflict: bool,
    /// v2: whether `X-From-Number` and `fromNumber` name the sender.
    pub(crate) v2_older_sender: bool,
    /// v2: whether a known key with another body is 409.
    pub(crate) v2_strict_idempotency: bool,
    /// v2: whether other POSTs than sends replay a known key.
    pub(crate) v2_idempotent_posts: bool,
    /// v2: whether a message that was read says so in its status.
    pub(crate) v2_read_status: bool,
    /// v2: whether new webhooks are refused with 410.
    pub(crate) v2_webhooks_closed: bool,
    /// v2: whether group members can be added and removed.
    pub(crate) v2_group_members: bool,
    /// v2: lists as `{data, count, limit, offset}`.
    pub(crate) v2_generic_lists: bool,
}

impl Default for Switches {
    fn default() -> Switches {
        Switches {
            send_status: 201,
            replay_status: 200,
            legacy_body: true,
            webhook_api_version: "2026-10-01",
            event_filtering: true,
            conversation_limits: false,
            safety_action: "none",
            plan: "dedicated",
            enterprise: true,
            outbound_limit: None,
            new_conversations_per_day: None,
            trial_messages: None,
            webhook_time_scale: 1.0,
            out_of_order_webhooks: false,
            pending_status: false,
            hybrid: true,
            outbound_limit_mode: "organization",
            v2_duplicate_key_conflict: false,
            v2_cancel_conflict: false,
            v2_older_sender: false,
            v2_strict_idempotency: false,
            v2_idempotent_posts: false,
            v2_read_status: false,
            v2_webhooks_closed: false,
            v2_group_members: false,
            v2_generic_lists: false,
        }
    }
}

/// What a switch takes, for whoever is told that a value is none.
enum Takes {
    Flag(fn(&mut Switches) -> &mut bool),
    Choice(fn(&mut Switches) -> &mut &'static str, &'static [&'static str]),
    Status(fn(&mut Switches) -> &mut u16, &'static [u16]),
    Cap(fn(&mut Switches) -> &mut Option<u64>),
    Factor(fn(&mut Switches) -> &mut f64),
}

static TABLE: [(&str, Takes); 26] = [
    ("send_status", Takes::Status(|all| &mut all.send_status, &[201, 202])),
    ("replay_status", Takes::Status(|all| &mut all.replay_status, &[200, 201])),
    ("legacy_body", Takes::Flag(|all| &mut all.legacy_body)),
    ("webhook_api_version", Takes::Choice(|all| &mut all.webhook_api_version, &["2026-10-01", "2026-09-01"])),
    ("event_filtering", Takes::Flag(|all| &mut all.event_filtering)),
    ("conversation_limits", Takes::Flag(|all| &mut all.conversation_limits)),
    (
        "safety_action",
        Takes::Choice(|all| &mut all.safety_action, &["none", "queue", "slow", "pause_new", "reply_only", "review"]),
    ),
    ("plan", Takes::Choice(|all| &mut all.plan, &["dedicated", "shared", "inbound", "trial", "2fa"])),
    ("enterprise", Takes::Flag(|all| &mut all.enterprise)),
    ("outbound_limit", Takes::Cap(|all| &mut all.outbound_limit)),
    ("new_conversations_per_day", Takes::Cap(|all| &mut all.new_conversations_per_day)),
    ("trial_messages", Takes::Cap(|all| &mut all.trial_messages)),
    ("webhook_time_scale", Takes::Factor(|all| &mut all.webhook_time_scale)),
    ("out_of_order_webhooks", Takes::Flag(|all| &mut all.out_of_order_webhooks)),
    ("pending_status", Takes::Flag(|all| &mut all.pending_status)),
    ("hybrid", Takes::Flag(|all| &mut all.hybrid)),
    ("outbound_limit_mode", Takes::Choice(|all| &mut all.outbound_limit_mode, &["organization", "number"])),
    ("v2_duplicate_key_conflict", Takes::Flag(|all| &mut all.v2_duplicate_key_conflict)),
    ("v2_cancel_conflict", Takes::Flag(|all| &mut all.v2_cancel_conflict)),
    ("v2_older_sender", Takes::Flag(|all| &mut all.v2_older_sender)),
    ("v2_strict_idempotency", Takes::Flag(|all| &mut all.v2_strict_idempotency)),
    ("v2_idempotent_posts", Takes::Flag(|all| &mut all.v2_idempotent_posts)),
    ("v2_read_status", Takes::Flag(|all| &mut all.v2_read_status)),
    ("v2_webhooks_closed", Takes::Flag(|all| &mut all.v2_webhooks_closed)),
    ("v2_group_members", Takes::Flag(|all| &mut all.v2_group_members)),
    ("v2_generic_lists", Takes::Flag(|all| &mut all.v2_generic_lists)),
];

impl Switches {
    /// Sets one; the error says what it takes.
    pub(crate) fn set(&mut self, name: &str, value: &Value) -> Result<(), String> {
        let Some((_, takes)) = TABLE.iter().find(|(known, _)| *known == name) else {
            let names: Vec<&str> = TABLE.iter().map(|(name, _)| *name).collect();
            return Err(format!("{name} is no switch; there are {}.", names.join(", ")));
        };
        let done = match takes {
            Takes::Flag(field) => value.as_bool().map(|value| *field(self) = value),
            Takes::Choice(field, choices) => {
                let choice = choices.iter().find(|choice| Some(**choice) == value.as_str());
                choice.map(|choice| *field(self) = choice)
            }
            Takes::Status(field, choices) => {
                let choice = choices.iter().find(|choice| Some(u64::from(**choice)) == value.as_u64());
                choice.map(|choice| *field(self) = *choice)
            }
            Takes::Cap(field) => {
                let cap = if value.is_null() { Some(None) } else { value.as_u64().map(Some) };
                cap.map(|cap| *field(self) = cap)
            }
            Takes::Factor(field) => {
                value.as_f64().filter(|factor| (0.0..=1000.0).contains(factor)).map(|value| *field(self) = value)
            }
        };
        done.ok_or_else(|| format!("{name} takes {}.", takes.words()))
    }

    /// Sets all of `values`, or none.
    pub(crate) fn with(&self, values: &Map<String, Value>) -> Result<Switches, String> {
        let mut switches = self.clone();
        values.iter().try_for_each(|(name, value)| switches.set(name, value))?;
        Ok(switches)
    }

    pub(crate) fn view(&self) -> Value {
        let mut all = self.clone();
        let values = TABLE.iter().map(|(name, takes)| {
            let value = match takes {
                Takes::Flag(field) => json!(*field(&mut all)),
                Takes::Choice(field, _) => json!(*field(&mut all)),
                Takes::Status(field, _) => json!(*field(&mut all)),
                Takes::Cap(field) => json!(*field(&mut all)),
                Takes::Factor(field) => json!(*field(&mut all)),
            };
            ((*name).to_owned(), value)
        });
        Value::Object(values.collect())
    }
}

impl Takes {
    fn words(&self) -> String {
        match self {
            Takes::Flag(_) => "true or false".to_owned(),
            Takes::Choice(_, choices) => choices.join(", "),
            Takes::Status(_, choices) => choices.iter().map(u16::to_string).collect::<Vec<_>>().join(", "),
            Takes::Cap(_) => "an integer of at least 0, or null".to_owned(),
            Takes::Factor(_) => "a number from 0 to 1000".to_owned(),
        }
    }
}
