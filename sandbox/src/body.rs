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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use axum::body::HttpBody;
    use hyper::body::Frame;

    use super::*;

    /// `pieces` of `size` bytes, and then nothing more, for ever.
    struct Trickle {
        pieces: usize,
        size: usize,
    }

    impl HttpBody for Trickle {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            match self.pieces.checked_sub(1) {
                None => Poll::Pending,
                Some(left) => {
                    self.pieces = left;
                    Poll::Ready(Some(Ok(Frame::data(vec![b'x'; self.size].into()))))
                }
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_is_given_up() {
        let refused = receive(Body::new(Trickle { pieces: 3, size: 1 })).await.unwrap_err();
        assert_eq!((refused.status, refused.headers[0].0), (408, "connection"));
        // One that is too large is not read for ever either.
        let refused = receive(Body::new(Trickle { pieces: 100, size: 1024 * 1024 })).await.unwrap_err();
        assert_eq!(refused.status, 413);
    }
}
