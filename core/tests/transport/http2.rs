//! HTTP/2: streams that are refused or reset, and connections that say goodbye. The client below the engine must not send any of
//! them again by itself; what the engine repeats, it repeats under the rules for every other broken connection.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bloomchats::{Call, Client, ErrorKind};
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

/// None of these says for certain that the request was not acted upon: gateways reset with REFUSED_STREAM, too, what they have passed on.
const BROKEN: &[Fate] = &[
    Fate::Reset(Reason::REFUSED_STREAM),
    Fate::Reset(Reason::NO_ERROR),
    Fate::Reset(Reason::CANCEL),
    Fate::Reset(Reason::INTERNAL_ERROR),
    Fate::Goodbye(Reason::NO_ERROR),
    Fate::Goodbye(Reason::REFUSED_STREAM),
    Fate::Goodbye(Reason::ENHANCE_YOUR_CALM),
    Fate::Half,
];

/// A write that no key protects: class `sent`, and `none`.
fn unprotected() -> [Call; 2] {
    let poll = json!({"chat": "+15551234567", "title": "?", "options": ["a", "b"]});
    let update = json!({"contact": "a@example.com", "name": "Ada"});
    [("blooio.v2.polls.send", poll), ("blooio.v2.contacts.update", update)].map(|(operation, arguments)| {
        let mut call = call(operation, arguments);
        call.options.max_retries = Some(2);
        call
    })
}

fn heard(mut requests: Requests) -> Vec<Option<String>> {
    std::iter::from_fn(|| requests.try_recv().ok()).collect()
}

#[tokio::test]
async fn an_unprotected_operation_goes_out_once() {
    for fate in BROKEN {
        for call in unprotected() {
            let (client, requests) = serve(&[*fate]).await;
            let error = client.call(call).await.unwrap_err();
            assert_eq!((error.kind(), error.attempts()), (ErrorKind::Connection, 1), "{fate:?}: {error}");
            assert!(error.maybe_sent(), "{fate:?}: {error}");
            assert_eq!(heard(requests).len(), 1, "{fate:?}");
        }
    }
}

/// A client, and what its service has heard.
struct Counted {
    client: Client,
    /// Of whole requests on the first connection, and on the others.
    requests: Arc<[AtomicUsize; 2]>,
}

impl Counted {
    fn requests(&self) -> [usize; 2] {
        self.requests.each_ref().map(|count| count.load(Ordering::SeqCst))
    }
}

