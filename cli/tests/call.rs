//! `bloomchats call` as a shell meets it, against the sandbox.
#![allow(clippy::unwrap_used)]

use std::process::{Command, Output, Stdio};

use bloomchats_sandbox::{Options, Sandbox};
use serde_json::Value;

const SEND: [&str; 4] = ["call", "blooio.v2.messages.send", "chat=+15551234567", "text=Hello"];

fn command(sandbox: &Sandbox, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bloomchats"));
    command
        .args(arguments)
        .env("BLOOIO_BASE_URL", sandbox.url())
        .env("BLOOMCHATS_BASE_URL", sandbox.url())
        .env("BLOOIO_API_KEY", sandbox.blooio_api_key())
        .env("BLOOMCHATS_API_KEY", sandbox.bloomchats_api_key());
    command
}

fn bloomchats(sandbox: &Sandbox, arguments: &[&str]) -> Output {
    command(sandbox, arguments).output().unwrap()
}

/// Its end, and what it said, when what it prints goes to `stdout`.
fn printing_to(stdout: impl Into<Stdio>, sandbox: &Sandbox, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = command(sandbox, arguments);
    let child = command.stdin(Stdio::null()).stdout(stdout).stderr(Stdio::piped()).spawn().unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// A pipe that nobody reads any more.
fn closed_pipe() -> std::io::PipeWriter {
    std::io::pipe().unwrap().1
}

fn key(said: &str) -> &str {
    said.trim_end().rsplit_once("--idempotency-key ").unwrap().1
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
        (&["call", "blooio.v2.messages.sent"], "nearest are blooio.v2.messages.send,"),
        (&["call", "nonsense"], "bloomchats operations lists them all"),
        (&["call", "blooio.v2.chats.list", "limit=2"], "write limit:=2"),
        (&["call", "blooio.v2.chats.list", "limit=many"], "write limit:=JSON"),
        (&["call", "blooio.v4.messages.send", "to=+15551234567", "text=x", "dry_run=true"], "write dry_run:=true"),
        (&["call", "blooio.v2.messages.send", "chat=+15551234567", "parts=+15551234567"], "write parts:=JSON"),
        (
            &["call", "blooio.v2.messages.send", "chat=+15551234567", "txt=x"],
            "txt: blooio.v2.messages.send takes chat,",
        ),
        (&["call", "blooio.v2.messages.send", "chat=+15551234567", "txt:=1"], "takes chat, text?,"),
        (
            &["call", "blooio.v2.messages.send", "chat=+15551234567", "text@Cargo.toml"],
            "text: is no upload; write text=",
        ),
        (&["call", "blooio.v2.groups.set_icon", "group=grp_1", "icon=icon.png"], "icon: is an upload; write icon@path"),
        (&["call", "blooio.v2.messages.send", "chat=+15551234567", "text=x", "text:=\"y\""], "text: is given twice"),
        (
            &["call", "blooio.v2.messages.send", "chat=+15551234567", "text=x", "--all"],
            "--all: blooio.v2.messages.send is no list",
        ),
        (&["call", "blooio.v2.messages.send", "chat=+15551234567", "text=x", "--timeout", "-1"], "--timeout:"),
        (&["operations", "nonsense"], "none begins with nonsense"),
    ];
    for (arguments, expected) in cases {
        let output = bloomchats(&sandbox, arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.contains(expected) && said.lines().count() == 1, "{arguments:?}: {said}");
        assert!(!said.contains("15551234567"), "{said}");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert!(runtime.block_on(sandbox.phone("+15551234567").inbox()).unwrap().is_empty());
}

#[test]
fn a_missing_key_is_asked_for_in_the_environment_alone() {
    let sandbox = Sandbox::start(Options::default().port(0)).unwrap();
    let output = command(&sandbox, &SEND).env_remove("BLOOIO_API_KEY").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(said, "bloomchats: no API key: set the environment variable BLOOIO_API_KEY\n");
}

#[test]
fn a_mistaken_command_names_the_help_to_read() {
    let output = Command::new(env!("CARGO_BIN_EXE_bloomchats")).arg("call").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).ends_with("(see bloomchats call --help)\n"));
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

