//! The untyped client: what the typed veneers of every language stand on.

use std::any::Any;
use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::api::table;
use crate::config::Config;
use crate::engine::listing::{self, Survey};
use crate::engine::multipart::File;
use crate::engine::operation::Operation;
use crate::engine::page::{self, Position};
use crate::engine::script::Script;
use crate::engine::{BoxFuture, CallOptions, Engine, Progress, boxed, call, raw, request, shape, wait};
use crate::error::{Error, Result};
use crate::headers::Headers;

/// A client of one product. Cheap to clone; clones share connections, retry budget and what the client has learned.
#[derive(Clone)]
pub struct Client {
    engine: Arc<Engine>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Client({:?})", self.engine.settings.product)
    }
}

/// One call: an operation's public name, its arguments by name, files, and options.
///
/// `Debug` shows the operation, never the arguments.
#[derive(Clone)]
pub struct Call {
    /// `blooio.v2.messages.send`, `blooio.v4.request`, `blooio.v2.messages.wait`, …
    pub operation: Cow<'static, str>,
    /// Arguments by their public names; a name left out is absent, `null` is null.
    pub arguments: Map<String, Value>,
    /// Uploads.
    pub files: Vec<File>,
    /// Settings of this call.
    pub options: CallOptions,
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call").field("operation", &self.operation).finish_non_exhaustive()
    }
}

impl Call {
    /// A call without files or options.
    pub fn new(operation: impl Into<String>, arguments: Map<String, Value>) -> Call {
        Call::of(Cow::Owned(operation.into()), arguments, CallOptions::default())
    }

    pub(crate) fn of(operation: Cow<'static, str>, arguments: Map<String, Value>, options: CallOptions) -> Call {
        Call { operation, arguments, files: Vec::new(), options }
    }

    /// Reads a call from the JSON that bindings pass: arguments, and options with times in ms.
    pub fn from_json(operation: impl Into<String>, arguments: &[u8], options: &[u8]) -> Result<Call> {
        let arguments = parse_object("arguments", arguments)?;
        Ok(Call::of(Cow::Owned(operation.into()), arguments, CallOptions::from_json(options)?))
    }
}

fn parse_object(name: &str, json: &[u8]) -> Result<Map<String, Value>> {
    if json.is_empty() {
        return Ok(Map::new());
    }
    match shape::parse(json, shape::LONE_SURROGATE) {
        Some(Value::Object(map)) => Ok(map),
        _ => Err(Error::argument(name, "are not a JSON object")),
    }
}

impl CallOptions {
    /// Reads the JSON that bindings pass, with times in ms; no text at all stands for no options.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidArgument`], naming the option.
    pub fn from_json(json: &[u8]) -> Result<CallOptions> {
        let mut options = CallOptions::default();
        for (name, value) in parse_object("options", json)? {
            let expected = |what: &str| Error::argument(name.trim_end_matches("_ms"), format!("expected {what}"));
            let ms =
                || value.as_u64().map(Duration::from_millis).ok_or_else(|| expected("whole milliseconds, 0 or more"));
            match name.as_str() {
                "timeout_ms" => options.timeout = Some(ms()?),
                "attempt_timeout_ms" => options.attempt_timeout = Some(ms()?),
                "max_retries" => {
                    let retries = value.as_u64().and_then(|n| u32::try_from(n).ok());
                    options.max_retries = Some(retries.ok_or_else(|| expected("a whole number from 0 to 10"))?);
                }
                "idempotency_key" => {
                    options.idempotency_key = Some(value.as_str().ok_or_else(|| expected("a string"))?.to_owned())
                }
                "headers" => options.headers = pairs(&name, &value)?,
                "query" => options.query = pairs(&name, &value)?,
                "extra_body" => options.extra_body = value.as_object().cloned().ok_or_else(|| expected("an object"))?,
                _ => return Err(Error::argument(name, "is not an option of a call")),
            }
        }
        Ok(options)
    }
}

