//! The rules of retries written a second time, from the design and without a look at the engine, and a service that
//! remembers what it did.

use std::collections::HashSet;
use std::time::Duration;

use bloomchats::SendBody;
use bloomchats::operation::{Idempotency, Method, Operation, SendForm};
use proptest::prelude::*;
use serde_json::{Value, json};

/// What becomes of one attempt.
#[derive(Clone, Debug)]
pub struct Step {
    pub fate: Fate,
    /// The service acted on the request. Means nothing where the fate excludes it.
    pub acted: bool,
    pub delay_ms: u64,
    /// The wall clock is set forward or back meanwhile. No rule looks at it: dates are read by the service's own.
    pub clock_jump_ms: i64,
}

#[derive(Clone, Debug)]
pub enum Fate {
    Connect,
    Reset,
    Silence,
    /// The answer broke off after its head.
    Truncated {
        status: u16,
    },
    Refused {
        status: u16,
        code: Option<&'static str>,
        /// The body is an error object, as v4's rules of fallback ask.
        object: bool,
        wait: Option<NamedWait>,
    },
    /// 422 with one failure a recipient.
    FanOut,
    /// A 2xx that no model fits.
    Garbage,
    Success,
}

/// How a service says when to come back.
#[derive(Clone, Copy, Debug)]
pub enum NamedWait {
    Seconds(u64),
    /// A date, told by a clock that is `skew` seconds off.
    Date {
        seconds: u64,
        skew: i32,
    },
    Body(u64),
    /// The larger counts.
    Both {
        header: u64,
        body: u64,
    },
}

pub const NOW_MS: i64 = 1_790_000_000_000;

impl NamedWait {
    pub fn seconds(self) -> u64 {
        match self {
            NamedWait::Seconds(n) | NamedWait::Body(n) | NamedWait::Date { seconds: n, .. } => n,
            NamedWait::Both { header, body } => header.max(body),
        }
    }

    fn strategy() -> impl Strategy<Value = NamedWait> {
        let seconds = || prop_oneof![4 => 0u64..20, 1 => 20u64..200];
        prop_oneof![
            3 => seconds().prop_map(NamedWait::Seconds),
            2 => (seconds(), -100_000i32..100_000).prop_map(|(seconds, skew)| NamedWait::Date { seconds, skew }),
            2 => seconds().prop_map(NamedWait::Body),
            1 => (seconds(), seconds()).prop_map(|(header, body)| NamedWait::Both { header, body }),
        ]
    }
}

impl Step {
    pub fn strategy() -> impl Strategy<Value = Step> {
        let codes = [None, None, None, Some("invalid_content"), Some("some_code"), Some("conversation_limit")];
        let refused = |statuses: &'static [u16]| {
            let wait = prop::option::weighted(0.4, NamedWait::strategy());
            (prop::sample::select(statuses), prop::sample::select(codes.to_vec()), prop::bool::weighted(0.8), wait)
                .prop_map(|(status, code, object, wait)| Fate::Refused { status, code, object, wait })
        };
        let quota = prop::sample::select(vec![
            "outbound_limit_reached",
            "new_conversation_limit_reached",
            "conversation_awaiting_reply",
            "safety_reply_only",
        ])
        .prop_map(|code| Fate::Refused { status: 429, code: Some(code), object: true, wait: None });
        let fate = prop_oneof![
            3 => Just(Fate::Connect),
            3 => Just(Fate::Reset),
            2 => Just(Fate::Silence),
            2 => prop::sample::select(vec![200u16, 202, 400, 429, 503]).prop_map(|status| Fate::Truncated { status }),
            5 => refused(&[408, 500, 502, 503, 504]),
            4 => refused(&[429]),
            1 => quota,
            2 => refused(&[425]),
            3 => refused(&[400, 422, 401, 403, 404, 405, 410, 413, 415, 402, 501]),
            2 => refused(&[409, 302, 406, 418, 507, 521, 599]),
            1 => Just(Fate::FanOut),
            1 => Just(Fate::Garbage),
            2 => Just(Fate::Success),
        ];
        let delay = prop_oneof![3 => Just(0u64), 2 => 0u64..2_000, 1 => 0u64..90_000];
        let jump = prop_oneof![4 => Just(0i64), 1 => -90_000_000i64..90_000_000];
        (fate, any::<bool>(), delay, jump).prop_map(|(fate, acted, delay_ms, clock_jump_ms)| Step {
            fate,
            acted,
            delay_ms,
            clock_jump_ms,
        })
    }

    /// As the transcript has it.
    pub fn exchange(&self, success: &Value) -> Value {
        let mut exchange = match &self.fate {
            Fate::Connect => json!({"fault": "connect"}),
            Fate::Reset => json!({"fault": "reset"}),
            Fate::Silence => json!({"fault": "timeout"}),
            Fate::Truncated { status } => json!({"fault": "truncated", "status": status}),
            Fate::FanOut => {
                json!({"status": 422, "json": {"data": [{"status": "failed", "error": {"code": "x"}}], "failed": 1}})
            }
            Fate::Garbage => json!({"status": 202, "headers": {"content-type": "text/html"}, "body": "<p>"}),
            Fate::Success => json!({"status": 200, "json": success}),
            Fate::Refused { status, code, object, wait } => refusal(*status, *code, *object, *wait),
        };
        exchange["delay_ms"] = self.delay_ms.into();
        exchange["clock_jump_ms"] = self.clock_jump_ms.into();
        exchange
    }

    /// The service has done what was asked, whatever it said about it.
    pub fn has_effect(&self) -> bool {
        match &self.fate {
            Fate::Connect => false,
            Fate::Success | Fate::Garbage => true,
            Fate::Refused { status, .. } if is_definite(*status) => false,
            Fate::Truncated { status } if is_definite(*status) => false,
            _ => self.acted,
        }
    }

    /// Nothing of it ever leaves.
    pub fn is_unconnected(&self) -> bool {
        matches!(self.fate, Fate::Connect)
    }

    /// Nobody who saw this can think that something was done.
    fn excludes_effect(&self, late: bool) -> bool {
        match &self.fate {
            Fate::Connect => true,
            _ if late => false,
            Fate::Refused { status, .. } | Fate::Truncated { status } => is_definite(*status),
            _ => false,
        }
    }

    fn reason(&self, late: bool) -> Reason {
        match &self.fate {
            Fate::Connect => Reason::Unsent,
            _ if late => Reason::Uncertain,
            Fate::Reset | Fate::Silence => Reason::Uncertain,
            Fate::Truncated { status: 200..300 } => Reason::Uncertain,
            Fate::Truncated { status } => Reason::of(*status, None),
            Fate::Refused { status, code, .. } => Reason::of(*status, *code),
            Fate::FanOut | Fate::Garbage | Fate::Success => Reason::Final,
        }
    }

    fn named_wait(&self, late: bool) -> Option<NamedWait> {
        match &self.fate {
            Fate::Refused { wait, .. } if !late => *wait,
            _ => None,
        }
    }
}

