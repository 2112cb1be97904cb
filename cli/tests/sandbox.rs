//! `bloomchats sandbox` as a process: what it prints, how it ends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

fn bloomchats(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bloomchats"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn started(arguments: &[&str]) -> (Child, String) {
    let mut child = bloomchats(arguments).stdin(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    (child, line)
}

fn ended(mut child: Child) -> bool {
    let deadline = Instant::now() + Duration::from_secs(10);
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().unwrap() {
            return status.success();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    panic!("it did not end");
}

#[track_caller]
fn refuses_in_one_line(output: &Output, needle: &str) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(text.contains(needle), "{text}");
    assert!(output.stdout.is_empty());
    assert_eq!(text.lines().count(), 1, "{text}");
}

#[test]
fn json_is_the_first_line_and_stdin_s_end_the_end() {
    let (mut child, line) = started(&["sandbox", "--json", "--port", "0", "--stop-on-stdin-close"]);
    let ready: Value = serde_json::from_str(&line).unwrap();
    assert!(ready["url"].as_str().unwrap().starts_with("http://127.0.0.1:"));
    assert!(ready["blooio_api_key"].as_str().unwrap().starts_with("bl_sandbox_"));
    assert!(ready["bloomchats_api_key"].as_str().unwrap().starts_with("dmtb_sandbox_"));
    assert!(ready["ready_ms"].is_u64());
    drop(child.stdin.take());
    assert!(ended(child));
}

#[cfg(unix)]
#[test]
fn signals_end_it_well() {
    for signal in ["-INT", "-TERM"] {
        let (child, _) = started(&["sandbox", "--json", "--port", "0"]);
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        assert!(ended(child), "{signal}");
    }
}

#[test]
fn people_get_two_lines_to_paste() {
    let mut child = bloomchats(&["sandbox", "--port", "0", "--stop-on-stdin-close"]).spawn().unwrap();
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(ended(child));
    assert!(
        text.contains("\nexport BLOOIO_BASE_URL=http://127.0.0.1:") && text.contains(" BLOOIO_API_KEY=bl_sandbox_"),
        "{text}"
    );
    assert!(
        text.contains("\nexport BLOOMCHATS_BASE_URL=http://127.0.0.1:")
            && text.contains(" BLOOMCHATS_API_KEY=dmtb_sandbox_")
    );
}

#[test]
fn a_port_in_use_is_said_in_one_line() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = bloomchats(&["sandbox", "--json", "--port", &port]).output().unwrap();
    refuses_in_one_line(&output, &format!("port {port} is in use"));
}

#[test]
fn flags_it_does_not_know_are_named() {
    refuses_in_one_line(&bloomchats(&["sandbox", "--prot", "1"]).output().unwrap(), "unexpected argument '--prot'");
    refuses_in_one_line(&bloomchats(&["sandbox", "--port", "70000"]).output().unwrap(), "invalid value '70000'");
    let version = bloomchats(&["--version"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&version.stdout).trim(), concat!("bloomchats ", env!("CARGO_PKG_VERSION")));
}

#[test]
fn tls_switches_and_other_addresses_are_flags() {
    let arguments =
        ["sandbox", "--json", "--port", "0", "--tls", "--switch", "send_status=202", "--stop-on-stdin-close"];
    let (mut child, line) = started(&arguments);
    let ready: Value = serde_json::from_str(&line).unwrap();
    assert!(ready["url"].as_str().unwrap().starts_with("https://127.0.0.1:"));
    let ca = ready["ca_path"].as_str().unwrap().to_owned();
    assert!(std::fs::read_to_string(&ca).unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
    drop(child.stdin.take());
    assert!(ended(child));
    assert!(!std::path::Path::new(&ca).exists());
    let unknown = bloomchats(&["sandbox", "--port", "0", "--switch", "no_such=1"]).output().unwrap();
    refuses_in_one_line(&unknown, "no_such is no switch");
    let output =
        bloomchats(&["sandbox", "--port", "0", "--bind", "0.0.0.0", "--stop-on-stdin-close"]).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("Warning: 0.0.0.0"));
}
