//! Pictures that were uploaded, at URLs where they can be fetched again.

use std::collections::VecDeque;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::multipart::Image;

/// What is kept in all; the oldest go first.
const KEPT_BYTES: usize = 64 * 1024 * 1024;

/// The pictures of a namespace. Their names come from what they show, so that equal ones have one URL.
#[derive(Debug, Default)]
pub(crate) struct Pictures {
    /// Where this sandbox answers.
    pub(crate) origin: String,
    kept: VecDeque<(String, &'static str, Bytes)>,
}

impl Pictures {
    /// Keeps a picture; gives its URL.
    pub(crate) fn keep(&mut self, image: &Image<'_>) -> String {
        let digest: String = Sha256::digest(image.content)[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        let name = format!("{digest}.{}", image.media_type.trim_start_matches("image/"));
        let url = format!("{}/_sandbox/pictures/{name}", self.origin);
        self.kept.retain(|(other, ..)| *other != name);
        self.kept.push_back((name, image.media_type, Bytes::copy_from_slice(image.content)));
        while self.kept.iter().map(|(.., content)| content.len()).sum::<usize>() > KEPT_BYTES {
            self.kept.pop_front();
        }
        url
    }

    /// Media type and bytes of a picture.
    pub(crate) fn find(&self, name: &str) -> Option<(&'static str, Bytes)> {
        let (_, media_type, content) = self.kept.iter().find(|(known, ..)| known == name)?;
        Some((media_type, content.clone()))
    }
}
