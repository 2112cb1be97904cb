//! An evening at a restaurant that answers its guests by message, told against the sandbox: nobody is messaged.
//!
//! cargo run --package bloomchats-sandbox --example story

use std::error::Error;
use std::time::Duration;

use bloomchats::api::blooio_v2::MessageStatusValue;
use bloomchats::{ErrorKind, webhook};
use bloomchats_sandbox::{Options, Sandbox};

const ANNA: &str = "+15551234567";
const BEN: &str = "+15557654321";
/// One of the sandbox's recipients with a fate: sent, then failed.
const NOBODY: &str = "+15005550001";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::start(Options::default())?;
    let blooio = sandbox.blooio()?;
    let (v2, v4) = (blooio.v2(), blooio.v4());
    let messages = v2.messages();
    let (anna, ben) = (sandbox.phone(ANNA), sandbox.phone(BEN));

    // A new guest is welcomed.
    v2.contacts().create(ANNA).name("Anna").await?;
    let welcome = messages.send(ANNA).text("Welcome, Anna!").effect("confetti").await?;
    let status = messages.wait(ANNA, &welcome).until("delivered").timeout(Duration::from_secs(30)).await?.status;
    assert_eq!(status, Some(MessageStatusValue::Delivered));

    // She answers, and we read it.
    anna.write("A table for two at eight?").await?;
    let received = messages.list(ANNA).direction("inbound").items().collect().await?;
    assert_eq!(received[0].text.as_deref(), Some("A table for two at eight?"));
    v2.chats().mark_read(ANNA).await?;

    // The answer to a send gets lost: the client repeats it under the same key, and Anna has it once.
    sandbox.faults().add("drop_answer").await?;
    messages.send(ANNA).text("Booked for eight.").await?;

    // Without a retry left, the error says what to resume with.
    sandbox.faults().add("drop_answer").await?;
    match messages.send(ANNA).text("See you tonight.").max_retries(0).await {
        Err(error) if error.kind() == ErrorKind::Connection => {
            assert!(error.maybe_sent());
            let key = error.idempotency_key().ok_or("a send has a key")?;
            messages.send(ANNA).text("See you tonight.").idempotency_key(key).await?;
        }
        other => return Err(format!("the answer was lost, and this came: {other:?}").into()),
    }

    // Some messages cannot be delivered, whoever sends them.
    let lost = messages.send(NOBODY).text("Your table is ready.").await?;
    let status = messages.wait(NOBODY, &lost).timeout(Duration::from_secs(30)).await?.status;
    assert_eq!(status, Some(MessageStatusValue::Failed));

    // Friends come along: a group, and a poll in it.
    let group = v2.groups().create("Friday").members([ANNA, BEN]).await?.group_id.ok_or("a group has an id")?;
    messages.send(&group).text("The kitchen asks:").await?;
    let poll = v2.polls().send(&group, ["Cake", "Fruit"]).title("Dessert?").await?.poll_id.ok_or("a poll has an id")?;
    anna.vote("Cake").group(&group).await?;
    ben.vote("Cake").group(&group).await?;
    assert_eq!(v2.polls().get_results(&group, &poll).await?.total_votes, Some(2));

    // Our webhook is down while Ben writes. Six attempts in a quarter of an hour, which takes no time here.
    let receiver = sandbox.receiver().await?;
    receiver.answer(503).await?;
    let hook = v4.webhooks().create(receiver.url()).event_types(["message.received"]).await?;
    ben.write("We are running late").group(&group).await?;
    sandbox.clock().advance(Duration::from_secs(16 * 60)).await?;
    let missed = sandbox.deliveries().await?.remove(0);
    assert_eq!((missed.state.as_str(), missed.attempts.len()), ("failed", 6));

    // It is back: the delivery is asked for again, and its signature holds.
    receiver.answer(200).await?;
    v4.webhooks().replay_delivery(&hook.id.ok_or("a webhook has an id")?, &missed.id).await?;
    sandbox.clock().advance(Duration::from_secs(1)).await?;
    let arrived = receiver.received().await?.pop().ok_or("nothing arrived")?;
    let secret = hook.signing_secret.ok_or("a new webhook has a secret")?;
    let (now, tolerance) = (sandbox.clock().now().await? / 1000, Duration::from_secs(300));
    let event = webhook::verify_at(arrived.body.as_bytes(), arrived.signature(), &[secret.into()], now, tolerance)?;
    assert_eq!(event.kind, "message.received");

    let inbox = anna.inbox().await?;
    let texts: Vec<_> = inbox.iter().filter_map(|message| message.text.as_deref()).collect();
    assert_eq!(texts, ["Welcome, Anna!", "Booked for eight.", "See you tonight.", "The kitchen asks:", "Dessert?"]);
    assert_eq!(inbox[0].effect.as_deref(), Some("confetti"));
    let kinds: Vec<_> = ben.inbox().await?.into_iter().map(|message| message.kind).collect();
    assert_eq!(kinds, ["text", "poll"]);
    assert!(sandbox.phone(NOBODY).inbox().await?.is_empty());
    println!("The story came to its end: everybody has what was meant for them, once.");
    Ok(())
}
