//! Reading a body: bounded, unpacked, and honest about how it ended.

use std::io::{self, Write};

use bytes::{Bytes, BytesMut};
use flate2::write::MultiGzDecoder;
use http_body_util::BodyExt;
use hyper::body::Body as HttpBody;

use super::detail;
use crate::engine::transport::{Body, MAX_BODY};

/// Reads to the end, or until it is certain that there is no good one.
pub(super) async fn read(mut body: impl HttpBody<Data = Bytes, Error = hyper::Error> + Unpin, gzip: bool) -> Body {
    if !gzip && body.size_hint().lower() > MAX_BODY as u64 {
        return Body::TooLarge;
    }
    let mut whole =
        if gzip { Whole::Packed(MultiGzDecoder::new(Capped::default())) } else { Whole::Plain(BytesMut::new()) };
    let mut empty = true;
    while let Some(frame) = body.frame().await {
        let data = match frame.map(|frame| frame.into_data()) {
            Ok(Ok(data)) => data,
            Ok(Err(_trailers)) => continue,
            Err(error) => return Body::BrokenOff { late: false, detail: detail(&error) },
        };
        if let (true, Whole::Plain(_), true) = (empty, &whole, body.is_end_stream()) {
            return if data.len() > MAX_BODY { Body::TooLarge } else { Body::Whole(data) };
        }
        empty &= data.is_empty();
        if let Err(end) = whole.add(&data) {
            return end;
        }
    }
    if empty { Body::Whole(Bytes::new()) } else { whole.finish() }
}

enum Whole {
    Plain(BytesMut),
    Packed(MultiGzDecoder<Capped>),
}

impl Whole {
    fn add(&mut self, data: &[u8]) -> Result<(), Body> {
        match self {
            Whole::Plain(whole) if whole.len() + data.len() > MAX_BODY => Err(Body::TooLarge),
            Whole::Plain(whole) => {
                whole.extend_from_slice(data);
                Ok(())
            }
            Whole::Packed(unpacked) => unpacked.write_all(data).map_err(|error| unpacked.get_ref().end(&error)),
        }
    }

    fn finish(self) -> Body {
        match self {
            Whole::Plain(whole) => Body::Whole(whole.freeze()),
            Whole::Packed(mut unpacked) => match unpacked.try_finish() {
                Ok(()) => Body::Whole(std::mem::take(&mut unpacked.get_mut().bytes).into()),
                Err(error) => unpacked.get_ref().end(&error),
            },
        }
    }
}

/// Takes no more than [`MAX_BODY`].
#[derive(Default)]
struct Capped {
    bytes: Vec<u8>,
    overflowed: bool,
}

impl Capped {
    fn end(&self, error: &io::Error) -> Body {
        if self.overflowed {
            return Body::TooLarge;
        }
        Body::BrokenOff { late: false, detail: format!("its gzip form is damaged: {error}") }
    }
}

impl Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.overflowed = self.bytes.len() + bytes.len() > MAX_BODY;
        if self.overflowed {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
