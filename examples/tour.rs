//! Everything the main job touches, step by step, against a sandbox: `cargo xtask demo` runs it.

use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use bloomchats::api::blooio_v2::CreateWebhookResult;
use bloomchats::{Blooio, BloomChats, Config, ErrorKind, Secret, new_idempotency_key, webhook};
use tokio::sync::{mpsc, watch};

type Failure = Box<dyn std::error::Error>;

const PERSON: &str = "+15551234567";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    bloomchats_contacts().await?;
    blooio_v2_with_webhooks().await?;
    blooio_v4_keys().await?;
    typed_errors().await?;
    Ok(())
}

async fn bloomchats_contacts() -> Result<(), Failure> {
    let contacts = BloomChats::from_env()?.contacts().list().items().collect().await?;
    println!("BloomChats  {} contacts listed", contacts.len());
    Ok(())
}

async fn blooio_v2_with_webhooks() -> Result<(), Failure> {
    let (set_secret, secret) = watch::channel(None);
    let (events, mut received) = mpsc::unbounded_channel();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let hook = format!("http://{}/hook", listener.local_addr()?);
    let router = Router::new().route("/hook", post(receive)).with_state(Receiver { secret, events });
    let server = tokio::spawn(async move { axum::serve(listener, router).await });

    let v2 = Blooio::from_env()?.v2();
    let webhook = match v2.webhooks().create(&hook).webhook_type("all").await? {
        CreateWebhookResult::Created(created) => created,
        _ => return Err("a new URL was not a new webhook".into()),
    };
    set_secret.send(webhook.signing_secret)?;

    let sent = v2.messages().send(PERSON).text("Hello from the tour").await?;
    println!("Blooio v2   sent as {:?}", sent.message_ids);
    let status = v2.messages().wait(PERSON, &sent).timeout(Duration::from_secs(20)).await?;
    println!("Blooio v2   is now {}", status.status.as_ref().map_or("?", |status| status.as_str()));

    let mut wanted = vec!["message.sent", "message.delivered"];
    while !wanted.is_empty() {
        let event =
            tokio::time::timeout(Duration::from_secs(20), received.recv()).await?.ok_or("the receiver ended")?;
        println!("webhook     {event}, its signature holds");
        wanted.retain(|kind| *kind != event);
    }
    v2.webhooks().delete(webhook.webhook_id.ok_or("the webhook has no id")?).await?;
    server.abort();
    Ok(())
}

#[derive(Clone)]
struct Receiver {
    secret: watch::Receiver<Option<String>>,
    events: mpsc::UnboundedSender<String>,
}

/// Verify first, over the raw bytes; answer 2xx only to what holds.
async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let secrets: Vec<Secret> = receiver.secret.borrow().clone().map(Secret::from).into_iter().collect();
    let signature = headers.get("x-blooio-signature").and_then(|value| value.to_str().ok());
    match webhook::verify(&body, signature, &secrets) {
        Ok(event) => {
            let _ = receiver.events.send(event.kind);
            StatusCode::OK
        }
        Err(error) => {
            println!("webhook     refused: {error}");
            StatusCode::BAD_REQUEST
        }
    }
}

async fn blooio_v4_keys() -> Result<(), Failure> {
    let messages = Blooio::from_env()?.v4().messages();
    messages.send(PERSON).text("Hello").dry_run(true).await?;
    println!("Blooio v4   dry run: nothing sent");

    let key = new_idempotency_key()?;
    let first = messages.send(PERSON).text("Hello").idempotency_key(&key).await?;
    println!("Blooio v4   sent as {:?}", first.message_ids());
    let again = messages.send(PERSON).text("Hello").idempotency_key(&key).await?;
    if first.message_ids() != again.message_ids() {
        return Err("the same key made another message".into());
    }
    println!("Blooio v4   the same key again: the same message");
    match messages.send(PERSON).text("Goodbye").idempotency_key(&key).await {
        Err(error) if error.kind() == ErrorKind::Conflict => {
            println!("Blooio v4   the same key, another text: {error}")
        }
        other => return Err(format!("the same key with another text gave {other:?}").into()),
    }
    Ok(())
}

async fn typed_errors() -> Result<(), Failure> {
    let stranger = Blooio::open(Config::blooio().with_api_key("bl_nobody"))?;
    match stranger.v2().me().get().await {
        Err(error) if error.kind() == ErrorKind::Authentication => println!("errors      {error:?}"),
        other => return Err(format!("a wrong key gave {other:?}").into()),
    }
    limit_bloomchats(Some(1)).await?;
    let contacts = BloomChats::from_env()?.contacts();
    let mut last = None;
    for _ in 0..3 {
        last = contacts.list().max_retries(0).await.err();
    }
    limit_bloomchats(None).await?;
    match last {
        Some(error) if error.kind() == ErrorKind::RateLimit => {
            println!("errors      {error:?}, retry after {:?}", error.retry_after());
            Ok(())
        }
        other => Err(format!("one request a minute gave {other:?}").into()),
    }
}

/// The sandbox's own control, which no client of the services has.
async fn limit_bloomchats(per_minute: Option<u32>) -> Result<(), Failure> {
    let url = std::env::var("BLOOMCHATS_BASE_URL")?;
    let authority = url.trim_start_matches("http://").trim_end_matches('/');
    let body =
        format!(r#"{{"api":"bloomchats","per_minute":{}}}"#, per_minute.map_or("null".into(), |n| n.to_string()));
    let mut stream = tokio::net::TcpStream::connect(authority).await?;
    let request = format!(
        "PUT /_sandbox/limits HTTP/1.1\r\nhost: {authority}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes()).await?;
    let mut answer = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut answer).await?;
    if answer.starts_with("HTTP/1.1 2") {
        Ok(())
    } else {
        Err(format!("the sandbox refused the limit: {answer}").into())
    }
}
