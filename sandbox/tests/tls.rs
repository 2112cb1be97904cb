//! HTTPS with the sandbox's own CA.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

use bloomchats_sandbox::{Options, Sandbox, StartError};

#[tokio::test]
async fn whoever_trusts_the_ca_gets_an_answer_and_nobody_else_does() {
    let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
    let sandbox = Sandbox::start(Options::default().tls(std::env::temp_dir())).unwrap();
    let ca = reqwest::Certificate::from_pem(&std::fs::read(sandbox.ca_path().unwrap()).unwrap()).unwrap();
    let trusting = reqwest::Client::builder().tls_certs_only([ca]).build().unwrap();
    let url = format!("{}/v4/me", sandbox.url());
    assert_eq!(trusting.get(&url).send().await.unwrap().status(), 401);
    let by_name = url.replace("127.0.0.1", "localhost");
    assert_eq!(trusting.get(&by_name).send().await.unwrap().status(), 401);
    let fault = trusting.get(&url).bearer_auth(sandbox.blooio_api_key()).header("x-sandbox-fault", "reset");
    assert!(fault.send().await.is_err());
    let stranger = reqwest::Client::builder().tls_certs_only([]).build().unwrap();
    assert!(stranger.get(&url).send().await.unwrap_err().is_connect());
}

#[test]
fn a_switch_that_does_not_exist_stops_the_start() {
    let started = Sandbox::start(Options::default().switch("no_such", true));
    assert!(matches!(started, Err(StartError::Switch(reason)) if reason.contains("no_such")));
}
