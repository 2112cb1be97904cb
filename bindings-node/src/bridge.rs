//! Clients and calls, as TypeScript reaches them: one `Bridge` per environment, numbers for calls, JSON for the rest.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::future::ready;
use std::io::{self, Write};
use std::rc::Rc;
use std::sync::Arc;

use bloomchats::{Answer, Call, Config, Credential, File, Progress, Reactor, Run};
use napi::bindgen_prelude::{Either, Env, Error, Function, Result, Uint8Array, Unknown};
use napi_derive::napi;
use serde_json::json;

use crate::mailbox::{Engine, Event, Mailbox};
use crate::running::{Provider, Running, runtime, to_json};
use crate::uv::{Callback, Watch};

/// A client of one product, as the function that makes its calls: `(call, text, watched, uploads)`. What comes of the call, a refusal
/// of its arguments included, is drained, and with `watched` its events before that. `text`: operation, arguments and options, a line
/// each, since one string crosses faster than three.
type Client<'env> = Quick<'env, ()>;

/// A function of ours by itself: a method's object is looked up, checked and lent at every call.
type Quick<'env, Gives> = Function<'env, Unknown<'env>, Gives>;

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
pub struct Scripted<'env> {
    pub client: Client<'env>,
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

/// What is told of a call: a text of lines, the first of them what it is (`Asked` and the rest, as in `ts/native.ts`) and the call's
/// number. After that of a page comes the way on from it, if there is one. Texts, since arrays and objects are made element by element.
type Told = Either<String, NextPage>;

const ASKED: char = '0';
const SEEN: char = '1';
const FAILED: char = '2';
const DONE: char = '3';

/// As long as the heads of most answers, in bytes.
const HEAD: usize = 1024;

/// One environment's calls. Lives on the environment's own thread and goes away with it, and its calls with it.
#[napi]
pub struct Bridge(Rc<Host>);

struct Host {
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

/// Calls under way, by the numbers that TypeScript gives them.
type Calls = BTreeMap<u32, Arc<Running>>;

#[napi]
impl Bridge {
    /// `wake` is called on the environment's own thread when there is something to drain. It must not throw. `libuv`: this host's
    /// event loop is libuv's and not something that passes for it.
    #[napi(constructor, catch_unwind)]
    pub fn new(env: Env, wake: Function<'_, (), ()>, libuv: bool) -> Result<Bridge> {
        let wake = Rc::new(Callback::new(env, wake)?);
        Ok(Bridge(Rc::new(Host { wake, libuv, post: OnceCell::new(), calls: Rc::default() })))
    }

    /// A client, or JSON of the error. `provider`: its key is asked for when it is needed.
    #[napi(catch_unwind)]
    pub fn open<'env>(&self, env: &'env Env, config: String, provider: bool) -> Result<Either<Client<'env>, String>> {
        match read_config(&config, provider).and_then(bloomchats::Client::open) {
            Ok(client) => self.client(env, client).map(Either::A),
            Err(error) => Ok(Either::B(to_json(&error))),
        }
    }

    /// A client whose answers come from a transcript and whose time is virtual, or JSON of the error.
    #[napi(catch_unwind)]
    pub fn open_scripted<'env>(
        &self,
        env: &'env Env,
        config: String,
        provider: bool,
        transcript: String,
    ) -> Result<Either<Scripted<'env>, String>> {
        let opened =
            read_config(&config, provider).and_then(|config| bloomchats::Client::open_scripted(config, transcript));
        match opened {
            Ok((client, script)) => {
                Ok(Either::A(Scripted { client: self.client(env, client)?, script: Script(script) }))
            }
            Err(error) => Ok(Either::B(to_json(&error))),
        }
    }

    /// Fetches a next page, as a call of its own.
    #[napi(catch_unwind)]
    pub fn next_page(&self, env: Env, call: u32, page: &NextPage, watched: bool) -> Result<()> {
        let (progress, run) = page.0.start();
        self.0.start(env, call, progress, run, watched)
    }

    /// Ends a call at once. That, or what it had come to before, is to be drained.
    #[napi(catch_unwind)]
    pub fn cancel(&self, call: u32) {
        if let Some(running) = self.0.calls.borrow().get(&call) {
            running.cancel();
        }
    }

    /// Answers the question of a call for its credential.
    #[napi(catch_unwind)]
    pub fn answer(&self, call: u32, key: String) {
        if let Some(running) = self.0.calls.borrow().get(&call) {
            running.answer(key);
        }
    }

    /// The function `(all)` that gives what happened since the last time, in order, or the one thing that did. Unless `all` of it is
    /// wanted, some may be left for the loop's next turn.
    #[napi(catch_unwind)]
    pub fn drainer<'env>(&self, env: &'env Env) -> Result<Quick<'env, Either<String, Vec<Told>>>> {
        let host = self.0.clone();
        env.create_function_from_closure("drain", move |given| host.drain(*given.env, given.get(0)?))
    }

    fn client<'env>(&self, env: &'env Env, client: bloomchats::Client) -> Result<Client<'env>> {
        let host = self.0.clone();
        env.create_function_from_closure("call", move |given| {
            let (env, call, watched) = (*given.env, given.get(0)?, given.get(2)?);
            host.make(env, call, &client, &given.get::<String>(1)?, watched, given.get(3)?)
        })
    }
}

