//! The imaginary operation from Rust: callable, typed, and in the table. Copied into `core/tests` of a scratch tree.
#![allow(clippy::unwrap_used)] // a test panics when something is wrong

use bloomchats::api::blooio_v2::DeleteResponse;
use bloomchats::{Blooio, Client, Config};

#[tokio::test]
async fn archive_is_there() {
    let transcript = r#"{"exchanges": [{"status": 200, "json": {"success": true}}]}"#;
    let (client, script) = Client::open_scripted(Config::blooio(), transcript).unwrap();
    let done: DeleteResponse = Blooio::over(client).v2().chats().archive("+15551234567").reason("quiet").await.unwrap();
    assert_eq!(done.success, Some(true));
    let request = &script.requests()[0];
    assert_eq!(request["url"], "https://backend.blooio.com/v2/api/chats/%2B15551234567/archive");
    assert_eq!(request["body"], r#"{"reason":"quiet"}"#);
}
