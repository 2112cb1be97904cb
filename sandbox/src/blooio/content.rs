//! Rules of content that both generations share.

use axum::http::Uri;

/// iMessage effects; `none` stands for a plain message.
pub(crate) const EFFECTS: [&str; 12] = [
    "slam",
    "loud",
    "gentle",
    "invisible-ink",
    "echo",
    "spotlight",
    "balloons",
    "confetti",
    "love",
    "lasers",
    "fireworks",
    "celebration",
];

/// What a device keeps of a conversation, and so how old a reply's parent may be.
pub(crate) const REPLY_WINDOW_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// An effect's name as the services compare it: without case, a blank counting as a dash.
pub(crate) fn effect_name(given: &str) -> String {
    given.trim().to_lowercase().replace(' ', "-")
}

/// An absolute http(s) URL and nothing else.
pub(crate) fn is_url(text: &str) -> bool {
    let uri: Result<Uri, _> = text.parse();
    uri.is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty())
    })
}
