//! What the process around a client does to it: proxies of the environment, and runtimes with one thread.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bloomchats::{BoxFuture, Client, CredentialProvider, ErrorKind, Secret};
use serde_json::json;

use crate::child;
use crate::server::{ACCEPTED, call, config, plain, send, serve};

#[tokio::test]
async fn loopback_ignores_the_environments_proxy() {
    if let Some(url) = child::told() {
        assert_eq!(Client::open(config(url)).unwrap().call(send()).await.unwrap().status, 202);
        return;
    }
    let (address, _requests) = serve(ACCEPTED).await;
    let run = move || {
        let nobody = "http://127.0.0.1:1";
        let environment = [("HTTP_PROXY", nobody), ("http_proxy", nobody), ("ALL_PROXY", nobody)];
        child::run("environment::loopback_ignores_the_environments_proxy", &format!("http://{address}"), &environment);
    };
    tokio::task::spawn_blocking(run).await.unwrap();
}

#[test]
#[cfg(target_os = "linux")]
fn a_runtime_of_one_thread_is_enough() {
    if child::told().is_none() {
        return child::run("environment::a_runtime_of_one_thread_is_enough", "count", &[]);
    }
    let threads = || std::fs::read_dir("/proc/self/task").unwrap().count();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (address, _requests) = serve(ACCEPTED).await;
        let before = threads();
        let client = plain(address);
        for _ in 0..3 {
            assert_eq!(client.call(send()).await.unwrap().status, 202);
        }
        assert_eq!(threads(), before, "a call starts no thread");
    });
}

/// Whatever a call would have to wait for first, a thread without a runtime is told what it lacks.
#[test]
fn a_thread_without_a_runtime_is_refused_and_does_not_panic() {
    struct Silent;
    impl CredentialProvider for Silent {
        fn credential(&self) -> BoxFuture<bloomchats::Result<Secret>> {
            Box::pin(std::future::pending())
        }
    }
    let config = config("http://127.0.0.1:1");
    let status = call("blooio.v2.messages.wait", json!({"chat": "+15551234567", "message": "m1"}));
    let calls = [(config.clone(), send()), (config.clone(), status), (config.with_provider(Silent), send())];
    for (config, call) in calls {
        let run = pin!(Client::open(config).unwrap().call(call));
        let Poll::Ready(Err(error)) = run.poll(&mut Context::from_waker(Waker::noop())) else { panic!("it waits") };
        assert_eq!((error.kind(), error.maybe_sent()), (ErrorKind::Config, false), "{error}");
    }
}
