//! A call in the making: options, then `.await`.

use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::time::Duration;

use serde_json::{Map, Value};

use super::Json;
use super::page::Page;
use crate::engine::multipart::File;
use crate::engine::{BoxFuture, boxed, listing};
use crate::{Answer, Call, CallOptions, Client, Error, ErrorKind, Headers, Result};

/// A call that has not been made yet: set what is optional, then `.await` it. `A` names the operation whose arguments
/// it takes; their setters are listed with that type.
#[must_use = "nothing is sent before `.await`"]
pub struct Request<T, A = ()> {
    client: Client,
    /// Boxed, because every setter takes it and gives it back.
    call: Box<Call>,
    types: PhantomData<fn() -> (T, A)>,
}

/// A value and what came with it.
#[derive(Clone)]
#[non_exhaustive]
pub struct Response<T> {
    /// The value.
    pub value: T,
    /// HTTP status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Headers,
    /// The service's id of the request.
    pub request_id: Option<String>,
    /// Attempts made.
    pub attempts: u32,
    /// The idempotency key that last went on the wire.
    pub idempotency_key: Option<String>,
}

impl<T: std::fmt::Debug> std::fmt::Debug for Response<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Response")
            .field("value", &self.value)
            .field("status", &self.status)
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}

impl<T, A> std::fmt::Debug for Request<T, A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Request({})", self.call.operation)
    }
}

/// What a call can result in: a [`Json`] value, or a [`Page`] of them.
pub trait Outcome: Sized {
    #[doc(hidden)]
    fn ask(client: &Client, call: &mut Call) -> impl Future<Output = Result<(Box<Answer>, Self)>> + Send;
}

impl<T: Json + Send> Outcome for T {
    async fn ask(client: &Client, call: &mut Call) -> Result<(Box<Answer>, T)> {
        let (answer, _) = client.keep(call, listing::survey::<()>).await?;
        let text = std::str::from_utf8(&answer.body).unwrap_or_default();
        match T::from_answer(answer.model, text) {
            Ok(value) => Ok((answer, value)),
            Err(_) => Err(unexpected(&answer, "the value has another shape")),
        }
    }
}

impl<T: Json + Send + 'static> Outcome for Page<T> {
    async fn ask(client: &Client, call: &mut Call) -> Result<(Box<Answer>, Page<T>)> {
        Page::first(client, call).await
    }
}

/// Core has checked the answer, so this is a mistake of ours, and still no reason to panic.
pub(super) fn unexpected(answer: &Answer, problem: &str) -> Error {
    Error::new(ErrorKind::Decode, format!("the service answered {}, but {problem}", answer.status))
        .with_status(answer.status)
        .with_request_id(answer.request_id.clone())
        .of_call(answer.attempts, answer.idempotency_key.is_some(), answer.idempotency_key.clone())
}

impl<T, A> Request<T, A> {
    pub(crate) fn new(client: &Client, operation: &'static str) -> Request<T, A> {
        Request {
            client: client.clone(),
            call: Box::new(Call::of(operation.into(), Map::new(), CallOptions::default())),
            types: PhantomData,
        }
    }

    pub(crate) fn with(mut self, name: &str, value: impl Json) -> Self {
        self.call.arguments.insert(name.to_owned(), value.into_json());
        self
    }

    pub(crate) fn null(mut self, name: &str) -> Self {
        self.call.arguments.insert(name.to_owned(), Value::Null);
        self
    }

    pub(crate) fn file(mut self, field: &str, mut file: File) -> Self {
        field.clone_into(&mut file.field);
        self.call.files.push(file);
        self
    }

    /// Time for the whole call, waits between attempts included. Default: the client's (60 s).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.call.options.timeout = Some(timeout);
        self
    }

    /// Time for one attempt. Default: the client's (30 s).
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.call.options.attempt_timeout = Some(timeout);
        self
    }

    /// Retries after the first attempt, 0 to 10. Default: the client's (2).
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.call.options.max_retries = Some(retries);
        self
    }

    /// An idempotency key of your own instead of a generated one: repeat it to repeat the call safely.
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.call.options.idempotency_key = Some(key.into());
        self
    }

    /// One more header.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.call.options.headers.push((name.into(), value.into()));
        self
    }

    /// One more query parameter.
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.call.options.query.push((name.into(), value.into()));
        self
    }

    /// One more field of the JSON body, for what the SDK does not list.
    pub fn extra_body(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.call.options.extra_body.insert(name.into(), value.into());
        self
    }
}

impl<T: Outcome, A> Request<T, A> {
    /// Makes the call and gives status, headers, request id, attempts and key beside the value.
    ///
    /// # Errors
    /// Any [`Error`] of the call.
    pub fn with_response(self) -> impl Future<Output = Result<Response<T>>> + Send + 'static
    where
        T: Send + 'static,
    {
        let Request { client, mut call, .. } = self;
        async move {
            let (answer, value) = T::ask(&client, &mut call).await?;
            let Answer { status, headers, request_id, attempts, idempotency_key, .. } = *answer;
            Ok(Response { value, status, headers, request_id, attempts, idempotency_key })
        }
    }
}

impl<T: Outcome + Send + 'static, A> IntoFuture for Request<T, A> {
    type Output = Result<T>;
    type IntoFuture = BoxFuture<Result<T>>;

    fn into_future(self) -> BoxFuture<Result<T>> {
        let Request { client, mut call, .. } = self;
        boxed(move || async move { T::ask(&client, &mut call).await.map(|(_, value)| value) })
    }
}

/// Arguments of a raw request.
#[derive(Debug)]
pub enum RawRequest {}

impl Request<Value, RawRequest> {
    /// The JSON body.
    pub fn body(self, body: impl Into<Value>) -> Self {
        self.with("body", body.into())
    }
}