impl Host {
    fn make(
        &self,
        env: Env,
        call: u32,
        client: &bloomchats::Client,
        text: &str,
        watched: bool,
        uploads: Option<Vec<Upload>>,
    ) -> Result<()> {
        let mut lines = text.splitn(3, '\n');
        let [operation, arguments, options] = [(); 3].map(|()| lines.next().unwrap_or_default());
        let made = match Call::from_json(operation, arguments.as_bytes(), options.as_bytes()) {
            Ok(made) => made,
            Err(error) => return self.start(env, call, Arc::default(), Box::pin(ready(Err(error))), watched),
        };
        let file =
            |upload: Upload| File::new(upload.field, upload.filename, upload.content_type, upload.bytes.to_vec());
        let files = uploads.into_iter().flatten().map(file).collect();
        let (progress, run) = client.start(Call { files, ..made });
        self.start(env, call, progress, run, watched)
    }

    fn drain(&self, env: Env, all: bool) -> Result<Either<String, Vec<Told>>> {
        let Some(post) = self.post.get() else { return Ok(Either::B(Vec::new())) };
        let events = post.mailbox.drain(all);
        let mut told = Vec::with_capacity(events.len() * 2);
        for (call, event) in events {
            if matches!(event, Event::Done(_) | Event::Failed(_)) {
                let mut calls = self.calls.borrow_mut();
                if calls.remove(&call).is_some() && calls.is_empty() {
                    self.hold(env, post, false)?;
                }
            }
            tell(call, event, &mut told);
        }
        if let [Either::A(only)] = told.as_mut_slice() {
            return Ok(Either::A(std::mem::take(only)));
        }
        Ok(Either::B(told))
    }

    fn start(&self, env: Env, call: u32, progress: Arc<Progress>, run: Run, watched: bool) -> Result<()> {
        let post = self.post(env)?;
        let mut calls = self.calls.borrow_mut();
        if calls.is_empty() {
            self.hold(env, post, true)?;
        }
        calls.insert(call, Running::spawn(call, post.mailbox.clone(), progress, run, watched));
        Ok(())
    }

    /// Calls under way keep their environment, and who is told of them. An idle client keeps nothing: a `vm` context, as test runners
    /// make one for each file, goes with what was loaded into it.
    fn hold(&self, env: Env, post: &Post, yes: bool) -> Result<()> {
        post.keep_alive(env, yes)?;
        self.wake.hold(yes)
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
        let mailbox = Arc::new(Mailbox::new(Engine::Thread(self.wake.from_anywhere()?, runtime)));
        Ok(self.post.get_or_init(|| Post { watch: None, mailbox }))
    }
}

/// The loop's turn. Says whether the loop can have another.
fn turn(watched: bool, mailbox: &Mailbox, wake: &Callback, calls: &RefCell<Calls>) -> bool {
    let turned = mailbox.turn();
    let go_on = watched && turned.is_ok();
    if !go_on {
        // Nothing would ever come of them.
        for running in calls.borrow().values() {
            running.fail("internal", "the event loop no longer learns which sockets are ready");
        }
    }
    // No other turn would take what this one leaves.
    let times = if go_on { usize::from(turned.unwrap_or(true)) } else { mailbox.len() };
    (0..times).for_each(|_| wake.call());
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
        if let Some(post) = self.0.post.get() {
            post.mailbox.close();
        }
        for running in self.0.calls.borrow().values() {
            running.cancel();
        }
    }
}

fn tell(call: u32, event: Event, told: &mut Vec<Told>) {
    let answer = match event {
        Event::Asked => return told.push(Either::A(format!("{ASKED}{call}\n"))),
        Event::Seen(event) => return told.push(Either::A(format!("{SEEN}{call}\n{event}"))),
        Event::Failed(error) => return told.push(Either::A(format!("{FAILED}{call}\n{error}"))),
        Event::Done(answer) => *answer,
    };
    let Answer { status, headers, request_id, attempts, idempotency_key, model, items, next, body } = answer;
    let mut text = Vec::with_capacity(HEAD + body.len());
    // Writing to memory does not fail; were it to, the host would miss what it rarely asks for. JSON has its line breaks escaped.
    let _ = write!(text, "{DONE}{call}\n{model}\n");
    if let Some(items) = items {
        let _ = serde_json::to_writer(&mut text, &items);
    }
    text.push(b'\n');
    let _ = serde_json::to_writer(&mut text, &(status, headers, request_id, attempts, idempotency_key));
    text.push(b'\n');
    text.extend_from_slice(&body);
    // What core and we have written is UTF-8; were it not, the host would still get text.
    let text = String::from_utf8(text).unwrap_or_else(|odd| String::from_utf8_lossy(odd.as_bytes()).into_owned());
    told.push(Either::A(text));
    told.extend(next.map(|next| Either::B(NextPage(next))));
}

fn read_config(config: &str, provider: bool) -> bloomchats::Result<Config> {
    let mut config = Config::from_json(config.as_bytes())?;
    if provider {
        config.credential = Some(Credential::Provider(Arc::new(Provider)));
    }
    Ok(config)
}
