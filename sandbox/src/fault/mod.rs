//! Scripted faults: what goes wrong, with which requests, how often.

mod strike;

use std::collections::HashMap;

use axum::http::HeaderMap;
use serde_json::{Map, Value, json};

use crate::fields::Fields;
use crate::refusal::Refusal;
use crate::service::idempotency_key;

/// Asks for faults with the request itself: one a comma, one an attempt.
pub(crate) const HEADER: &str = "x-sandbox-fault";
/// Requests remembered for [`HEADER`]; the count starts anew beyond it.
const REMEMBERED: usize = 10_000;
/// A pattern with more of them could take very long to match.
const STARS: usize = 4;
const LONGEST_WAIT_MS: i64 = 600_000;

/// What happens to a request.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Action {
    kind: Kind,
    /// Whether the request is handled before it happens, so that only the answer suffers.
    handled: bool,
}

#[derive(Clone, PartialEq, Debug)]
enum Kind {
    Pass,
    Drop,
    Reset,
    /// Half of the body, then the end.
    Half,
    Slow {
        bytes: usize,
        ms: u64,
    },
    Delay {
        ms: u64,
    },
    Status {
        status: u16,
        code: Option<String>,
        retry_after: Option<String>,
        headers: Vec<(String, String)>,
        body: Option<Value>,
    },
}

const ACTIONS: &str = "one of drop, drop_answer, reset, reset_answer, half_answer, slow_answer, delay, delay_answer, status, status_answer, throttle, pass";

impl Action {
    /// Reads `action` and what belongs to it.
    fn read(fields: Fields<'_>) -> Result<Action, Refusal> {
        let name = fields.required_text("action")?;
        let (name, handled) = match name.strip_suffix("_answer") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let count = |name: &str, default: i64, most: i64| {
            let given = fields.integer(name)?.unwrap_or(default);
            let fits = (1..=most).contains(&given);
            if fits { Ok(given as u64) } else { Err(fields.refuse(name, &format!("an integer from 1 to {most}"))) }
        };
        // All of them are checked, whatever the action: who lists the script gets them back.
        let (ms, bytes) = (|default| count("ms", default, LONGEST_WAIT_MS), count("bytes", 1, i64::MAX)? as usize);
        let (delay, status) = (ms(1000)?, Kind::status(fields, 503)?);
        let kind = match (name, handled) {
            ("pass", false) => Kind::Pass,
            ("drop", _) => Kind::Drop,
            ("reset", _) => Kind::Reset,
            ("half", true) => Kind::Half,
            ("slow", true) => Kind::Slow { bytes, ms: ms(10)? },
            ("delay", _) => Kind::Delay { ms: delay },
            ("status", _) => status,
            ("throttle", false) => Kind::status(fields, 429)?,
            _ => return Err(fields.refuse("action", ACTIONS)),
        };
        Ok(Action { kind, handled })
    }

    /// The actions of a header: `drop_answer, status;status=503;retry_after=1`.
    fn sequence(header: &str) -> Result<Vec<Action>, Refusal> {
        let mut actions = Vec::new();
        for one in header.split(',') {
            let mut parts = one.split(';').map(str::trim);
            let mut map = Map::from_iter([("action".to_owned(), json!(parts.next()))]);
            for part in parts {
                let (name, value) = part.split_once('=').unwrap_or((part, ""));
                map.insert(name.to_owned(), value.parse::<i64>().map_or_else(|_| json!(value), |number| json!(number)));
            }
            let fields = fields(&map);
            let times = fields.integer("times")?.unwrap_or(1).clamp(0, 100);
            let action = Action::read(fields)?;
            actions.extend(std::iter::repeat_n(action, times as usize));
        }
        Ok(actions)
    }
}

impl Kind {
    fn status(fields: Fields<'_>, default: i64) -> Result<Kind, Refusal> {
        let status = fields.integer("status")?.unwrap_or(default);
        let status = u16::try_from(status).ok().filter(|status| (200..600).contains(status));
        let mut headers = Vec::new();
        fields.object("headers")?;
        for (name, value) in fields.get("headers").and_then(Value::as_object).into_iter().flatten() {
            let value = value.as_str().ok_or_else(|| fields.refuse("headers", "an object of strings"))?;
            headers.push((name.clone(), value.to_owned()));
        }
        let retry_after = match fields.get("retry_after") {
            None => (default == 429).then(|| "1".to_owned()),
            Some(Value::String(date)) => Some(date.clone()),
            Some(Value::Number(seconds)) => Some(seconds.to_string()),
            Some(_) => return Err(fields.refuse("retry_after", "seconds, or a date")),
        };
        Ok(Kind::Status {
            status: status.ok_or_else(|| fields.refuse("status", "a status from 200 to 599"))?,
            code: fields.text("code")?.map(str::to_owned),
            retry_after,
            headers,
            body: fields.get("body").cloned(),
        })
    }
}

/// One line of the script.
#[derive(Debug)]
struct Line {
    /// As it was given, for whoever lists the script.
    given: Map<String, Value>,
    method: Option<String>,
    path: String,
    /// How many matching requests pass first.
    after: u64,
    /// How many suffer; `None` for all of them.
    times: Option<u64>,
    action: Action,
    matched: u64,
}

