//! `bloomchats_sandbox::testing`: every member once.
#![cfg(feature = "clients")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

use std::time::Duration;

use bloomchats::{Blooio, ErrorKind, Product, webhook};
use bloomchats_sandbox::testing::Fault;
use bloomchats_sandbox::{Options, Sandbox};
use serde_json::json;

const ANNA: &str = "+15551234567";
const BEN: &str = "+15557654321";

async fn frozen() -> Sandbox {
    let sandbox = Sandbox::start(Options::default()).unwrap();
    // The process goes on for as long as its last namespace.
    sandbox.namespace().frozen(true).await.unwrap()
}

#[tokio::test]
async fn a_person_receives_and_does_things() {
    let world = frozen().await;
    let anna = world.phone(ANNA);
    let v2 = world.blooio().unwrap().v2();
    let sent = v2.messages().send(ANNA).text("Hello").attachments(["https://example.com/a.png"]).await.unwrap();
    let message = anna.inbox().await.unwrap().remove(0);
    assert_eq!(Some(&message.v2_id), sent.message_id.as_ref());
    assert_eq!((message.text.as_deref(), message.kind.as_str()), (Some("Hello"), "media"));
    assert_eq!((message.attachments, message.group_id), (vec!["https://example.com/a.png".to_owned()], None));
    assert_eq!(message.sent_at, world.clock().now().await.unwrap());
    world.clock().advance(Duration::from_secs(1)).await.unwrap();
    assert_eq!(anna.inbox().await.unwrap()[0].status, "delivered");

    let answer = anna.write("Hi").attachments(["https://example.com/b.png"]).reply_to(&message.id).await.unwrap();
    assert_eq!(answer.to, message.from);
    assert!(answer.v2_message_id.is_some());
    let reacted = anna.react("love").message(&message.id).await.unwrap();
    assert_eq!(reacted.message_id, Some(message.id));
    v2.polls().send(ANNA, ["Yes", "No"]).title("Tea?").await.unwrap();
    let poll = anna.inbox().await.unwrap().remove(1);
    assert_eq!(poll.poll.unwrap().options, ["Yes", "No"]);
    assert_eq!(anna.vote("No").await.unwrap().message_id, Some(poll.id));
    for act in [anna.start_typing(), anna.stop_typing(), anna.read(), anna.share_contact_card()] {
        assert_eq!(act.await.unwrap().chat_id, answer.chat_id);
    }
    assert!(anna.ask_poll("When?", ["Now", "Later"]).to(&answer.to).await.unwrap().message_id.is_some());

    let group = v2.groups().create("Two").members([ANNA, BEN]).await.unwrap().group_id.unwrap();
    anna.rename_group(&group, "Both").await.unwrap();
    anna.set_group_icon(&group, "https://example.com/c.png").await.unwrap();
    assert_eq!(v2.groups().get(&group).await.unwrap().name.as_deref(), Some("Both"));
    assert_eq!(anna.number(), ANNA);
}

#[tokio::test]
async fn time_faults_limits_switches_lines_logs() {
    let world = frozen().await;
    let clock = world.clock();
    clock.set(1_800_000_000_000).await.unwrap();
    clock.run().await.unwrap();
    assert!(!clock.frozen().await.unwrap());
    clock.freeze().await.unwrap();
    assert!(clock.frozen().await.unwrap() && clock.now().await.unwrap() >= 1_800_000_000_000);

    world.faults().replace([Fault::new("status").path("/v2/*").status(503).times(1)]).await.unwrap();
    world.faults().add("pass").await.unwrap();
    let v2 = world.blooio().unwrap().v2();
    v2.me().get().max_retries(1).await.unwrap();
    let hits: Vec<_> = world.faults().script().await.unwrap().iter().map(|line| line.hits).collect();
    assert_eq!(hits, [1, 1]);
    world.faults().clear().await.unwrap();
    let requests = world.requests().await.unwrap();
    assert_eq!((requests[0].status, requests[0].fault, requests[1].status), (Some(503), true, Some(200)));

    let switches = json!({"send_status": 202}).as_object().unwrap().clone();
    world.set_switches(switches).await.unwrap();
    assert_eq!(world.switches().await.unwrap()["send_status"], 202);
    world.set_limit("v2", Some(0)).await.unwrap();
    assert_eq!(v2.me().get().max_retries(0).await.unwrap_err().kind(), ErrorKind::RateLimit);
    world.set_limit("v2", None).await.unwrap();
    let line = world.phone(ANNA).write("Hi").await.unwrap().to;
    world.set_line(&line, Some("suspended"), Some("review")).await.unwrap();
    let refused = world.set_line("+1999", None, None).await.unwrap_err();
    assert_eq!((refused.status, refused.to_string().contains("No line")), (Some(404), true));
    world.reset().await.unwrap();
    assert!(world.requests().await.unwrap().is_empty());
    assert!(world.bloomchats().unwrap().contacts().list().items().collect().await.unwrap().len() > 100);
}

#[tokio::test]
async fn webhooks_arrive_and_fail() {
    let world = frozen().await;
    let receiver = world.receiver().await.unwrap();
    receiver.answer(500).await.unwrap();
    let hooks = world.blooio().unwrap().v4().webhooks();
    let hook = hooks.create(receiver.url()).event_types(["message.received"]).await.unwrap();
    world.phone(ANNA).write("Hi").await.unwrap();
    world.clock().advance(Duration::ZERO).await.unwrap();
    assert_eq!(world.deliveries().await.unwrap()[0].state, "pending");
    receiver.answer(204).await.unwrap();
    world.clock().advance(Duration::from_secs(60)).await.unwrap();
    let received = receiver.received().await.unwrap();
    assert_eq!((received[0].status, received[1].status), (500, 204));
    let (body, signature) = (received[1].body.as_bytes(), received[1].signature());
    webhook::verify(body, signature, &[hook.signing_secret.unwrap().into()]).unwrap();
    assert_eq!(world.deliveries().await.unwrap()[0].attempts.len(), 2);
}

#[tokio::test]
async fn namespaces_have_keys_of_their_own_and_outlive_the_first() {
    let sandbox = Sandbox::start(Options::default()).unwrap();
    let one = sandbox.namespace().seed(7).now(1_800_000_000_000).switch("send_status", 202).frozen(true).await.unwrap();
    assert_eq!(one.clock().now().await.unwrap(), 1_800_000_000_000);
    assert_eq!(one.switches().await.unwrap()["send_status"], 202);
    assert!(sandbox.namespace().switch("no_such", 1).await.unwrap_err().message.contains("no_such"));
    sandbox.blooio().unwrap().v2().messages().send(ANNA).text("Hello").await.unwrap();
    assert!(one.phone(ANNA).inbox().await.unwrap().is_empty());
    let with_its_key = sandbox.config(Product::Blooio).with_api_key(one.blooio_api_key());
    Blooio::open(with_its_key).unwrap().v2().messages().send(ANNA).text("Hello").await.unwrap();
    assert_eq!(one.phone(ANNA).inbox().await.unwrap().len(), 1);
    let shown = format!("{one:?}{:?}", one.phone(ANNA));
    assert!(!shown.contains(one.blooio_api_key()) && !shown.contains(one.bloomchats_api_key()));
    sandbox.stop();
    one.blooio().unwrap().v2().me().get().await.unwrap();
    let clock = one.clock();
    assert_eq!(one.environment()[0], ("BLOOIO_BASE_URL", one.url()));
    one.stop();
    assert_eq!(clock.now().await.unwrap_err().status, None);
}
