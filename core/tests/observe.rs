//! Events beyond what the corpus can say: a dropped call, and an observer of one call.
#![allow(clippy::unwrap_used, missing_docs)]

use std::sync::{Arc, mpsc};
use std::task::{Context, Waker};

use bloomchats::{Call, Client, Config, Event, Scope};
use serde_json::{Value, json};

fn send() -> Call {
    let arguments = json!({"chat": "+15551234567", "text": "Hello"});
    Call::new("blooio.v2.messages.send", arguments.as_object().unwrap().clone())
}

/// Every exchange and wait of this world is pending once.
fn transcript(exchanges: Value) -> String {
    json!({"exchanges": exchanges, "yields": true}).to_string()
}

#[test]
fn a_dropped_call_tells_that_it_was_cancelled() {
    for (exchange, connected) in [(json!({"status": 202}), true), (json!({"fault": "connect"}), false)] {
        let (watched, events) = mpsc::channel();
        let config = Config::blooio().with_observer(move |event| watched.send(event.clone()).unwrap());
        let (client, _) = Client::open_scripted(config, transcript(json!([exchange]))).unwrap();
        let mut call = Box::pin(client.call(send()));
        assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        assert_eq!(events.try_iter().count(), 0);
        drop(call);
        let told: Vec<Event> = events.try_iter().collect();
        assert_eq!(told.iter().map(|event| event.scope).collect::<Vec<_>>(), [Scope::Attempt, Scope::Call]);
        for event in told {
            assert_eq!((event.error.as_deref(), event.status, event.maybe_sent), (Some("cancelled"), None, connected));
        }
    }
}

#[test]
fn one_call_can_be_watched_alone() {
    let (client, _) = Client::open_scripted(Config::blooio(), transcript(json!([{"fault": "connect"}]))).unwrap();
    let (watched, events) = mpsc::channel();
    let mut call = send();
    call.options.max_retries = Some(0);
    let (progress, run) = client.start(call);
    progress.watch(Arc::new(move |event| watched.send(event.clone()).unwrap()));
    let mut run = Box::pin(run);
    while run.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {}
    let told: Vec<_> = events.try_iter().map(|event| (event.scope, event.error.unwrap(), event.maybe_sent)).collect();
    let refused = |scope| (scope, "connection".to_owned(), false);
    assert_eq!(told, [refused(Scope::Attempt), refused(Scope::Call)]);
}
