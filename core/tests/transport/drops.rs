//! A call over a real socket, dropped after any number of polls.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc::unbounded_channel;

use crate::server::{ACCEPTED, plain, send};

/// Polls a future `most` times, then drops it.
async fn at_most<T>(most: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut polls = 0;
    poll_fn(|context| {
        if polls == most {
            return Poll::Ready(None);
        }
        polls += 1;
        let poll = future.as_mut().poll(context).map(Some);
        if polls == most && poll.is_pending() {
            context.waker().wake_by_ref();
        }
        poll
    })
    .await
}

#[tokio::test]
async fn a_call_dropped_at_any_await_closes_its_socket_and_tells_the_truth() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (seen, mut connections) = unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let seen = seen.clone();
            tokio::spawn(async move {
                let mut heard = Vec::new();
                let mut asked = 0;
                while stream.read_buf(&mut heard).await.unwrap_or(0) > 0 {
                    if heard.ends_with(b"{\"text\":\"Hello\"}") {
                        asked += 1;
                        heard.clear();
                        let busy = "HTTP/1.1 503 Busy\r\nretry-after: 0\r\ncontent-length: 0\r\n\r\n";
                        let answer = if asked == 1 { busy } else { ACCEPTED };
                        tokio::time::sleep(Duration::from_millis(2)).await;
                        // In two pieces, so that the client also waits in the middle of a head.
                        let _ = stream.write_all(&answer.as_bytes()[..20]).await;
                        let _ = stream.flush().await;
                        tokio::time::sleep(Duration::from_millis(2)).await;
                        let _ = stream.write_all(&answer.as_bytes()[20..]).await;
                    }
                }
                seen.send(asked).unwrap();
            });
        }
    });
    let mut ended = 0;
    for polls in 0..40 {
        let client = plain(address);
        let mut call = send();
        call.options.max_retries = Some(2);
        let (progress, run) = client.start(call);
        let result = at_most(polls, run).await;
        drop(client);
        let told = (progress.attempts(), progress.maybe_sent());
        if polls == 0 {
            assert_eq!(told, (0, false), "nothing was even begun");
            continue;
        }
        ended += usize::from(result.is_some_and(|result| result.is_ok()));
        // A drop before the connection was made leaves nothing for the server to see.
        let heard = tokio::time::timeout(Duration::from_secs(5), connections.recv()).await;
        if let Ok(asked) = heard.map(Option::unwrap) {
            assert!(
                asked == 0 || told.1,
                "after {polls} polls the service was asked {asked} times, and nobody is told"
            );
            assert!(told.0 >= asked, "after {polls} polls");
        } else {
            assert!(told.0 <= 1, "after {polls} polls the connection was never closed");
        }
    }
    assert!(ended > 0, "the last drops come after the end");
}
