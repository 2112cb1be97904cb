//! The spans of `tracing`. A file of its own, because a subscriber is the whole process's.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::io;
use std::sync::{Arc, Mutex};

use bloomchats::{Call, Client, Config};
use serde_json::{Value, json};
use tracing_subscriber::fmt::format::FmtSpan;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn attempts_are_spans_within_the_span_of_their_call() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::CLOSE)
        .with_writer(move || writer.clone())
        .finish();
    let busy = json!({"status": 503, "json": {"error": "busy", "message": "+15551234567", "status": 503}});
    let exchanges = json!([busy, {"status": 202, "headers": {"x-request-id": "req_1"}, "json": {"message_id": "m1", "status": "queued"}}]);
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let (client, _) = Client::open_scripted(Config::blooio(), json!({"exchanges": exchanges}).to_string()).unwrap();
    let arguments = json!({"chat": "+15551234567", "text": "Hello"});
    let sent = client.call(Call::new("blooio.v2.messages.send", arguments.as_object().unwrap().clone())).await;
    assert_eq!(sent.unwrap().attempts, 2);
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for private in ["5551234567", "Hello", "bl_test_key"] {
        assert!(!text.contains(private), "{private} was logged: {text}");
    }
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let closed: Vec<&Value> = lines.iter().filter(|line| line["fields"]["message"] == "close").collect();
    let name = |line: &&Value| line["span"]["otel.name"].as_str().unwrap().to_owned();
    let path = "POST /v2/api/chats/{chat}/messages";
    assert_eq!(closed.iter().map(name).collect::<Vec<_>>(), [path, path, "blooio.v2.messages.send"]);
    let [first, second, call] = closed[..] else { panic!("three spans: {closed:#?}") };
    assert_eq!(first["span"]["error.type"], "503");
    assert_eq!(first["span"]["otel.status_code"], "ERROR");
    assert_eq!(first["spans"][0]["name"], "call");
    assert_eq!(second["span"]["http.request.resend_count"], 1);
    assert_eq!(second["span"]["http.response.status_code"], 202);
    assert_eq!(second["span"]["bloomchats.request_id"], "req_1");
    assert_eq!(call["span"]["bloomchats.attempts"], 2);
    assert_eq!(call["span"]["bloomchats.maybe_sent"], true);
    assert!(lines.iter().any(|line| line["fields"]["retry_in_ms"] == 250), "{lines:#?}");
}