/// A service that hears `streams` whole requests on its first connection, writes `frames` at once and is then silent, or gone.
/// Whoever comes by another is accepted.
async fn says(streams: usize, frames: Vec<u8>, stays: bool) -> Counted {
    let authority = Authority::new();
    let acceptor = acceptor(authority.certify("localhost", |_| {}), &["h2"]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client::open(trusting(&authority.pem, listener.local_addr().unwrap())).unwrap();
    let requests = Arc::<[AtomicUsize; 2]>::default();
    let seen = requests.clone();
    tokio::spawn(async move {
        let mut first = acceptor.accept(listener.accept().await.unwrap().0).await.unwrap();
        first.write_all(&frame(SETTINGS, 0, 0, &[])).await.unwrap();
        first.read_exact(&mut [0; 24]).await.unwrap();
        while seen[0].load(Ordering::SeqCst) < streams {
            let mut head = [0; 9];
            first.read_exact(&mut head).await.unwrap();
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            first.read_exact(&mut vec![0; length as usize]).await.unwrap();
            if [DATA, HEADERS].contains(&head[3]) && head[4] & END_STREAM != 0 {
                seen[0].fetch_add(1, Ordering::SeqCst);
            }
        }
        first.write_all(&frames).await.unwrap();
        let _first = stays.then_some(first);
        while let Ok((stream, _)) = listener.accept().await {
            let mut others = h2::server::handshake(acceptor.accept(stream).await.unwrap()).await.unwrap();
            let seen = seen.clone();
            tokio::spawn(async move {
                while let Some(Ok((request, answer))) = others.accept().await {
                    seen[1].fetch_add(1, Ordering::SeqCst);
                    meet(Fate::Accepted, &mut others, request, answer);
                }
            });
        }
    });
    Counted { client, requests }
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Head and body of an answer of `status`.
fn answered(status: &[u8; 3], stream: u32) -> Vec<u8> {
    let kind = b"application/json";
    let head = [&[0x08, 3], &status[..], &[0x0f, 0x10, kind.len() as u8], kind].concat();
    let body = frame(DATA, END_STREAM, stream, br#"{"message_id":"m1"}"#);
    [frame(HEADERS, END_HEADERS, stream, &head), body].concat()
}

fn reset(stream: u32, reason: Reason) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &u32::from(reason).to_be_bytes())
}

fn goodbye(last: u32, reason: Reason) -> Vec<u8> {
    frame(GOAWAY, 0, 0, &[last.to_be_bytes(), u32::from(reason).to_be_bytes()].concat())
}

#[tokio::test]
async fn a_goodbye_leaves_its_calls_to_their_answers_and_what_gets_none_in_doubt() {
    let reasons = [Reason::NO_ERROR, Reason::ENHANCE_YOUR_CALM, Reason::REFUSED_STREAM];
    let cases = reasons.into_iter().flat_map(|reason| unprotected().map(|call| (reason, call)));
    let played: tokio::task::JoinSet<_> = cases.map(|(reason, call)| plays(reason, call)).collect();
    played.join_all().await;
}

async fn plays(reason: Reason, call: Call) {
    let in_doubt =
        |error: bloomchats::Error| assert!(error.maybe_sent() && error.attempts() == 1, "{reason:?}: {error}");
    // The first may have been acted upon; that the second was not is no more than the service's word.
    let service = says(2, goodbye(1, reason), false).await;
    let ends = tokio::join!(service.client.call(call.clone()), service.client.call(call.clone()));
    in_doubt(ends.0.unwrap_err());
    in_doubt(ends.1.unwrap_err());
    assert_eq!(service.requests(), [2, 0], "{reason:?}");

    // The first is answered after the goodbye.
    let service = says(2, [goodbye(1, reason), answered(b"200", 1)].concat(), true).await;
    let ends = tokio::join!(service.client.call(call.clone()), service.client.call(call.clone()));
    assert_eq!(ends.0.unwrap().attempts, 1, "{reason:?}");
    in_doubt(ends.1.unwrap_err());

    // What comes later finds another connection.
    assert_eq!(service.client.call(call).await.unwrap().attempts, 1, "{reason:?}");
    assert_eq!(service.requests(), [2, 1], "{reason:?}");
}

/// A service that takes its leave in two steps, as they should: until the second, whatever reaches it is answered. On many threads a
/// goodbye arrives at any moment of a request on its way.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_goodbye_in_the_middle_of_many_sends_makes_none_of_them_two_and_loses_none() {
    const CALLS: usize = 6_000;
    let authority = Authority::new();
    let acceptor = acceptor(authority.certify("localhost", |_| {}), &["h2"]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Arc::new(Client::open(trusting(&authority.pem, listener.local_addr().unwrap())).unwrap());
    let taken: Arc<[AtomicUsize; CALLS]> = Arc::new(std::array::from_fn(|_| AtomicUsize::new(0)));
    let seen = taken.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).unwrap();
            let (acceptor, seen) = (acceptor.clone(), seen.clone());
            tokio::spawn(async move {
                let mut connection = h2::server::handshake(acceptor.accept(stream).await.unwrap()).await.unwrap();
                let mut answered = 0;
                while let Some(Ok((request, answer))) = connection.accept().await {
                    let number: usize = request.uri().path().rsplit('/').next().unwrap().parse().unwrap();
                    seen[number].fetch_add(1, Ordering::SeqCst);
                    meet(Fate::Accepted, &mut connection, request, answer);
                    answered += 1;
                    if answered == 20 {
                        connection.graceful_shutdown();
                    }
                }
            });
        }
    });
    let next = Arc::<AtomicUsize>::default();
    let callers: tokio::task::JoinSet<_> = std::iter::repeat_n((client, next, taken), 64)
        .map(|(client, next, taken)| async move {
            while let number @ ..CALLS = next.fetch_add(1, Ordering::SeqCst) {
                // Without a body it leaves whole, at once.
                let path = format!("/things/{number}");
                let mut call = call("blooio.v2.request", json!({"method": "POST", "path": path}));
                call.options.max_retries = Some(2);
                let said = client.call(call).await;
                let taken = taken[number].load(Ordering::SeqCst);
                match said {
                    Ok(_) => assert_eq!(taken, 1),
                    Err(error) => {
                        assert!(taken <= usize::from(error.maybe_sent()), "{taken}: {error}");
                        assert_ne!(error.kind(), ErrorKind::Timeout, "it waited for an answer that nobody owed");
                    }
                }
            }
        })
        .collect();
    callers.join_all().await;
}

