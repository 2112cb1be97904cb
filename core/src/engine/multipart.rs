//! `multipart/form-data` whose bytes depend on nothing but its parts.

use bytes::Bytes;
use http::HeaderValue;
use ring::digest;

use crate::error::{Error, Result};

const MAX_FILE: usize = 16 * 1024 * 1024;

/// A file to upload, at most 16 MiB.
#[derive(Clone)]
pub struct File {
    /// The argument it stands for, as `icon`.
    pub field: String,
    /// File name told to the service.
    pub filename: String,
    /// Media type, as `image/png`.
    pub content_type: String,
    /// Content.
    pub bytes: Bytes,
}

impl std::fmt::Debug for File {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "File({}, {} bytes)", self.content_type, self.bytes.len())
    }
}

impl File {
    /// A file for the argument `field`.
    pub fn new(
        field: impl Into<String>,
        filename: impl Into<String>,
        content_type: impl Into<String>,
        bytes: impl Into<Bytes>,
    ) -> File {
        File { field: field.into(), filename: filename.into(), content_type: content_type.into(), bytes: bytes.into() }
    }

    fn check(&self) -> Result<()> {
        let plain = |text: &str| !text.is_empty() && !text.chars().any(|c| c.is_control() || c == '"');
        if !plain(&self.filename) {
            return Err(Error::argument(
                &self.field,
                "the file name must not be empty or hold quotes or control characters",
            ));
        }
        if !plain(&self.content_type) || !self.content_type.contains('/') {
            return Err(Error::argument(&self.field, "the content type must be a media type such as image/png"));
        }
        if self.bytes.is_empty() {
            return Err(Error::argument(&self.field, "the file is empty"));
        }
        if self.bytes.len() > MAX_FILE {
            return Err(Error::argument(&self.field, "the file is larger than 16 MiB"));
        }
        Ok(())
    }
}

/// Text parts, then files: `(content type header, body)`.
pub(crate) fn encode(fields: &[(&str, String)], files: &[File]) -> Result<(HeaderValue, Bytes)> {
    files.iter().try_for_each(File::check)?;
    let boundary = boundary(fields, files);
    let mut out = Vec::new();
    let mut part = |disposition: &str, content_type: Option<&str>, bytes: &[u8]| {
        out.extend_from_slice(format!("--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n").as_bytes());
        if let Some(content_type) = content_type {
            out.extend_from_slice(format!("Content-Type: {content_type}\r\n").as_bytes());
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(bytes);
        out.extend_from_slice(b"\r\n");
    };
    for (name, value) in fields {
        part(&format!("name=\"{name}\""), None, value.as_bytes());
    }
    for file in files {
        part(
            &format!("name=\"{}\"; filename=\"{}\"", file.field, file.filename),
            Some(&file.content_type),
            &file.bytes,
        );
    }
    out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    let content_type = HeaderValue::try_from(format!("multipart/form-data; boundary={boundary}"));
    Ok((content_type.map_err(|_| Error::argument("files", "cannot be framed"))?, out.into()))
}

/// The parts' own hash: stable for the same call, and no part can contain it but by breaking SHA-256.
fn boundary(fields: &[(&str, String)], files: &[File]) -> String {
    let mut hash = digest::Context::new(&digest::SHA256);
    let mut part = |name: &str, filename: &str, content_type: &str, bytes: &[u8]| {
        for piece in [name.as_bytes(), filename.as_bytes(), content_type.as_bytes(), bytes] {
            hash.update(piece);
            hash.update(&[0]);
        }
    };
    for (name, value) in fields {
        part(name, "", "", value.as_bytes());
    }
    for file in files {
        part(&file.field, &file.filename, &file.content_type, &file.bytes);
    }
    hash.finish().as_ref().iter().take(16).map(|b| format!("{b:02x}")).collect()
}
