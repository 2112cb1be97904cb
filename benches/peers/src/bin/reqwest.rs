//! reqwest and serde structs, and nothing else.

use anyhow::Result;
use bloomchats_peers::drive::{self, Caller};
use bloomchats_peers::fixture::{KEY, LIST, Page, SEND, Sent};
use bytes::Bytes;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Client, RequestBuilder};

struct Bare {
    url: String,
    client: Client,
}

impl Bare {
    async fn call(&self, request: RequestBuilder) -> Result<Bytes> {
        let request = request.bearer_auth(KEY).header(ACCEPT, "application/json");
        Ok(request.send().await?.error_for_status()?.bytes().await?)
    }
}

impl Caller for Bare {
    async fn send(&mut self) -> Result<Option<String>> {
        let body = serde_json::to_vec(&std::collections::BTreeMap::from([("text", "Hello")]))?;
        let request = self.client.post(format!("{}{SEND}", self.url)).header(CONTENT_TYPE, "application/json");
        let request = request.header("idempotency-key", "b42b4e4c-51a5-4a53-a0b8-2a1d3a3f2f5e").body(body);
        Ok(serde_json::from_slice::<Sent>(&self.call(request).await?)?.message_id)
    }

    async fn list(&mut self) -> Result<(usize, Option<String>)> {
        let answer = self.call(self.client.get(format!("{}{LIST}", self.url))).await?;
        let page: Page = serde_json::from_slice(&answer)?;
        Ok((page.contacts.len(), page.contacts.into_iter().last().and_then(|contact| contact.identifier)))
    }
}

fn main() -> Result<()> {
    bloomchats_peers::provide_tls();
    let client = Client::builder().user_agent("bench").tcp_nodelay(true).no_proxy().build()?;
    drive::run(|url| {
        let client = client.clone();
        async { Ok(Bare { url, client }) }
    })
}
