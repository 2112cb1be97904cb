//! HTTPS with the sandbox's own CA.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

use bloomchats_sandbox::{Options, Sandbox, StartError};

#[tokio::test]
async fn whoever_trusts_the_ca_gets_an_answer_and_nobody_else_does() {
    let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
    let sandbox = Sandbox::start(Options::default().tls(std::env::temp_dir())).unwrap();
    let ca = reqwest::Certificate::from_pem(&std::fs::read(sandbox.ca_path().unwrap()).unwrap()).unwrap();
    let trusting = reqwest::Client::builder().tls_certs_only([ca.clone()]).build().unwrap();
    let url = format!("{}/v4/me", sandbox.url());
    let answer = trusting.get(&url).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.version()), (401, reqwest::Version::HTTP_2));
    let old = reqwest::Client::builder().tls_certs_only([ca.clone()]).http1_only().build().unwrap();
    let answer = old.get(&url).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.version()), (401, reqwest::Version::HTTP_11));
    let by_name = url.replace("127.0.0.1", "localhost");
    assert_eq!(trusting.get(&by_name).send().await.unwrap().status(), 401);
    for client in [trusting, old] {
        let fault = client.get(&url).bearer_auth(sandbox.blooio_api_key()).header("x-sandbox-fault", "reset");
        assert!(fault.send().await.is_err());
        // Steering looks at the host that is asked for.
        let reset = client.post(format!("{}/_sandbox/reset", sandbox.url())).bearer_auth(sandbox.blooio_api_key());
        assert_eq!(reset.send().await.unwrap().status(), 200);
    }
    let stranger = reqwest::Client::builder().tls_certs_only([]).build().unwrap();
    assert!(stranger.get(&url).send().await.unwrap_err().is_connect());
}

#[cfg(feature = "clients")]
#[tokio::test]
async fn its_own_clients_trust_it() {
    let sandbox = Sandbox::start(Options::default().tls(std::env::temp_dir())).unwrap();
    sandbox.blooio().unwrap().v4().me().get().await.unwrap();
    sandbox.bloomchats().unwrap().contacts().list().await.unwrap();
}

#[test]
fn a_switch_that_does_not_exist_stops_the_start() {
    let started = Sandbox::start(Options::default().switch("no_such", true));
    assert!(matches!(started, Err(StartError::Switch(reason)) if reason.contains("no_such")));
}
