//! A sandbox and a client whose every answer is held against the contract.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code, reason = "test code")]

pub mod contract;
pub mod raw;
pub mod receiver;

use bloomchats_sandbox::{Options, Sandbox};
use reqwest::header::HeaderMap;
use serde_json::Value;

/// A started sandbox and its two keys' clients.
pub struct Bench {
    pub sandbox: Sandbox,
    pub blooio: Client,
    pub bloomchats: Client,
}

pub fn bench() -> Bench {
    let sandbox = Sandbox::start(Options::default()).unwrap();
    let blooio = Client::new(&sandbox.url(), "authorization", &format!("Bearer {}", sandbox.blooio_api_key()));
    let bloomchats = Client::new(&sandbox.url(), "x-api-key", sandbox.bloomchats_api_key());
    Bench { sandbox, blooio, bloomchats }
}

#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    key: Option<(&'static str, String)>,
}

/// An answer, already valid by its contract.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Client {
    pub fn new(url: &str, header: &'static str, key: &str) -> Client {
        // The same build of reqwest also speaks TLS, and wants to know whose cryptography before anything else.
        let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
        Client { http: reqwest::Client::new(), url: url.to_owned(), key: Some((header, key.to_owned())) }
    }

    pub fn without_key(&self) -> Client {
        Client { key: None, ..self.clone() }
    }

    pub fn with_key(&self, header: &'static str, key: &str) -> Client {
        Client { key: Some((header, key.to_owned())), ..self.clone() }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.raw("GET", path, &[], None).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.raw("DELETE", path, &[], None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.raw("POST", path, &[], Some(body.to_string().into_bytes())).await
    }

    pub async fn send(&self, method: &str, path: &str, body: Value) -> Answer {
        self.raw(method, path, &[], Some(body.to_string().into_bytes())).await
    }

    pub async fn post_keyed(&self, path: &str, key: &str, body: Value) -> Answer {
        self.raw("POST", path, &[("idempotency-key", key)], Some(body.to_string().into_bytes())).await
    }

    pub async fn raw(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<Vec<u8>>) -> Answer {
        let response = self.request(method, path, headers, body).send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body: Value = serde_json::from_slice(&response.bytes().await.unwrap()).expect("every answer is JSON");
        let answer = Answer { status, headers, body };
        contract::check(method, path, &answer);
        answer
    }

    pub fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> reqwest::RequestBuilder {
        let method_name = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self.http.request(method_name, format!("{}{path}", self.url));
        if let Some((header, key)) = &self.key {
            request = request.header(*header, key);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body);
        }
        request
    }
}

impl Answer {
    #[track_caller]
    pub fn is(self, status: u16) -> Answer {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// The error's code, wherever the API puts it.
    pub fn code(&self) -> Option<&str> {
        self.body["error"]["code"].as_str().or(self.body["code"].as_str())
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub fn text(&self, pointer: &str) -> String {
        self.body
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("{pointer} in {}", self.body))
            .to_owned()
    }
}
