//! Services that do not answer, or whose path is gone: what is known of a message then, and that the next call gets through.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bloomchats::{Call, Client, ErrorKind};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

use crate::http2::Fate;
use crate::server::{call, config, send};
use crate::tls::{Authority, trusting};
use crate::{http2, server, tls};

/// An operation that no key protects: it is repeated only where nothing can have arrived.
fn poll() -> Call {
    let mut poll = call("blooio.v2.polls.send", json!({"chat": "+15551234567", "title": "?", "options": ["a", "b"]}));
    poll.options.max_retries = Some(1);
    poll
}

/// Accepts connections and says nothing on them; counts them.
async fn silent() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let made = Arc::<AtomicUsize>::default();
    let counted = made.clone();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            held.push(stream);
        }
    });
    (address, made)
}

#[tokio::test]
async fn a_connection_that_is_not_made_in_the_attempts_time_carried_nothing() {
    let (address, made) = silent().await;
    for limits_attempt in [true, false] {
        let mut config = trusting(&Authority::new().pem, address);
        let limit = if limits_attempt { &mut config.attempt_timeout } else { &mut config.connect_timeout };
        *limit = Duration::from_millis(100);
        let error = Client::open(config).unwrap().call(poll()).await.unwrap_err();
        assert_eq!((error.kind(), error.attempts(), error.maybe_sent()), (ErrorKind::Timeout, 2, false), "{error}");
    }
    assert_eq!(made.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn a_call_that_is_dropped_before_it_has_a_connection_leaves_no_doubt() {
    let (address, made) = silent().await;
    let client = Client::open(trusting(&Authority::new().pem, address)).unwrap();
    let (progress, run) = client.start(send());
    let connecting = async {
        while made.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = run => panic!("nobody answers"),
        () = connecting => {}
    }
    assert_eq!((progress.attempts(), progress.maybe_sent()), (1, false));
}

#[tokio::test]
async fn an_answer_that_does_not_come_in_time_leaves_a_doubt() {
    let (address, _made) = silent().await;
    let mut config = config(format!("http://{address}"));
    config.attempt_timeout = Duration::from_millis(100);
    let error = Client::open(config).unwrap().call(poll()).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts(), error.maybe_sent()), (ErrorKind::Timeout, 1, true), "{error}");
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn an_address_that_nobody_answers_at_is_a_timeout_every_time() {
    // With room for nobody: the system drops what comes after.
    let full = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    full.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    full.listen(0).unwrap();
    let address = full.local_addr().unwrap().as_socket().unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) = tokio::time::timeout(Duration::from_millis(100), TcpStream::connect(address)).await {
        waiting.push(stream.unwrap());
    }
    for _ in 0..5 {
        let mut config = config(format!("http://{address}"));
        config.connect_timeout = Duration::from_millis(100);
        let error = Client::open(config).unwrap().call(send()).await.unwrap_err();
        assert_eq!((error.kind(), error.maybe_sent()), (ErrorKind::Timeout, false), "{error}");
    }
}

#[tokio::test]
async fn calls_that_come_first_together_do_not_queue_for_connections_that_none_can_share() {
    let authority = Authority::new();
    let acceptor = tls::acceptor(authority.certify("localhost", |_| {}), &["http/1.1"]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(100)).await;
                server::converse(acceptor.accept(stream).await.unwrap(), server::ACCEPTED.as_bytes()).await;
            });
        }
    });
    let client = Client::open(trusting(&authority.pem, address)).unwrap();
    let begun = Instant::now();
    let many: tokio::task::JoinSet<_> = (0..50).map(|_| client.call(send())).collect();
    assert!(many.join_all().await.iter().all(|result| result.is_ok()));
    // One after the other they would take five seconds.
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

