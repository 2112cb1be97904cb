//! Clients and calls, as TypeScript reaches them: one `Bridge` per environment, numbers for calls, JSON for the rest.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::future::ready;
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use bloomchats::{Answer, Call, Config, Credential, File, Progress, Reactor};
use napi::bindgen_prelude::{Either, Env, Error, Function, Result, Uint8Array};
use napi_derive::napi;
use serde_json::json;

use crate::mailbox::{Engine, Event, Mailbox};
use crate::running::{Provider, Run, Running, runtime, to_json};
use crate::uv::{Callback, Watch};

/// A client of one product.
#[napi]
pub struct Client(bloomchats::Client);

/// The way on from a page.
#[napi]
pub struct NextPage(bloomchats::NextPage);

/// Reads back what a scripted client did.
#[napi]
pub struct Script(bloomchats::Script);

#[napi]
impl Script {
    /// JSON: `{"requests", "waits_ms", "left"}`.
    #[napi(catch_unwind)]
    pub fn read(&self) -> String {
        json!({"requests": self.0.requests(), "waits_ms": self.0.waits_ms(), "left": self.0.left()}).to_string()
    }
}

/// A scripted client and its record.
#[napi(object, object_from_js = false)]
pub struct Scripted {
    pub client: Client,
    pub script: Script,
}

/// An upload.
#[napi(object, object_to_js = false)]
pub struct Upload {
    pub field: String,
    pub filename: String,
    pub content_type: String,
    pub bytes: Uint8Array,
}

/// What happened to a call: its end, something for its watcher, or core's question for a credential (none of `error`, `head`,
/// `event`).
#[napi(object, object_from_js = false)]
pub struct Completion {
    pub call: u32,
    /// JSON of an event.
    pub event: Option<String>,
    /// JSON of the error.
    pub error: Option<String>,
    /// JSON of what the last attempt said, an array: status, headers, request id, attempts, key.
    pub head: Option<String>,
    /// JSON of the value; on a page, the whole body.
    pub body: Option<String>,
    /// Model of the value, of one item on a page.
    pub model: Option<&'static str>,
    /// On a page, the field that holds the items; empty when the body is the array itself.
    pub items: Option<String>,
    pub next: Option<NextPage>,
}

/// One environment's calls. Lives on the environment's own thread and goes away with it, and its calls with it.
#[napi]
pub struct Bridge {
    wake: Rc<Callback>,
    /// The environment's loop is libuv's.
    libuv: bool,
    /// Since the first call.
    post: OnceCell<Post>,
    calls: Rc<RefCell<Calls>>,
}

/// What drives an environment's calls. The watch ends before the descriptor that it watches.
struct Post {
    watch: Option<Watch>,
    mailbox: Arc<Mailbox>,
}

#[derive(Default)]
struct Calls {
    last: u32,
    running: HashMap<u32, Arc<Running>>,
}

#[napi]
impl Bridge {
    /// `wake` is called on the environment's own thread when there is something to drain. It must not throw. `libuv`: this host's
    /// event loop is libuv's and not something that passes for it.
    #[napi(constructor, catch_unwind)]
    pub fn new(env: Env, wake: Function<'_, (), ()>, libuv: bool) -> Result<Bridge> {
        let wake = Rc::new(Callback::new(env, wake.create_ref()?)?);
        Ok(Bridge { wake, libuv, post: OnceCell::new(), calls: Rc::default() })
    }

    /// A client, or JSON of the error. `provider`: its key is asked for when it is needed.
    #[napi(catch_unwind)]
    pub fn open(&self, config: String, provider: bool) -> Either<Client, String> {
        let opened = read_config(&config, provider).and_then(bloomchats::Client::open);
        match opened {
            Ok(client) => Either::A(Client(client)),
            Err(error) => Either::B(to_json(&error)),
        }
    }

    /// A client whose answers come from a transcript and whose time is virtual, or JSON of the error.
    #[napi(catch_unwind)]
    pub fn open_scripted(&self, config: String, provider: bool, transcript: String) -> Either<Scripted, String> {
        let opened =
            read_config(&config, provider).and_then(|config| bloomchats::Client::open_scripted(config, transcript));
        match opened {
            Ok((client, script)) => Either::A(Scripted { client: Client(client), script: Script(script) }),
            Err(error) => Either::B(to_json(&error)),
        }
    }

    /// Makes a call and returns its number; what comes of it, a refusal of its arguments included, is drained. `watched`:
    /// and its events before that.
    #[napi(catch_unwind)]
    #[allow(clippy::too_many_arguments)] // an object of JavaScript would be read field by field, at every call
    pub fn call(
        &self,
        env: Env,
        client: &Client,
        operation: String,
        arguments: String,
        options: String,
        uploads: Vec<Upload>,
        watched: bool,
    ) -> Result<u32> {
        let call = match Call::from_json(operation, arguments.as_bytes(), options.as_bytes()) {
            Ok(call) => call,
            Err(error) => return self.start(env, Arc::default(), Box::pin(ready(Err(error))), watched),
        };
        let file =
            |upload: Upload| File::new(upload.field, upload.filename, upload.content_type, upload.bytes.to_vec());
        let files = uploads.into_iter().map(file).collect();
        let (progress, run) = client.0.start(Call { files, ..call });
        self.start(env, progress, Box::pin(run), watched)
    }

