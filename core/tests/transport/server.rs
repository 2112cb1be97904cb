//! Servers on loopback that keep every byte they were sent.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bloomchats::{Call, Client, Config};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

pub const ACCEPTED: &str = "HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\nconnection: close\r\n\
                            content-length: 19\r\n\r\n{\"message_id\":\"m1\"}";

/// Answers every connection with the same bytes; what each sent arrives on the channel.
pub async fn serve(answer: impl Into<Vec<u8>>) -> (SocketAddr, UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (seen, requests) = unbounded_channel();
    let answer = Arc::new(answer.into());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (seen, answer) = (seen.clone(), answer.clone());
            tokio::spawn(async move {
                let _ = seen.send(converse(stream, &answer).await);
            });
        }
    });
    (address, requests)
}

/// Reads one request, answers, and keeps what else comes until the peer is quiet.
pub async fn converse(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: &[u8]) -> String {
    let mut heard = Vec::new();
    while !is_whole(&heard) {
        if stream.read_buf(&mut heard).await.unwrap_or(0) == 0 {
            return String::from_utf8_lossy(&heard).into_owned();
        }
    }
    let _ = stream.write_all(answer).await;
    let _ = stream.shutdown().await;
    let _ = tokio::time::timeout(Duration::from_millis(200), stream.read_to_end(&mut heard)).await;
    String::from_utf8_lossy(&heard).into_owned()
}

fn is_whole(heard: &[u8]) -> bool {
    let text = String::from_utf8_lossy(heard);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.map_or(0, |length| length.parse().unwrap())
}

pub fn config(base_url: impl Into<String>) -> Config {
    Config::blooio().with_api_key("bl_test_key").with_base_url(base_url)
}

pub fn plain(address: SocketAddr) -> Client {
    Client::open(config(format!("http://{address}"))).unwrap()
}

/// A send, which a service acts upon.
pub fn send() -> Call {
    call("blooio.v2.messages.send", json!({"chat": "+15551234567", "text": "Hello"}))
}

pub fn call(operation: &str, arguments: Value) -> Call {
    let mut call = Call::new(operation, arguments.as_object().unwrap().clone());
    call.options.max_retries = Some(0);
    call
}
