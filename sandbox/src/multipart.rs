//! Uploads: the one file of a `multipart/form-data` body.

use axum::http::HeaderMap;

use crate::refusal::Refusal;

/// What uploads may weigh.
const LIMIT: usize = 10 * 1024 * 1024;
const IMAGES: [&str; 6] = ["image/jpeg", "image/png", "image/gif", "image/webp", "image/heic", "image/heif"];

/// An uploaded image.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Image<'a> {
    pub(crate) media_type: &'static str,
    pub(crate) content: &'a [u8],
}

/// The image in field `name`; anything else is 400.
pub(crate) fn image<'a>(headers: &HeaderMap, body: &'a [u8], name: &str) -> Result<Image<'a>, Refusal> {
    let bad = |message: &str| Refusal::bad_request(message).with("details", serde_json::json!({"field": name}));
    let boundary = boundary(headers).ok_or_else(|| bad("The body must be multipart/form-data with a boundary."))?;
    let file = file(body, &boundary, name).ok_or_else(|| bad(&format!("The body has no file in field {name}.")))?;
    if file.content.is_empty() || file.content.len() > LIMIT {
        return Err(bad("The image must have 1 byte to 10 MB."));
    }
    let declared = IMAGES.into_iter().find(|known| file.media_type.eq_ignore_ascii_case(known));
    let media_type = declared.or_else(|| sniffed(file.content));
    let media_type = media_type.ok_or_else(|| bad("The image must be JPEG, PNG, GIF, WebP, HEIC or HEIF."))?;
    Ok(Image { media_type, content: file.content })
}

struct File<'a> {
    media_type: &'a str,
    content: &'a [u8],
}

fn boundary(headers: &HeaderMap) -> Option<String> {
    let media_type = headers.get("content-type")?.to_str().ok()?;
    let (kind, parameters) = media_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let parameter = |one: &str| {
        let (name, value) = one.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"').to_owned())
    };
    parameters.split(';').find_map(parameter).filter(|boundary| !boundary.is_empty())
}

fn file<'a>(body: &'a [u8], boundary: &str, name: &str) -> Option<File<'a>> {
    let delimiter = format!("--{boundary}");
    let mut rest = &body[find(body, delimiter.as_bytes())? + delimiter.len()..];
    loop {
        let part = rest.strip_prefix(b"\r\n")?;
        let end = find(part, format!("\r\n{delimiter}").as_bytes())?;
        let (head, content) = part[..end].split_at(find(&part[..end], b"\r\n\r\n")?);
        let head = std::str::from_utf8(head).ok()?;
        if field_name(head) == Some(name) {
            return Some(File { media_type: header(head, "content-type").unwrap_or_default(), content: &content[4..] });
        }
        rest = &part[end + 2 + delimiter.len()..];
    }
}

fn header<'a>(head: &'a str, wanted: &str) -> Option<&'a str> {
    let pair = |line: &'a str| line.split_once(':').filter(|(name, _)| name.trim().eq_ignore_ascii_case(wanted));
    head.lines().find_map(pair).map(|(_, value)| value.trim())
}

fn field_name(head: &str) -> Option<&str> {
    let disposition = header(head, "content-disposition")?;
    let name = |one: &'_ str| one.trim().strip_prefix("name=").map(str::len);
    let parameter = disposition.split(';').find(|one| name(one).is_some())?;
    Some(parameter.trim().trim_start_matches("name=").trim_matches('"'))
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

/// Clients that name no media type send the bytes all the same.
fn sniffed(content: &[u8]) -> Option<&'static str> {
    let at = |offset: usize, magic: &[u8]| content.get(offset..offset + magic.len()) == Some(magic);
    let kinds = [
        at(0, b"\xff\xd8\xff"),
        at(0, b"\x89PNG"),
        at(0, b"GIF8"),
        at(0, b"RIFF") && at(8, b"WEBP"),
        at(4, b"ftyp") && at(8, b"hei"),
        at(4, b"ftyp") && at(8, b"mif1"),
    ];
    kinds.iter().position(|fits| *fits).map(|kind| IMAGES[kind])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    fn headers(media_type: &str) -> HeaderMap {
        HeaderMap::from_iter([(axum::http::header::CONTENT_TYPE, media_type.parse().unwrap())])
    }

    #[test]
    fn the_named_file_is_found() {
        let body = b"--b\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhi\r\n--b\r\nContent-Disposition: form-data; name=\"icon\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n--b--\r\n";
        let headers = headers("multipart/form-data; boundary=b");
        assert_eq!(image(&headers, body, "icon").unwrap(), Image { media_type: "image/png", content: b"\x89PNG" });
        assert!(image(&headers, body, "note").is_err() && image(&headers, body, "avatar").is_err());
    }

    #[test]
    fn what_is_no_upload_is_refused() {
        for (media_type, body) in [
            ("application/json", &b"{}"[..]),
            ("multipart/form-data", b"--b\r\n"),
            ("multipart/form-data; boundary=b", b""),
            ("multipart/form-data; boundary=b", b"--b--"),
            ("multipart/form-data; boundary=b", b"--b\r\nno end"),
            ("multipart/form-data; boundary=", b"--\r\n\r\n\r\n--"),
        ] {
            assert!(image(&headers(media_type), body, "icon").is_err());
        }
    }
}