    /// Fetches a next page, as a call of its own.
    #[napi(catch_unwind)]
    pub fn next_page(&self, env: Env, page: &NextPage, watched: bool) -> Result<u32> {
        let (progress, run) = page.0.start();
        self.start(env, progress, Box::pin(run), watched)
    }

    /// Ends a call at once. That, or what it had come to before, is to be drained.
    #[napi(catch_unwind)]
    pub fn cancel(&self, call: u32) {
        if let Some(running) = self.calls.borrow().running.get(&call) {
            running.cancel();
        }
    }

    /// Answers the question of a call for its credential.
    #[napi(catch_unwind)]
    pub fn answer(&self, call: u32, key: String) {
        if let Some(running) = self.calls.borrow().running.get(&call) {
            running.answer(key);
        }
    }

    /// Everything that happened since the last time, in order.
    #[napi(catch_unwind)]
    pub fn drain(&self, env: Env) -> Result<Vec<Completion>> {
        let mut completions = Vec::new();
        let Some(post) = self.post.get() else { return Ok(completions) };
        for (call, event) in post.mailbox.drain() {
            if matches!(event, Event::Done(_) | Event::Failed(_)) {
                let mut calls = self.calls.borrow_mut();
                if calls.running.remove(&call).is_some() && calls.running.is_empty() {
                    post.keep_alive(env, false)?;
                }
            }
            completions.push(Completion::of(call, event));
        }
        Ok(completions)
    }

    fn start(&self, env: Env, progress: Arc<Progress>, run: Run, watched: bool) -> Result<u32> {
        let post = self.post(env)?;
        let mut calls = self.calls.borrow_mut();
        if calls.running.is_empty() {
            post.keep_alive(env, true)?;
        }
        calls.last = calls.last.wrapping_add(1);
        let call = calls.last;
        calls.running.insert(call, Running::spawn(call, post.mailbox.clone(), progress, run, watched));
        Ok(call)
    }

    fn post(&self, env: Env) -> Result<&Post> {
        if let Some(post) = self.post.get() {
            return Ok(post);
        }
        let no_runtime = |error: io::Error| Error::from_reason(format!("the runtime does not start: {error}"));
        let runtime = runtime().map_err(no_runtime)?;
        if self.libuv {
            let reactor = Reactor::new(runtime.handle().clone()).map_err(no_runtime)?;
            let mailbox = Arc::new(Mailbox::new(Engine::Loop(reactor)));
            let (turned, wake, calls) = (mailbox.clone(), self.wake.clone(), self.calls.clone());
            let ready = Rc::new(move |watched: bool| turn(watched, &turned, &wake, &calls));
            let watch = mailbox.descriptor().and_then(|fd| Watch::open(env, fd, ready));
            if watch.is_some() {
                return Ok(self.post.get_or_init(|| Post { watch, mailbox }));
            }
        }
        let wake = self.wake.function()?.build_threadsafe_function::<()>().weak::<true>().build()?;
        let mailbox = Arc::new(Mailbox::new(Engine::Thread(wake, runtime)));
        Ok(self.post.get_or_init(|| Post { watch: None, mailbox }))
    }
}

/// The loop's turn. Says whether the loop can have another.
fn turn(watched: bool, mailbox: &Mailbox, wake: &Callback, calls: &RefCell<Calls>) -> bool {
    let turned = mailbox.turn();
    let go_on = watched && turned.is_ok();
    if !go_on {
        // Nothing would ever come of them.
        for running in calls.borrow().running.values() {
            running.fail("internal", "the event loop no longer learns which sockets are ready");
        }
    }
    if turned.unwrap_or(true) || !go_on {
        wake.call();
    }
    go_on
}

impl Post {
    /// Whether this environment's process (or worker) stays alive although its event loop has nothing else to do.
    fn keep_alive(&self, env: Env, yes: bool) -> Result<()> {
        self.watch.as_ref().map_or_else(|| self.mailbox.keep_alive(env, yes), |watch| watch.keep_alive(yes))
    }
}

impl Drop for Bridge {
    /// The environment ends: a worker was terminated, or the process exits.
    fn drop(&mut self) {
        if let Some(post) = self.post.get() {
            post.mailbox.close();
        }
        for running in self.calls.borrow().running.values() {
            running.cancel();
        }
    }
}

impl Completion {
    fn of(call: u32, event: Event) -> Completion {
        let nothing =
            Completion { call, event: None, error: None, head: None, body: None, model: None, items: None, next: None };
        let answer = match event {
            Event::Asked => return nothing,
            Event::Seen(event) => return Completion { event: Some(event), ..nothing },
            Event::Failed(error) => return Completion { error: Some(error), ..nothing },
            Event::Done(answer) => *answer,
        };
        let Answer { status, headers, request_id, attempts, idempotency_key, .. } = &answer;
        let head = serde_json::to_string(&(status, headers, request_id, attempts, idempotency_key)).ok();
        // Core has checked that the body is UTF-8; were it not, the host would still get text.
        let body = String::from_utf8(answer.body.into())
            .unwrap_or_else(|broken| String::from_utf8_lossy(broken.as_bytes()).into_owned());
        Completion {
            head: Some(head.unwrap_or_default()),
            body: Some(body),
            model: Some(answer.model),
            items: answer.items,
            next: answer.next.map(NextPage),
            ..nothing
        }
    }
}

fn read_config(config: &str, provider: bool) -> bloomchats::Result<Config> {
    let mut config = Config::from_json(config.as_bytes())?;
    if provider {
        config.credential = Some(Credential::Provider(Arc::new(Provider)));
    }
    Ok(config)
}