fn pairs(name: &str, value: &Value) -> Result<Vec<(String, String)>> {
    let object = value.as_object().ok_or_else(|| Error::argument(name, "expected an object of strings"))?;
    let text = |key: &String, value: &Value| match value {
        Value::String(text) => Ok((key.clone(), text.clone())),
        Value::Number(_) | Value::Bool(_) => Ok((key.clone(), value.to_string())),
        _ => Err(Error::argument(format!("{name}.{key}"), "expected a string, a number or a boolean")),
    };
    object.iter().map(|(key, value)| text(key, value)).collect()
}

/// A successful call. `Debug` shows what became of it, never what the service said.
#[derive(Clone)]
pub struct Answer {
    /// HTTP status of the last attempt.
    pub status: u16,
    /// Its headers.
    pub headers: Headers,
    /// The service's id of the request.
    pub request_id: Option<String>,
    /// Attempts made.
    pub attempts: u32,
    /// The key that last went on the wire.
    pub idempotency_key: Option<String>,
    /// Model of the value (of one item, on a page); empty for plain JSON.
    pub model: &'static str,
    /// On a page, the field that holds the items; the empty string when the body is the array itself.
    pub items: Option<String>,
    /// The value as JSON, checked; on a page, the whole body.
    pub body: Bytes,
    /// The next page, if there is one.
    pub next: Option<NextPage>,
}

impl Answer {
    /// The items of a page as they stand in its body, for hosts that read an item when it is asked for; `None` for anything else.
    pub fn rows(&self) -> Option<Vec<&str>> {
        listing::rows(std::str::from_utf8(&self.body).ok()?, self.items.as_deref()?)
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Answer");
        shown.field("status", &self.status).field("attempts", &self.attempts).field("model", &self.model);
        shown.finish_non_exhaustive()
    }
}

/// A call under way, as [`Client::start`] and [`NextPage::start`] give it: it ends when it is dropped.
pub type Run = BoxFuture<Result<Box<Answer>>>;

/// What a [`Survey`] kept of a page.
pub(crate) type Kept = Option<Box<dyn Any + Send>>;

/// The way on from a page.
#[derive(Clone)]
pub struct NextPage(Arc<Next>);

struct Next {
    engine: Arc<Engine>,
    operation: &'static Operation,
    arguments: Map<String, Value>,
    options: CallOptions,
    position: Position,
}

impl std::fmt::Debug for NextPage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NextPage")
    }
}

impl NextPage {
    /// Fetches it. May be repeated: a failed fetch can be tried again.
    pub fn fetch(&self) -> impl Future<Output = Result<Answer>> + Send + use<> {
        let run = self.start().1;
        async { run.await.map(|answer| *answer) }
    }

    /// Like [`NextPage::fetch`], with the call's progress to read if it is dropped.
    pub fn start(&self) -> (Arc<Progress>, Run) {
        let next = self.clone();
        let progress = next.0.engine.progress();
        let watched = progress.clone();
        let run = move || async move { next.list(listing::survey::<()>, &watched).await.map(|(answer, _)| answer) };
        (progress, boxed(run))
    }

    /// Like [`NextPage::fetch`], with what `survey` keeps of the page.
    pub(crate) async fn keep(&self, survey: Survey) -> Result<(Box<Answer>, Kept)> {
        self.list(survey, &self.0.engine.progress()).await
    }

    async fn list(&self, survey: Survey, progress: &Progress) -> Result<(Box<Answer>, Kept)> {
        let Next { engine, operation, arguments, options, position } = &*self.0;
        let mut given = Call::of(operation.name.into(), arguments.clone(), options.clone());
        list(engine, operation, &mut given, position, survey, progress).await
    }
}

impl Client {
    /// Opens a client. Nothing is connected and no trust store is read before the first call.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Config`] when a setting or the key is missing or malformed.
    pub fn open(config: Config) -> Result<Client> {
        Ok(Client { engine: Arc::new(Engine::open(&config)?) })
    }