/// A path to `target` whose first connection can be made to lead nowhere: what goes in is swallowed, without a word to either side.
async fn path(target: SocketAddr) -> (SocketAddr, Arc<AtomicBool>) {
    async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, gone: Option<Arc<AtomicBool>>) {
        let mut piece = [0; 4096];
        while let Ok(length @ 1..) = from.read(&mut piece).await {
            if !gone.as_ref().is_some_and(|gone| gone.load(Ordering::SeqCst)) {
                let _ = to.write_all(&piece[..length]).await;
            }
        }
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let gone = Arc::<AtomicBool>::default();
    let mut first = Some(gone.clone());
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let gone = first.take();
            let server = TcpStream::connect(target).await.unwrap();
            client.set_nodelay(true).unwrap();
            server.set_nodelay(true).unwrap();
            let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
            tokio::spawn(carry(from_client, to_server, gone.clone()));
            tokio::spawn(carry(from_server, to_client, gone));
        }
    });
    (address, gone)
}

#[tokio::test]
async fn a_shared_connection_whose_path_is_gone_is_left_after_one_silence() {
    let (authority, target, _requests) = http2::service(&[]).await;
    let (address, gone) = path(target).await;
    let mut config = trusting(&authority.pem, address);
    config.attempt_timeout = Duration::from_millis(300);
    let client = Client::open(config).unwrap();
    client.call(send()).await.unwrap();
    gone.store(true, Ordering::SeqCst);
    let mut again = send();
    again.options.max_retries = Some(1);
    assert_eq!(client.call(again).await.unwrap().attempts, 2);
    assert_eq!(client.call(send()).await.unwrap().attempts, 1);
}

/// Has a paused clock go on as long as `call` runs, with leisure in every second for what crosses sockets; and how far it went.
async fn hasten<T>(call: impl Future<Output = T>) -> (T, Duration) {
    tokio::time::pause();
    let begun = tokio::time::Instant::now();
    let pass = async {
        loop {
            tokio::time::advance(Duration::from_secs(1)).await;
            for _ in 0..300 {
                tokio::task::yield_now().await;
            }
        }
    };
    let result = tokio::select! {
        result = call => result,
        never = pass => never,
    };
    let passed = begun.elapsed();
    tokio::time::resume();
    (result, passed)
}

#[tokio::test]
async fn a_shared_connection_with_a_call_on_it_is_asked_whether_it_lives() {
    let (authority, target, _requests) = http2::service(&[Fate::Accepted, Fate::Late(Duration::from_secs(50))]).await;
    let (address, gone) = path(target).await;
    let mut config = trusting(&authority.pem, address);
    (config.timeout, config.attempt_timeout) = (Duration::from_secs(200), Duration::from_secs(100));
    let client = Client::open(config).unwrap();
    client.call(send()).await.unwrap();
    let (answer, passed) = hasten(client.call(send())).await;
    assert!(answer.is_ok() && passed >= Duration::from_secs(50), "{passed:?}: {answer:?}");
    gone.store(true, Ordering::SeqCst);
    let (error, passed) = hasten(client.call(send())).await;
    let error = error.unwrap_err();
    assert_eq!((error.kind(), error.maybe_sent()), (ErrorKind::Connection, true), "{error}");
    assert!(passed <= Duration::from_secs(25), "{passed:?}");
}

#[tokio::test]
async fn an_answer_packed_under_any_spelling_is_unpacked() {
    for coding in ["gzip", "GZIP", "x-gzip"] {
        let packed: &[u8] = &[
            31, 139, 8, 0, 0, 0, 0, 0, 2, 255, 171, 86, 202, 77, 45, 46, 78, 76, 79, 141, 207, 76, 81, 178, 82, 202,
            53, 84, 170, 5, 0, 159, 193, 188, 146, 19, 0, 0, 0,
        ];
        let head = format!(
            "HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\ncontent-encoding: {coding}\r\nconnection: close\r\n\
             content-length: {}\r\n\r\n",
            packed.len()
        );
        let (address, _requests) = server::serve([head.as_bytes(), packed].concat()).await;
        assert_eq!(server::plain(address).call(send()).await.unwrap().status, 202, "{coding}");
    }
}