fn refusal(status: u16, code: Option<&str>, object: bool, wait: Option<NamedWait>) -> Value {
    let mut body = if object { json!({"error": {"message": "no"}}) } else { json!({"message": "no"}) };
    if let Some(code) = code {
        let at = if object { &mut body["error"] } else { &mut body };
        at["code"] = code.into();
    }
    let mut headers = json!({});
    match wait {
        None => {}
        Some(NamedWait::Seconds(n)) => headers["retry-after"] = n.to_string().into(),
        Some(NamedWait::Body(n)) => body["retry_after"] = n.into(),
        Some(NamedWait::Both { header, body: n }) => {
            headers["retry-after"] = header.to_string().into();
            body["retry_after"] = n.into();
        }
        Some(NamedWait::Date { seconds, skew }) => {
            let then = (NOW_MS / 1000 + i64::from(skew)).unsigned_abs();
            let date = |at: u64| httpdate::fmt_http_date(std::time::UNIX_EPOCH + Duration::from_secs(at));
            headers["date"] = date(then).into();
            headers["retry-after"] = date(then + seconds).into();
        }
    }
    json!({"status": status, "headers": headers, "json": body})
}

fn is_definite(status: u16) -> bool {
    [400, 401, 402, 403, 404, 405, 410, 413, 415, 422, 425, 429, 501].contains(&status)
}

#[derive(Clone, Copy, PartialEq)]
enum Reason {
    Unsent,
    Uncertain,
    Throttled,
    Unready,
    Final,
}

impl Reason {
    fn of(status: u16, code: Option<&str>) -> Reason {
        let hopeless = |code: &str| {
            code == "outbound_limit_reached"
                || code == "new_conversation_limit_reached"
                || code.starts_with("conversation_")
                || code.starts_with("safety_")
        };
        match status {
            408 | 500 | 502 | 503 | 504 => Reason::Uncertain,
            425 => Reason::Unready,
            429 if !code.is_some_and(hopeless) => Reason::Throttled,
            _ => Reason::Final,
        }
    }
}

/// A call's settings.
#[derive(Clone, Debug)]
pub struct Settings {
    pub timeout_ms: u64,
    pub attempt_timeout_ms: u64,
    pub max_retries: u32,
    pub jitter: f64,
    pub key: Option<&'static str>,
    pub dry_run: bool,
    pub mode: SendBody,
}

impl Settings {
    pub fn strategy() -> impl Strategy<Value = Settings> {
        let long = prop_oneof![1 => 1u64..2_000, 3 => 2_000u64..120_000, 2 => 120_000u64..2_000_000];
        let attempt = prop_oneof![1 => 1u64..1_000, 3 => 1_000u64..100_000];
        // Fractions that leave whole milliseconds of every backoff.
        let jitter = prop::sample::select(vec![0.0, 0.25, 0.5, 1.0]);
        let key = prop::sample::select(vec![None, None, Some("k-1"), Some("k-1:flat")]);
        let mode = prop::sample::select(vec![SendBody::Auto, SendBody::Auto, SendBody::Content, SendBody::Flat]);
        (long, attempt, 0u32..=10, jitter, key, prop::bool::weighted(0.1), mode).prop_map(
            |(timeout_ms, attempt_timeout_ms, max_retries, jitter, key, dry_run, mode)| Settings {
                timeout_ms,
                attempt_timeout_ms,
                max_retries,
                jitter,
                key,
                dry_run,
                mode,
            },
        )
    }
}