    /// Opens a client whose answers come from a transcript and whose time is virtual. For tests; it opens no socket.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Config`] as for [`Client::open`], or when the transcript cannot be read.
    pub fn open_scripted(mut config: Config, transcript: impl AsRef<[u8]>) -> Result<(Client, Script)> {
        let script = Script::new(transcript.as_ref())?;
        if config.credential.is_none() {
            config = match config.product {
                crate::Product::BloomChats => config.with_api_key("dmtb_test_key"),
                crate::Product::Blooio => config.with_api_key("bl_test_key"),
            };
        }
        Ok((Client { engine: Arc::new(Engine::scripted(&config, &script)?) }, script))
    }

    /// Makes a call.
    pub fn call(&self, mut call: Call) -> impl Future<Output = Result<Answer>> + Send + use<> {
        let client = self.clone();
        async move { client.keep(&mut call, listing::survey::<()>).await.map(|(answer, _)| *answer) }
    }

    /// Makes a call whose progress can be read from outside, during it and after its future was dropped.
    pub fn start(&self, mut call: Call) -> (Arc<Progress>, Run) {
        let engine = self.engine.clone();
        let progress = engine.progress();
        let watched = progress.clone();
        let run = boxed(move || async move {
            dispatch(&engine, &mut call, listing::survey::<()>, &watched).await.map(|(answer, _)| answer)
        });
        (progress, run)
    }

    /// Makes a call, with what `survey` keeps of the page that comes back.
    pub(crate) async fn keep(&self, call: &mut Call, survey: Survey) -> Result<(Box<Answer>, Kept)> {
        dispatch(&self.engine, call, survey, &self.engine.progress()).await
    }
}

// By reference all the way down: what a future is given, it would hold twice.
async fn dispatch(
    engine: &Arc<Engine>,
    given: &mut Call,
    survey: Survey,
    progress: &Progress,
) -> Result<(Box<Answer>, Kept)> {
    let Call { operation: name, arguments, options, .. } = given;
    options.check()?;
    if name.starts_with("blooio.") != (engine.settings.product == crate::Product::Blooio) {
        return Err(Error::argument("operation", "belongs to the other product's client"));
    }
    if let Some(api) = raw::api_of(name) {
        let request = raw::build(&engine.settings, api, arguments, options)?;
        return call::run(engine, &raw::RAW, &request, options, progress).await.map(|done| (done.into(), None));
    }
    if let Some(operation) = wait::status_operation(name) {
        // Boxed, because it is rare and would make every call's future larger.
        let waiting = Box::pin(wait::run(engine, operation, arguments, options, progress));
        return waiting.await.map(|done| (done.into(), None));
    }
    let Some(operation) = table::find(name) else {
        return Err(Error::argument("operation", "is not one this version knows; request() reaches undocumented ones"));
    };
    let position = page::first(operation, arguments);
    list(engine, operation, given, &position, survey, progress).await
}

/// One page of a list, or the one answer of anything else.
async fn list(
    engine: &Arc<Engine>,
    operation: &'static Operation,
    given: &mut Call,
    position: &Position,
    survey: Survey,
    progress: &Progress,
) -> Result<(Box<Answer>, Kept)> {
    let Call { arguments, files, options, .. } = given;
    let mut request = request::build(&engine.settings, operation, arguments, files, options)?;
    request.survey = survey;
    let mut done = call::run(engine, operation, &request, options, progress).await?;
    let page = done.answer.value.page.take();
    let mut answer: Box<Answer> = done.into();
    let mut kept = None;
    if let Some(mut listing) = page {
        kept = listing.kept.take();
        answer.items = Some(std::mem::take(&mut listing.items));
        answer.next = page::next(operation, position, arguments, *listing).map(|(position, arguments)| {
            let options = std::mem::take(options);
            NextPage(Arc::new(Next { engine: engine.clone(), operation, arguments, options, position }))
        });
    }
    Ok((answer, kept))
}

impl From<call::Done> for Box<Answer> {
    fn from(done: call::Done) -> Box<Answer> {
        let call::Done { answer, attempts, key } = done;
        Box::new(Answer {
            status: answer.status,
            request_id: call::request_id(&answer.headers),
            headers: answer.headers.into(),
            attempts,
            idempotency_key: key,
            model: answer.value.model,
            items: None,
            body: answer.value.body,
            next: None,
        })
    }
}
