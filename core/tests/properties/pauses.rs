//! What calls of one client share: the pause that a service asks for, and the budget of retries.

use std::time::{Duration, UNIX_EPOCH};

use bloomchats::{Call, Client, Config, ErrorKind};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::model::NOW_MS;
use crate::support::{block_on, cases};

fn client(exchanges: Vec<Value>) -> (Client, bloomchats::Script) {
    let transcript = json!({"exchanges": exchanges, "jitter": 0.0, "now_ms": NOW_MS});
    Client::open_scripted(Config::blooio(), transcript.to_string()).unwrap()
}

fn read(retries: u32) -> Call {
    let mut call = Call::new("blooio.v2.me.get", Map::new());
    call.options.max_retries = Some(retries);
    call
}

/// "No requests left for `seconds`", said by a clock that is `skew` seconds off.
fn exhausted(form: usize, seconds: i64, skew: i64) -> Value {
    let then = NOW_MS / 1000 + skew;
    match form {
        0 => {
            let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(then.unsigned_abs()));
            json!({"x-ratelimit-remaining": "0", "x-ratelimit-reset": (then + seconds).to_string(), "date": date})
        }
        1 => json!({"ratelimit-remaining": "0", "ratelimit-reset": seconds.to_string()}),
        2 => json!({"ratelimit": format!("limit=100, remaining=0, reset={seconds}")}),
        _ => json!({"ratelimit": format!("\"default\";r=0;t={seconds}")}),
    }
}

proptest! {
    #![proptest_config(cases(20))]

    #[test]
    fn an_announced_pause_is_kept_and_an_absurd_one_is_not(
        form in 0usize..4,
        seconds in prop_oneof![-50i64..400, any::<i32>().prop_map(i64::from)],
        skew in -100_000i64..100_000,
    ) {
        let success = |headers: Value| json!({"status": 200, "headers": headers, "json": {}});
        let (client, script) = client(vec![success(exhausted(form, seconds, skew)), success(json!({}))]);
        prop_assert!(block_on(client.call(read(0))).is_ok());
        let second = block_on(client.call(read(0)));
        let wait = u64::try_from(seconds).ok().filter(|seconds| (1..=120).contains(seconds));
        match wait {
            Some(60..) => {
                let error = second.unwrap_err();
                prop_assert_eq!((error.kind(), error.attempts(), error.maybe_sent()), (ErrorKind::Timeout, 0, false));
                prop_assert_eq!(script.left(), 1, "a wait beyond the call's time is not begun");
            }
            wait => {
                prop_assert!(second.is_ok());
                prop_assert_eq!(script.waits_ms(), wait.map(|seconds| seconds * 1000).into_iter().collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn the_retry_budget_bounds_every_outage(
        fates in prop::collection::vec(prop::sample::select(vec![200u16, 503, 503, 503, 429, 425, 0]), 600),
        retries in 1u32..=10,
    ) {
        let exchange = |fate: &u16| match fate {
            0 => json!({"fault": "connect"}),
            200 => json!({"status": 200, "json": {}}),
            status => json!({"status": status, "json": {"error": "x"}}),
        };
        let (client, _script) = client(fates.iter().map(exchange).collect());
        let mut fates = fates.iter();
        let mut tokens = 500;
        while fates.len() > 11 {
            let (mut attempts, mut taken) = (0, None);
            let succeeds = loop {
                let fate = *fates.next().unwrap();
                attempts += 1;
                if fate == 200 {
                    tokens = 500.min(tokens + taken.unwrap_or(1));
                    break true;
                }
                let cost = if fate == 429 { 5 } else { 14 };
                if attempts > retries || tokens < cost {
                    break false;
                }
                tokens -= cost;
                taken = Some(cost);
            };
            let result = block_on(client.call(read(retries)));
            let made = result.as_ref().map_or_else(|error| error.attempts(), |answer| answer.attempts);
            prop_assert_eq!((result.is_ok(), made), (succeeds, attempts), "{} tokens left", tokens);
        }
    }
}
