//! The promise over real sockets: whatever becomes of each attempt, and wherever a caller lets go, the person has the message once,
//! or not at all and the caller knows; and the same key again always ends with once.
//!
//! The sandbox plays the faults; its inbox is the judge. The schedules of `properties/` are more, on a scripted world.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bloomchats::{Call, Client, Config};
use bloomchats_sandbox::{Options, Sandbox};
use serde_json::json;
use tokio::task::JoinSet;

/// Beyond this an attempt is over; the sandbox' delays are far longer, its own work far shorter.
const ATTEMPT: Duration = Duration::from_millis(700);

/// What may become of one attempt.
const FAULTS: &[&str] = &[
    "drop",
    "drop_answer",
    "reset",
    "reset_answer",
    "half_answer",
    "slow_answer;bytes=1;ms=200",
    "delay;ms=2000",
    "delay_answer;ms=2000",
    "status;status=400",
    "status;status=503",
    "status_answer;status=503",
    "throttle;retry_after=0",
    "pass",
];

/// Operations that put something into a person's inbox, and whether a key protects them.
const SENDS: &[(&str, bool)] =
    &[("blooio.v2.messages.send", true), ("blooio.v4.messages.send", true), ("blooio.v2.polls.send", false)];

/// Has each promise kept over both.
macro_rules! over_both {
    ($($promise:ident),*) => {
        mod http1 {
            $(#[tokio::test] async fn $promise() { super::$promise(super::Over::Http1).await; })*
        }
        mod http2 {
            $(#[tokio::test] async fn $promise() { super::$promise(super::Over::Http2).await; })*
        }
    };
}

over_both!(whatever_becomes_of_two_attempts, whatever_becomes_of_every_attempt, wherever_a_caller_lets_go);

struct World {
    sandbox: Sandbox,
    client: Client,
}

/// How the sandbox is reached: HTTP/1.1 as it stands, or HTTP/2 under TLS, as the services are.
#[derive(Clone, Copy, Debug)]
enum Over {
    Http1,
    Http2,
}

impl World {
    fn new(over: Over) -> Arc<World> {
        let options = match over {
            Over::Http1 => Options::default(),
            Over::Http2 => Options::default().tls(std::env::temp_dir()),
        };
        let sandbox = Sandbox::start(options).unwrap();
        let mut config = Config::blooio().with_base_url(sandbox.url()).with_api_key(sandbox.blooio_api_key());
        config.ca_certs = sandbox.ca_path().map(|path| std::fs::read(path).unwrap());
        Arc::new(World { client: Client::open(config).unwrap(), sandbox })
    }

    /// How often the person has what was sent under this text.
    async fn received(&self, person: &str) -> usize {
        self.sandbox.phone(person).inbox().await.unwrap().len()
    }
}

fn call(operation: &str, person: &str, script: &str, key: Option<String>) -> Call {
    let arguments = match operation {
        "blooio.v2.messages.send" => json!({"chat": person, "text": "Hello"}),
        "blooio.v4.messages.send" => json!({"to": person, "text": "Hello"}),
        _ => json!({"chat": person, "title": "When?", "options": ["now", "later"]}),
    };
    let mut call = Call::new(operation, arguments.as_object().unwrap().clone());
    call.options.idempotency_key = key;
    if !script.is_empty() {
        call.options.attempt_timeout = Some(ATTEMPT);
        call.options.headers.push(("x-sandbox-fault".into(), script.into()));
    }
    call
}

/// Every schedule gets a person of its own.
fn people() -> impl Iterator<Item = String> {
    (0..).map(|n| format!("+1555{:07}", 2_000_000 + n))
}

/// How a call ended.
#[derive(PartialEq, Eq, PartialOrd, Ord, Debug)]
enum End {
    Sent,
    InDoubtButSent,
    NotSent,
}

async fn survives(world: Arc<World>, operation: &'static str, trusted: bool, script: String, person: String) -> End {
    let told = format!("{operation} under {script:?}");
    let result = world.client.call(call(operation, &person, &script, None)).await;
    let received = world.received(&person).await;
    let error = match result {
        Ok(answer) => {
            assert_eq!(received, 1, "{told}: {answer:?}");
            return End::Sent;
        }
        Err(error) => error,
    };
    assert!(received <= 1, "{told}: {received} messages");
    assert!(received == 0 || error.maybe_sent(), "{told}: it arrived, and the error denies it: {error}");
    if trusted {
        let key = error.idempotency_key().unwrap().to_owned();
        let again = world.client.call(call(operation, &person, "", Some(key))).await;
        assert!(again.is_ok(), "{told}: {:?}", again.err());
        // A request that the sandbox sat on may come through only now; under its key it is the same message.
        assert_eq!(world.received(&person).await, 1, "{told}: resumed");
    }
    if received == 1 { End::InDoubtButSent } else { End::NotSent }
}

/// Every end must have been met: a script that the sandbox does not heed would prove nothing.
async fn all_end(schedules: JoinSet<End>) {
    let ends: BTreeSet<End> = schedules.join_all().await.into_iter().collect();
    assert_eq!(ends.into_iter().collect::<Vec<_>>(), [End::Sent, End::InDoubtButSent, End::NotSent]);
}

async fn whatever_becomes_of_two_attempts(over: Over) {
    let world = World::new(over);
    let mut schedules = JoinSet::new();
    let mut people = people();
    for &(operation, trusted) in SENDS {
        for first in FAULTS {
            for second in FAULTS {
                let (script, person) = (format!("{first}, {second}"), people.next().unwrap());
                schedules.spawn(survives(world.clone(), operation, trusted, script, person));
            }
        }
    }
    all_end(schedules).await;
}

async fn whatever_becomes_of_every_attempt(over: Over) {
    let world = World::new(over);
    let mut schedules = JoinSet::new();
    let mut people = people();
    for &(operation, trusted) in SENDS {
        for fault in FAULTS {
            let (script, person) = (format!("{fault};times=3"), people.next().unwrap());
            schedules.spawn(survives(world.clone(), operation, trusted, script, person));
        }
    }
    all_end(schedules).await;
}

/// The caller lets go at every stage: before the request left, while the service sits on it, and after it was done.
async fn wherever_a_caller_lets_go(over: Over) {
    let world = World::new(over);
    let mut schedules = JoinSet::new();
    let mut people = people();
    for operation in ["blooio.v2.messages.send", "blooio.v4.messages.send"] {
        for script in
            ["delay;ms=60", "delay_answer;ms=60", "drop_answer, delay_answer;ms=60", "slow_answer;bytes=1;ms=2"]
        {
            for patience_ms in [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512] {
                let (world, person) = (world.clone(), people.next().unwrap());
                schedules.spawn(async move {
                    let (progress, run) = world.client.start(call(operation, &person, script, None));
                    let ended = tokio::time::timeout(Duration::from_millis(patience_ms), run).await;
                    let told = format!("{operation} under {script:?}, dropped after {patience_ms} ms");
                    if ended.is_ok_and(|result| result.is_ok()) {
                        assert_eq!(world.received(&person).await, 1, "{told}");
                        return End::Sent;
                    }
                    let (maybe_sent, key) = (progress.maybe_sent(), progress.idempotency_key());
                    let received = world.received(&person).await;
                    assert!(received == 0 || maybe_sent, "{told}: it arrived");
                    // A call that never began has no key, and nothing to resume.
                    let again = world.client.call(call(operation, &person, "", key)).await;
                    assert!(again.is_ok(), "{told}: {:?}", again.err());
                    assert_eq!(world.received(&person).await, 1, "{told}: resumed");
                    if received == 1 { End::InDoubtButSent } else { End::NotSent }
                });
            }
        }
    }
    all_end(schedules).await;
}