#[test]
fn a_send_whose_answer_cannot_be_printed_exits_with_3_and_the_key() {
    let sandbox = Sandbox::start(Options::default().port(0)).unwrap();
    let mut full = std::fs::OpenOptions::new();
    let full = full.write(true).open("/dev/full").ok().map(Stdio::from);
    for stdout in full.into_iter().chain([closed_pipe().into()]) {
        let (code, said) = printing_to(stdout, &sandbox, &SEND);
        assert_eq!(code, Some(3), "{said}");
        assert!(said.starts_with("bloomchats: standard output: "), "{said}");
        let again = [&SEND[..], &["--idempotency-key", key(&said)]].concat();
        let id = json(&bloomchats(&sandbox, &again))["message_id"].clone();
        assert_eq!(json(&bloomchats(&sandbox, &again))["message_id"], id);
    }
    let list = json(&bloomchats(&sandbox, &["call", "blooio.v2.messages.list", "chat=+15551234567"]));
    assert_eq!(list["pagination"]["total"], if cfg!(target_os = "linux") { 2 } else { 1 });
}

#[test]
fn a_reader_that_goes_away_ends_what_changes_nothing() {
    let sandbox = Sandbox::start(Options::default().port(0)).unwrap();
    let reads: &[&[&str]] = &[
        &["operations"],
        &["call", "blooio.v2.chats.list"],
        &["call", "bloomchats.contacts.list", "--all"],
        &["sandbox", "--port", "0"],
        &["--help"],
    ];
    for arguments in reads {
        assert_eq!(printing_to(closed_pipe(), &sandbox, arguments), (Some(0), String::new()), "{arguments:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_a_failure() {
    let sandbox = Sandbox::start(Options::default().port(0)).unwrap();
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    for arguments in [&["operations"][..], &["call", "blooio.v2.chats.list"], &["sandbox", "--port", "0"]] {
        let (code, said) = printing_to(full(), &sandbox, arguments);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.starts_with("bloomchats: standard output: ") && said.lines().count() == 1, "{said}");
        // Nor is there a panic when it cannot even be said.
        let silent = command(&sandbox, arguments).stdout(full()).stderr(full()).status().unwrap();
        assert_eq!(silent.code(), Some(1), "{arguments:?}");
    }
}

#[cfg(unix)]
mod signals {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::process::Child;

    use super::*;

    /// A call that waits for its answer, and the connection it waits on.
    fn in_flight(program: &[&str], arguments: &[&str]) -> (Child, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let words = [program, &[env!("CARGO_BIN_EXE_bloomchats")], arguments].concat();
        let child = Command::new(words[0])
            .args(&words[1..])
            .env("BLOOIO_BASE_URL", format!("http://{}", listener.local_addr().unwrap()))
            .env("BLOOIO_API_KEY", "bl_test_key")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let connection = listener.accept().unwrap().0;
        let mut request = BufReader::new(&connection).lines();
        assert!(request.next().unwrap().unwrap().ends_with(" HTTP/1.1"));
        (child, connection)
    }

    fn answer(mut connection: &TcpStream, body: &str) {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ";
        write!(connection, "{head}{}\r\n\r\n{body}", body.len()).unwrap();
    }

    fn signal(child: &Child, name: &str) {
        assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
    }

    #[test]
    fn a_send_that_is_interrupted_exits_with_3_and_the_key() {
        // Whoever runs the tests under `nohup` hands down what that ignores.
        let as_usual: &[&str] = if cfg!(target_os = "linux") { &["env", "--default-signal=HUP"] } else { &[] };
        for name in ["-INT", "-TERM", "-HUP"] {
            let (child, _connection) = in_flight(as_usual, &SEND);
            signal(&child, name);
            let output = child.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(3), "{name}: {said}");
            assert!(said.starts_with("bloomchats: interrupted\n") && !key(&said).is_empty(), "{name}: {said}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn nohup_keeps_a_send_going() {
        let (child, connection) = in_flight(&["nohup"], &SEND);
        signal(&child, "-HUP");
        answer(&connection, r#"{"message_id": "m1", "status": "queued"}"#);
        assert_eq!(json(&child.wait_with_output().unwrap())["message_id"], "m1");
    }

    #[test]
    fn a_reader_that_takes_its_time_does_not_keep_a_signal_from_being_heard() {
        let (mut child, connection) = in_flight(&[], &["call", "blooio.v2.request", "method=GET", "path=/x"]);
        // More than a pipe holds.
        answer(&connection, &format!("\"{}\"", "x".repeat(2_000_000)));
        let mut out = child.stdout.take().unwrap();
        out.read_exact(&mut [0]).unwrap();
        signal(&child, "-TERM");
        assert_eq!(child.wait().unwrap().code(), Some(1));
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(said, "bloomchats: interrupted\n");
    }
}