/// What must happen.
#[derive(Debug, PartialEq)]
pub struct Expected {
    pub attempts: usize,
    /// Which attempts carried the flat body form's key.
    pub flat: Vec<bool>,
    pub waits_ms: Vec<u64>,
    pub elapsed_ms: u64,
    pub succeeds: bool,
    pub maybe_sent: bool,
}

/// The operation as the rules see it.
pub struct Rules {
    pub harmless: bool,
    /// May follow an attempt that may have arrived.
    pub repeatable: bool,
    pub keyed: bool,
    /// The body exists in two generations.
    generations: bool,
    one_time_secret: bool,
}

impl Rules {
    pub fn of(operation: &Operation, settings: &Settings) -> Rules {
        let get = operation.method == Method::Get && !operation.effect_get;
        let dry_run = settings.dry_run && takes_dry_run(operation);
        let harmless = get || operation.read_only || dry_run;
        let trusted = operation.idempotency == Idempotency::Trusted;
        Rules {
            harmless,
            repeatable: harmless || trusted || matches!(operation.method, Method::Put | Method::Delete),
            keyed: !dry_run && (settings.key.is_some() || operation.idempotency != Idempotency::None),
            generations: matches!(operation.send, Some(SendForm::V4Routed | SendForm::V4Channel | SendForm::V4Chat)),
            one_time_secret: operation.one_time_secret,
        }
    }
}

pub fn takes_dry_run(operation: &Operation) -> bool {
    operation.send.is_some() && operation.arguments.iter().any(|argument| argument.field.name == "dry_run")
}

/// Only a v4 send fans out; elsewhere the same body is a plain 422.
pub fn fit(rules: &Rules, mut steps: Vec<Step>) -> Vec<Step> {
    for step in steps.iter_mut().filter(|step| !rules.generations && matches!(step.fate, Fate::FanOut)) {
        step.fate = Fate::Refused { status: 422, code: None, object: false, wait: None };
    }
    steps
}

/// An attempt is not begun for less time than this: it would only turn a refusal into a doubt.
const USEFUL_MS: u64 = 50;

/// Plays the steps by the book.
pub fn predict(rules: &Rules, settings: &Settings, steps: &[Step]) -> Expected {
    let given_flat = settings.key.is_some_and(|key| key.ends_with(":flat"));
    let mut flat = rules.generations && (settings.mode == SendBody::Flat || given_flat);
    let may_fall_back = rules.generations && settings.mode == SendBody::Auto && !given_flat;
    let mut out =
        Expected { attempts: 0, flat: vec![], waits_ms: vec![], elapsed_ms: 0, succeeds: false, maybe_sent: false };
    let mut retries = 0;
    for step in steps {
        let left = settings.timeout_ms - out.elapsed_ms;
        let limit = left.min(settings.attempt_timeout_ms);
        let late = step.delay_ms > limit || matches!(step.fate, Fate::Silence);
        out.attempts += 1;
        out.flat.push(flat);
        out.elapsed_ms += if late { limit } else { step.delay_ms };
        if matches!(step.fate, Fate::Success) && !late {
            out.succeeds = true;
            return out;
        }
        out.maybe_sent |= !rules.harmless && !step.excludes_effect(late);
        if may_fall_back && !flat && out.attempts == 1 && !late && asks_for_flat(&step.fate) {
            flat = true;
            continue;
        }
        let reason = step.reason(late);
        let again = match reason {
            Reason::Final => false,
            Reason::Uncertain => rules.repeatable && !rules.one_time_secret,
            Reason::Unsent | Reason::Throttled | Reason::Unready => true,
        };
        if !again || retries == settings.max_retries {
            return out;
        }
        let base = if reason == Reason::Throttled { 1_000u64 } else { 500 };
        let backoff = ((base << retries).min(20_000) as f64 * settings.jitter) as u64;
        let wait = step.named_wait(late).map_or(backoff, |wait| wait.seconds() * 1_000);
        if wait + USEFUL_MS >= settings.timeout_ms - out.elapsed_ms {
            return out;
        }
        retries += 1;
        out.waits_ms.push(wait);
        out.elapsed_ms += wait;
    }
    out
}

fn asks_for_flat(fate: &Fate) -> bool {
    matches!(fate, Fate::Refused { status: 400 | 422, code: None | Some("invalid_content"), object: true, .. })
}

/// A service that honours idempotency keys, and what it holds.
#[derive(Default)]
pub struct Service {
    keys: HashSet<String>,
    pub messages: usize,
}

impl Service {
    pub fn act(&mut self, key: Option<&str>) {
        let is_new = key.is_none_or(|key| self.keys.insert(key.to_owned()));
        self.messages += usize::from(is_new);
    }
}