#[tokio::test]
async fn what_has_begun_to_be_answered_was_not_refused() {
    let begun = |status| answered(status, 1)[..9 + 5 + 19].to_vec();
    for end in [reset(1, Reason::REFUSED_STREAM), goodbye(0, Reason::NO_ERROR)] {
        for status in [b"200", b"500"] {
            for call in unprotected() {
                let service = says(1, [begun(status), end.clone()].concat(), true).await;
                let error = service.client.call(call).await.unwrap_err();
                assert!(error.maybe_sent() && error.attempts() == 1, "{error}");
                assert_eq!(service.requests(), [1, 0]);
            }
        }
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
    let many: tokio::task::JoinSet<_> = (0..100).map(|_| client.call(send())).collect();
    assert!(many.join_all().await.iter().all(|result| result.is_ok()));
    assert_eq!((heard(requests).len(), made.load(Ordering::SeqCst)), (100, 1));
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

/// A service that takes one call at a time on a connection, answers `first` late and the others at once, and tells the paths of whole requests.
async fn takes_one_at_a_time(late: &'static str) -> (Client, UnboundedReceiver<String>) {
    let authority = Authority::new();
    let acceptor = acceptor(authority.certify("localhost", |_| {}), &["h2"]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client::open(trusting(&authority.pem, listener.local_addr().unwrap())).unwrap();
    let (seen, paths) = unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, seen) = (acceptor.clone(), seen.clone());
            tokio::spawn(async move {
                let stream = acceptor.accept(stream).await.unwrap();
                let mut builder = h2::server::Builder::new();
                let mut connection = builder.max_concurrent_streams(1).handshake(stream).await.unwrap();
                while let Some(Ok((request, answer))) = connection.accept().await {
                    let path = request.uri().path().to_owned();
                    let fate =
                        if path.ends_with(late) { Fate::Late(Duration::from_millis(300)) } else { Fate::Accepted };
                    let _ = seen.send(path);
                    meet(fate, &mut connection, request, answer);
                }
            });
        }
    });
    (client, paths)
}

#[tokio::test]
async fn a_call_does_not_wait_in_a_queue_that_it_could_leave_after_it_was_cancelled() {
    let (client, mut paths) = takes_one_at_a_time("slow").await;
    let post = |path: &str| client.call(call("blooio.v2.request", json!({"method": "POST", "path": path, "body": {}})));
    // The service has said what it takes.
    post("/first").await.unwrap();
    let slow = tokio::spawn(post("/slow"));
    while !paths.recv().await.unwrap().ends_with("slow") {}
    // Another connection takes it meanwhile, so that what is cancelled was on its way or never leaves.
    assert!(tokio::time::timeout(Duration::from_millis(200), post("/other")).await.unwrap().is_ok());
    assert!(!slow.is_finished());
    assert_eq!(slow.await.unwrap().unwrap().status, 202);
    assert!(paths.recv().await.unwrap().ends_with("other") && paths.try_recv().is_err());
}
