//! HTTP/2: streams that are refused or reset, and connections that say goodbye. The client below the engine must not send any of
//! them again by itself; what the engine repeats, it repeats under the rules for every other broken connection.

use std::collections::VecDeque;
use std::net::SocketAddr;

use bloomchats::{Client, ErrorKind};
use bytes::Bytes;
use h2::Reason;
use h2::server::{Connection, SendResponse};
use http::{Request, Response};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::server::{call, send};
use crate::tls::{Authority, acceptor, trusting};

/// What becomes of a request.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// The stream ends with this reason.
    Reset(Reason),
    /// The connection ends with this reason, the stream unanswered.
    Goodbye(Reason),
    /// Head and half a body, then a reset.
    Half,
    Accepted,
}

/// Meets the requests with these fates in turn, then accepts them. What arrived, as idempotency keys, comes on the channel.
async fn serve(fates: &[Fate]) -> (Client, UnboundedReceiver<Option<String>>) {
    let authority = Authority::new();
    let acceptor = acceptor(authority.certify("localhost", |_| {}), &["h2"]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    let (seen, requests) = unbounded_channel();
    let mut fates: VecDeque<Fate> = fates.iter().copied().collect();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut connection = h2::server::handshake(acceptor.accept(stream).await.unwrap()).await.unwrap();
            while let Some(Ok((request, answer))) = connection.accept().await {
                let key = request.headers().get("idempotency-key").map(|key| key.to_str().unwrap().to_owned());
                let _ = seen.send(key);
                meet(fates.pop_front().unwrap_or(Fate::Accepted), &mut connection, request, answer);
            }
        }
    });
    (Client::open(trusting(&authority.pem, address)).unwrap(), requests)
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

fn heard(mut requests: UnboundedReceiver<Option<String>>) -> Vec<Option<String>> {
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
async fn one_connection_carries_many_calls() {
    let (client, requests) = serve(&[]).await;
    client.call(send()).await.unwrap();
    let many: tokio::task::JoinSet<_> = (0..200).map(|_| client.call(send())).collect();
    assert!(many.join_all().await.iter().all(|result| result.is_ok()));
    assert_eq!(heard(requests).len(), 201);
}