impl Line {
    fn read(given: &Map<String, Value>) -> Result<Line, Refusal> {
        let fields = fields(given);
        let path = fields.text("path")?.unwrap_or("*").to_owned();
        if path.matches('*').count() > STARS {
            return Err(fields.refuse("path", &format!("a path with at most {STARS} stars")));
        }
        let count = |name: &str| {
            let count = fields.integer(name)?.map(u64::try_from).transpose();
            count.map_err(|_| fields.refuse(name, "an integer of at least 0"))
        };
        let times =
            if given.get("times").is_some_and(Value::is_null) { None } else { Some(count("times")?.unwrap_or(1)) };
        Ok(Line {
            method: fields.text("method")?.map(str::to_ascii_uppercase),
            path,
            after: count("after")?.unwrap_or(0),
            times,
            action: Action::read(fields)?,
            matched: 0,
            given: given.clone(),
        })
    }

    fn hits(&self) -> u64 {
        let beyond = self.matched.saturating_sub(self.after);
        self.times.map_or(beyond, |times| beyond.min(times))
    }

    fn view(&self) -> Value {
        let mut view = self.given.clone();
        view.insert("hits".to_owned(), self.hits().into());
        Value::Object(view)
    }
}

/// The script of a namespace.
#[derive(Debug, Default)]
pub(crate) struct Script {
    lines: Vec<Line>,
    attempts: HashMap<String, usize>,
}

impl Script {
    pub(crate) fn add(&mut self, given: &Map<String, Value>) -> Result<(), Refusal> {
        self.lines.push(Line::read(given)?);
        Ok(())
    }

    pub(crate) fn view(&self) -> Value {
        self.lines.iter().map(Line::view).collect()
    }

    /// What is to happen to this request; the first line that still wants it decides.
    pub(crate) fn take(&mut self, method: &str, path: &str, headers: &HeaderMap) -> Result<Option<Action>, Refusal> {
        if let Some(header) = headers.get(HEADER) {
            let actions = Action::sequence(header.to_str().unwrap_or_default())?;
            return Ok(actions.into_iter().nth(self.attempt(method, path, headers)));
        }
        for line in &mut self.lines {
            let concerned = line.method.as_deref().is_none_or(|wanted| wanted == method) && fits(&line.path, path);
            if !concerned || line.times.is_some_and(|times| line.matched >= line.after + times) {
                continue;
            }
            line.matched += 1;
            if line.matched > line.after {
                return Ok(Some(line.action.clone()));
            }
        }
        Ok(None)
    }

    /// How often this request came before: the same method, path, fault header and idempotency key.
    fn attempt(&mut self, method: &str, path: &str, headers: &HeaderMap) -> usize {
        let value = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let key = idempotency_key(headers).unwrap_or_default();
        let request = format!("{method} {path}\n{}\n{key}", value(HEADER));
        if self.attempts.len() >= REMEMBERED {
            self.attempts.clear();
        }
        let count = self.attempts.entry(request).or_default();
        *count += 1;
        *count - 1
    }
}

fn fields(map: &Map<String, Value>) -> Fields<'_> {
    Fields::new(map, |name, must_be| Refusal::bad_request(format!("{name} must be {must_be}.")))
}

/// Whether a path is meant by a pattern, in which `{name}` is one segment and `*` anything.
fn fits(pattern: &str, path: &str) -> bool {
    match pattern.chars().next() {
        None => path.is_empty(),
        Some('*') => path
            .char_indices()
            .map(|(index, _)| index)
            .chain([path.len()])
            .any(|index| fits(&pattern[1..], &path[index..])),
        Some('{') => {
            let rest = pattern.split_once('}').map_or("", |(_, rest)| rest);
            let end = path.find('/').unwrap_or(path.len());
            end > 0 && fits(rest, &path[end..])
        }
        Some(letter) => path.strip_prefix(letter).is_some_and(|path| fits(&pattern[letter.len_utf8()..], path)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn patterns_are_templates_or_globs() {
        for (pattern, path, meant) in [
            ("*", "/v4/messages", true),
            ("/v4/*", "/v4/chats/x/messages", true),
            ("/v2/api/chats/{chatId}/messages", "/v2/api/chats/%2B1555/messages", true),
            ("/v2/api/chats/{chatId}/messages", "/v2/api/chats/%2B1555/messages/m", false),
            ("/v2/api/chats/{chatId}/messages", "/v2/api/chats//messages", false),
            ("*/messages", "/v4/messages", true),
            ("/v4/messages", "/v4/messages/", false),
            ("{", "x", true),
        ] {
            assert_eq!(fits(pattern, path), meant, "{pattern} {path}");
        }
    }

    #[test]
    fn a_header_is_a_sequence_of_attempts() {
        let actions = Action::sequence("drop_answer;times=2, status;status=500;retry_after=3, pass").unwrap();
        assert_eq!(actions.len(), 4);
        assert_eq!(actions[1], Action { kind: Kind::Drop, handled: true });
        assert!(Action::sequence("explode").is_err() && Action::sequence("").is_err());
    }
}
