//! HTTP/2: streams that are refused or reset, and connections that say goodbye. The client below the engine must not send any of
//! them again by itself; what the engine repeats, it repeats under the rules for every other broken connection.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bloomchats::{Client, ErrorKind};
use bytes::Bytes;
use h2::Reason;
use h2::server::{Connection, SendResponse};
use http::{Request, Response};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::server::{call, send};
use crate::tls::{Authority, acceptor, trusting};

/// What becomes of a request.
#[derive(Clone, Copy, Debug)]
pub enum Fate {
    /// The stream ends with this reason.
    Reset(Reason),
    /// The connection ends with this reason, the stream unanswered.
    Goodbye(Reason),
    /// Head and half a body, then a reset.
    Half,
    Accepted,
    /// The same, after so long.
    Late(Duration),
}

/// A client of a [`service`].
async fn serve(fates: &[Fate]) -> (Client, Requests) {
    let (authority, address, requests) = service(fates).await;
    (Client::open(trusting(&authority.pem, address)).unwrap(), requests)
}

/// Idempotency keys, as they arrive.
type Requests = UnboundedReceiver<Option<String>>;

/// Meets the requests with these fates in turn, then accepts them.
pub async fn service(fates: &[Fate]) -> (Authority, SocketAddr, Requests) {
    let (authority, address, requests, _) = counted(fates, "localhost").await;
    (authority, address, requests)
}

/// A [`service`] of another name that counts its connections.
pub async fn counted(fates: &[Fate], name: &str) -> (Authority, SocketAddr, Requests, Arc<AtomicUsize>) {
    let authority = Authority::new();
    let acceptor = acceptor(authority.certify(name, |_| {}), &["h2"]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    let (seen, requests) = unbounded_channel();
    let fates: Arc<Mutex<VecDeque<Fate>>> = Arc::new(Mutex::new(fates.iter().copied().collect()));
    let made = Arc::<AtomicUsize>::default();
    let count = made.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            stream.set_nodelay(true).unwrap();
            let (acceptor, seen, fates) = (acceptor.clone(), seen.clone(), fates.clone());
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let mut connection = h2::server::handshake(stream).await.unwrap();
                while let Some(Ok((request, answer))) = connection.accept().await {
                    let key = request.headers().get("idempotency-key").map(|key| key.to_str().unwrap().to_owned());
                    let _ = seen.send(key);
                    let fate = fates.lock().unwrap().pop_front().unwrap_or(Fate::Accepted);
                    meet(fate, &mut connection, request, answer);
                }
            });
        }
    });
    (authority, address, requests, made)
}

fn meet<T>(
    fate: Fate,
    connection: &mut Connection<T, Bytes>,
    request: Request<h2::RecvStream>,
    mut answer: SendResponse<Bytes>,
) where
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    drop(request);
    let head = || Response::builder().status(202).header("content-type", "application/json").body(()).unwrap();
    let body = Bytes::from_static(br#"{"message_id":"m1"}"#);
    match fate {
        Fate::Reset(reason) => answer.send_reset(reason),
        Fate::Goodbye(reason) => connection.abrupt_shutdown(reason),
        Fate::Half => {
            let mut stream = answer.send_response(head(), false).unwrap();
            stream.send_data(body.slice(..9), false).unwrap();
            stream.send_reset(Reason::INTERNAL_ERROR);
        }
        Fate::Accepted => drop(answer.send_response(head(), false).unwrap().send_data(body, true)),
        Fate::Late(time) => drop(tokio::spawn(async move {
            tokio::time::sleep(time).await;
            answer.send_response(head(), false).unwrap().send_data(body, true).unwrap();
        })),
    }
}

const BROKEN: &[Fate] = &[
    Fate::Reset(Reason::REFUSED_STREAM),
    Fate::Reset(Reason::CANCEL),
    Fate::Reset(Reason::INTERNAL_ERROR),
    Fate::Goodbye(Reason::NO_ERROR),
    Fate::Goodbye(Reason::ENHANCE_YOUR_CALM),
    Fate::Half,
];

fn heard(mut requests: Requests) -> Vec<Option<String>> {
    std::iter::from_fn(|| requests.try_recv().ok()).collect()
}

