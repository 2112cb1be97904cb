//! Receiving request bodies, bounded in size and time.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;

use crate::refusal::Refusal;

/// Bodies beyond this are 413: 10 MB uploads with their multipart wrapping pass.
const LIMIT: usize = 12 * 1024 * 1024;
/// How much beyond the limit is read and thrown away, so that a client that is still sending hears the answer.
const PATIENCE: usize = 64 * 1024 * 1024;
/// How long a body may take to arrive.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The whole body, or why there is none.
pub(crate) async fn receive(body: Body) -> Result<Bytes, Refusal> {
    match tokio::time::timeout(TIMEOUT, collect(body)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(closing(Refusal::new(408, "The body did not arrive in time."))),
    }
}

async fn collect(mut body: Body) -> Result<Bytes, Refusal> {
    let mut collected = BytesMut::new();
    let mut received = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| closing(Refusal::bad_request("The body broke off.")))?;
        let Ok(data) = frame.into_data() else { continue };
        received += data.len();
        if received > PATIENCE {
            break;
        }
        if received <= LIMIT {
            collected.extend_from_slice(&data);
        }
    }
    if received > LIMIT {
        return Err(closing(Refusal::new(413, "The body is larger than 12 MiB.")));
    }
    Ok(collected.freeze())
}

/// What was not read would be taken for the next request.
fn closing(refusal: Refusal) -> Refusal {
    refusal.header("connection", "close")
}
