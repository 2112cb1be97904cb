//! The yardstick: hyper on a connection of its own for each caller, and serde structs. No pool, no checks, no retries.

use anyhow::{Result, ensure};
use bloomchats_benches::drive::{self, Caller};
use bloomchats_benches::fixture::{KEY, LIST, Page, SEND, Sent};
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName, USER_AGENT};
use http::{HeaderValue, Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

struct Bare {
    host: HeaderValue,
    connection: SendRequest<Full<Bytes>>,
}

async fn open(url: String) -> Result<Bare> {
    let host = url.trim_start_matches("http://");
    let stream = TcpStream::connect(host).await?;
    stream.set_nodelay(true)?;
    let (connection, driver) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(driver);
    Ok(Bare { host: HeaderValue::from_str(host)?, connection })
}

impl Bare {
    async fn call(&mut self, method: Method, target: &str, body: Bytes) -> Result<Bytes> {
        let mut request = Request::builder()
            .method(method)
            .uri(target)
            .header(HOST, self.host.clone())
            .header(USER_AGENT, "bench")
            .header(ACCEPT, "application/json")
            .header(AUTHORIZATION, format!("Bearer {KEY}"));
        if !body.is_empty() {
            let key = HeaderName::from_static("idempotency-key");
            request =
                request.header(CONTENT_TYPE, "application/json").header(key, "b42b4e4c-51a5-4a53-a0b8-2a1d3a3f2f5e");
        }
        self.connection.ready().await?;
        let response = self.connection.send_request(request.body(Full::new(body))?).await?;
        ensure!(response.status().is_success(), "the server answered {}", response.status());
        Ok(response.into_body().collect().await?.to_bytes())
    }
}

impl Caller for Bare {
    async fn send(&mut self) -> Result<Option<String>> {
        let body = serde_json::to_vec(&std::collections::BTreeMap::from([("text", "Hello")]))?;
        let answer = self.call(Method::POST, SEND, body.into()).await?;
        Ok(serde_json::from_slice::<Sent>(&answer)?.message_id)
    }

    async fn list(&mut self) -> Result<(usize, Option<String>)> {
        let page: Page = serde_json::from_slice(&self.call(Method::GET, LIST, Bytes::new()).await?)?;
        Ok((page.contacts.len(), page.contacts.into_iter().last().and_then(|contact| contact.identifier)))
    }
}

fn main() -> Result<()> {
    drive::run(open)
}