#[tokio::test]
async fn an_unprotected_operation_goes_out_once() {
    for fate in BROKEN {
        let (client, requests) = serve(&[*fate]).await;
        let mut poll =
            call("blooio.v2.polls.send", json!({"chat": "+15551234567", "title": "?", "options": ["a", "b"]}));
        poll.options.max_retries = Some(2);
        let error = client.call(poll).await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Connection, 1), "{fate:?}: {error}");
        assert!(error.maybe_sent(), "{fate:?}: {error}");
        assert_eq!(heard(requests).len(), 1, "{fate:?}");
    }
}

#[tokio::test]
async fn a_protected_send_goes_out_again_under_its_key() {
    for fate in BROKEN {
        let (client, requests) = serve(&[*fate]).await;
        let mut again = send();
        again.options.max_retries = Some(1);
        let answer = client.call(again).await.unwrap();
        let key = answer.idempotency_key;
        assert!(key.is_some() && answer.attempts == 2, "{fate:?}");
        assert_eq!(heard(requests), [key.clone(), key], "{fate:?}");
    }
}

#[tokio::test]
async fn one_connection_carries_many_calls_those_that_come_first_together_too() {
    let (authority, address, requests, made) = counted(&[], "localhost").await;
    let client = Client::open(trusting(&authority.pem, address)).unwrap();
    let many: tokio::task::JoinSet<_> = (0..200).map(|_| client.call(send())).collect();
    assert!(many.join_all().await.iter().all(|result| result.is_ok()));
    assert_eq!((heard(requests).len(), made.load(Ordering::SeqCst)), (200, 1));
}

/// A program that runs its runtime for each call alone is deaf in between.
#[test]
fn a_goodbye_that_came_while_the_runtime_stood_still_is_heard_before_the_next_call() {
    let authority = Authority::new();
    let acceptor = acceptor(authority.certify("localhost", |_| {}), &["h2"]);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (go, mut told) = unbounded_channel();
    let (going, gone) = std::sync::mpsc::channel();
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            stream.set_nonblocking(true).unwrap();
            runtime().block_on(async {
                let stream = acceptor.accept(tokio::net::TcpStream::from_std(stream).unwrap()).await.unwrap();
                let mut connection = h2::server::handshake(stream).await.unwrap();
                let (request, answer) = connection.accept().await.unwrap().unwrap();
                meet(Fate::Accepted, &mut connection, request, answer);
                tokio::select! {
                    _ = connection.accept() => panic!("the client hung up"),
                    _ = told.recv() => connection.graceful_shutdown(),
                }
                // The client does not say that it has heard.
                let _ = tokio::time::timeout(Duration::from_millis(20), connection.accept()).await;
            });
            going.send(()).unwrap();
        }
    });
    let client = Client::open(trusting(&authority.pem, address)).unwrap();
    let runtime = runtime();
    for _ in 0..10 {
        let answer = runtime.block_on(client.call(send())).unwrap();
        assert_eq!(answer.attempts, 1);
        go.send(()).unwrap();
        gone.recv().unwrap();
    }
}

#[tokio::test]
async fn what_a_service_says_as_it_goes_is_not_repeated_where_it_names_people() {
    let authority = Authority::new();
    let acceptor = acceptor(authority.certify("localhost", |_| {}), &["h2"]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut stream = acceptor.accept(listener.accept().await.unwrap().0).await.unwrap();
        // Settings; then, once something has come, a goodbye with debug data.
        stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.unwrap();
        while stream.read(&mut [0; 4096]).await.unwrap() < 100 {}
        let said = b"no route to +15551234567 jane@example.com: Hello";
        let mut goodbye = vec![0, 0, 8 + said.len() as u8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 11];
        goodbye.extend_from_slice(said);
        stream.write_all(&goodbye).await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    });
    let error = Client::open(trusting(&authority.pem, address)).unwrap().call(send()).await.unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(error.kind() == ErrorKind::Connection && shown.contains("no route"), "{shown}");
    assert!(!["5551234", "jane", "Hello"].iter().any(|private| shown.contains(private)), "{shown}");
}
