//! `bloomchats call` as a shell meets it, against the sandbox.
#![allow(clippy::unwrap_used)]

use std::process::{Command, Output};

use bloomchats_sandbox::{Options, Sandbox};
use serde_json::Value;

fn bloomchats(sandbox: &Sandbox, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bloomchats"))
        .args(arguments)
        .env("BLOOIO_BASE_URL", sandbox.url())
        .env("BLOOMCHATS_BASE_URL", sandbox.url())
        .env("BLOOIO_API_KEY", sandbox.blooio_api_key())
        .env("BLOOMCHATS_API_KEY", sandbox.bloomchats_api_key())
        .output()
        .unwrap()
}

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn messages_leave_through_both_versions_and_lists_come_whole() {
    let sandbox = Sandbox::start(Options::default().port(0)).unwrap();
    let sent = json(&bloomchats(&sandbox, &["call", "blooio.v2.messages.send", "chat=+15551234567", "text=Hello"]));
    let id = format!("message={}", sent["message_id"].as_str().unwrap());
    let arrived =
        bloomchats(&sandbox, &["call", "blooio.v2.messages.wait", "chat=+15551234567", &id, "--timeout", "20"]);
    assert_eq!(json(&arrived)["status"], "delivered");

    let dry =
        bloomchats(&sandbox, &["call", "blooio.v4.messages.send", "to=+15551234567", "text=Hello", "dry_run:=true"]);
    assert_eq!(json(&dry)["dry_run"], true);

    let contacts = bloomchats(&sandbox, &["call", "bloomchats.contacts.list", "--all"]);
    assert!(String::from_utf8_lossy(&contacts.stdout).lines().count() >= 100);
}

#[test]
fn a_key_given_again_sends_nothing_again() {
    let sandbox = Sandbox::start(Options::default().port(0)).unwrap();
    let send = ["call", "blooio.v2.messages.send", "chat=+15551234567", "text=Hello", "--idempotency-key", "order-1"];
    assert_eq!(json(&bloomchats(&sandbox, &send))["message_id"], json(&bloomchats(&sandbox, &send))["message_id"]);
}

#[test]
fn failures_are_one_clear_line_and_an_exit_code() {
    let sandbox = Sandbox::start(Options::default().port(0)).unwrap();
    let cases: &[(&[&str], &str)] = &[
        (&["call", "blooio.v2.messages.get", "chat=+15551234567", "message=none"], "NotFoundError"),
        (&["call", "blooio.v2.messages.send", "chat=..", "text=x"], "dot segment"),
        (&["call", "blooio.v2.messages.send", "chat"], "name=text"),
        (&["call", "blooio.v2.messages.send", "chat=+15551234567", "text:=["], "not JSON"),
        (&["call", "blooio.v2.messages.sent"], "operation"),
    ];
    for (arguments, expected) in cases {
        let output = bloomchats(&sandbox, arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.contains(expected) && said.lines().count() == 1, "{arguments:?}: {said}");
        assert!(!said.contains("15551234567"), "{said}");
    }
}

#[test]
fn an_answer_that_never_comes_exits_with_3_and_the_key() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_bloomchats"))
        .args(["call", "blooio.v2.messages.send", "chat=+15551234567", "text=Hello", "--timeout", "0.3"])
        .env("BLOOIO_BASE_URL", format!("http://{}", listener.local_addr().unwrap()))
        .env("BLOOIO_API_KEY", "bl_test_key")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("--idempotency-key "), "{said}");
}
