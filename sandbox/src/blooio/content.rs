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

/// Media types by the end of a file's name.
const MEDIA: [(&str, &str); 16] = [
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("png", "image/png"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
    ("heic", "image/heic"),
    ("mp4", "video/mp4"),
    ("mov", "video/quicktime"),
    ("pdf", "application/pdf"),
    ("vcf", "text/vcard"),
    ("mp3", "audio/mpeg"),
    ("m4a", "audio/mp4"),
    ("wav", "audio/wav"),
    ("aac", "audio/aac"),
    ("opus", "audio/opus"),
    ("ogg", "audio/ogg"),
];

/// What a file is by its URL, as nobody fetches it.
pub(crate) fn media_type(url: &str) -> Option<&'static str> {
    let path = url.split(['?', '#']).next()?;
    let (_, end) = path.rsplit_once('.')?;
    MEDIA.iter().find(|(known, _)| end.eq_ignore_ascii_case(known)).map(|(_, media_type)| *media_type)
}

/// An absolute http(s) URL and nothing else.
pub(crate) fn is_url(text: &str) -> bool {
    let uri: Result<Uri, _> = text.parse();
    uri.is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty())
    })
}
