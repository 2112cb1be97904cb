//! One call from start to end.
//!
//! Ask for the credential, wait for room and for a turn, make an attempt, and read what came of it; then answer, go round again with
//! the same bytes and key, or give up with an error that says whether a message may have gone out.

use std::sync::atomic::Ordering;
use std::time::Duration;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use tracing::Instrument;

pub(crate) use super::answer::request_id;
use super::attempt::{self, Failure, Outcome};
use super::idempotency;
use super::observe::Watch;
use super::operation::{Idempotency, Operation};
use super::progress::Progress;
use super::request::{Bodies, Request};
use super::retry::{Cause, Taken, backoff_cap};
use super::transport::WireRequest;
use super::{CallOptions, Engine, v4_body};
use crate::config::{SendBody, Source, credential_value};
use crate::error::{Error, ErrorKind, Result};

/// A later attempt with less time than this would only turn a refusal into a doubt.
const USEFUL: Duration = Duration::from_millis(50);

/// A successful call, and what its last attempt said.
pub(crate) struct Done {
    pub answer: Box<attempt::Answer>,
    pub attempts: u32,
    pub key: Option<String>,
}

/// Runs a frozen request to its end.
pub(crate) async fn run(
    engine: &Engine,
    operation: &Operation,
    request: &Request<'_>,
    options: &CallOptions,
    progress: &Progress,
) -> Result<Done> {
    engine.transport.check_host()?;
    let given = options.idempotency_key.as_deref();
    let key = idempotency::key_for(request.traits.idempotency, request.traits.dry_run, given)?;
    let mut call = Call::begin(engine, operation, request, options, key, progress);
    let span = call.watch.span();
    let result = call.make().instrument(span).await;
    call.watch.end(&result);
    result
}

enum Step {
    Again(Duration),
    AtOnce,
}

/// Which generation of body goes out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Content,
    Flat,
    Only,
}

struct Call<'a> {
    engine: &'a Engine,
    operation: &'a Operation,
    request: &'a Request<'a>,
    progress: &'a Progress,
    watch: Watch<'a>,
    deadline: Duration,
    attempt_timeout: Duration,
    max_retries: u32,
    /// The key before a body form is appended to it.
    key: Option<String>,
    form: Form,
    /// Whether a refusal of the tagged form may be answered with the flat one.
    may_fall_back: bool,
    /// The refusal of the tagged form, once the flat one has taken over.
    fell_back_from: Option<Error>,
    credential: Option<HeaderValue>,
    renewed: bool,
    retries: u32,
    taken: Option<Taken>,
}

impl<'a> Call<'a> {
    fn begin(
        engine: &'a Engine,
        operation: &'a Operation,
        request: &'a Request<'a>,
        options: &CallOptions,
        key: Option<String>,
        progress: &'a Progress,
    ) -> Call<'a> {
        let settings = &engine.settings;
        let (form, may_fall_back) = choose_form(engine, request, options.idempotency_key.as_deref());
        let call = Call {
            engine,
            operation,
            request,
            progress,
            watch: Watch::begin(engine, operation, request, progress),
            deadline: engine.clock.now().saturating_add(options.timeout.unwrap_or(settings.timeout)),
            attempt_timeout: options.attempt_timeout.unwrap_or(settings.attempt_timeout),
            max_retries: options.max_retries.unwrap_or(settings.max_retries),
            key,
            form,
            may_fall_back,
            fell_back_from: None,
            credential: None,
            renewed: false,
            retries: 0,
            taken: None,
        };
        progress.set_key(call.wire_key());
        call
    }

    async fn make(&mut self) -> Result<Done> {
        self.ask_credential().await?;
        loop {
            self.wait_for_room().await?;
            self.wait_for_turn().await?;
            self.check_time()?;
            let failure = match self.attempt().await {
                Ok(answer) => return Ok(self.succeed(answer)),
                Err(failure) => failure,
            };
            match self.next_step(failure).await? {
                Step::Again(wait) => {
                    self.watch.goes_on(wait);
                    self.engine.clock.sleep(wait).await;
                }
                Step::AtOnce => self.watch.goes_on(Duration::ZERO),
            }
        }
    }

    async fn ask_credential(&mut self) -> Result<()> {
        self.credential = Some(self.current_credential().await?);
        Ok(())
    }

    async fn current_credential(&self) -> Result<HeaderValue> {
        let settings = &self.engine.settings;
        let provider = match &settings.credential {
            Source::Key(key) => return Ok(key.clone()),
            Source::Provider(provider) => provider,
        };
        let answer = tokio::select! {
            biased;
            answer = provider.credential() => answer,
            () = self.engine.clock.patience(self.time_left()) => {
                Err(Error::new(ErrorKind::Timeout, "the credential provider did not answer within the call's timeout"))
            }
        };
        answer.and_then(|key| credential_value(settings.product, &key)).map_err(|error| self.stamp(error))
    }

    /// Waits while the service has said that no requests are left.
    async fn wait_for_room(&self) -> Result<()> {
        let wait = self.engine.hold.remaining(self.engine.clock.now());
        if wait.is_zero() {
            return Ok(());
        }
        if wait + USEFUL >= self.time_left() {
            let message = format!(
                "the service has no requests left for another {} s, longer than the time left to this call",
                wait.as_secs()
            );
            return Err(self.stamp(Error::new(ErrorKind::Timeout, message).with_retry_after(Some(wait))));
        }
        self.engine.clock.sleep(wait).await;
        Ok(())
    }

    /// Waits for a turn under the plan; a turn that would come too late fails now.
    async fn wait_for_turn(&self) -> Result<()> {
        let Some(limiter) = &self.engine.limiter else { return Ok(()) };
        let patience = || self.time_left().saturating_sub(USEFUL);
        limiter.turn(&*self.engine.clock, patience).await.map_err(|wait| {
            let message = format!(
                "the plan's limit leaves no turn for another {} s, longer than the time left to this call",
                wait.as_secs()
            );
            self.stamp(Error::new(ErrorKind::Timeout, message).with_retry_after(Some(wait)))
        })
    }

    /// The waits and the credential may have used up the time.
    fn check_time(&self) -> Result<()> {
        match self.time_left() {
            Duration::ZERO => {
                Err(self.stamp(Error::new(ErrorKind::Timeout, "the call's time was over before it could be sent")))
            }
            _ => Ok(()),
        }
    }

    async fn attempt(&mut self) -> Outcome {
        let left = self.time_left();
        self.progress.begin_attempt(self.request.traits.harmless);
        let span = self.watch.begin_attempt();
        let limit = left.min(self.attempt_timeout);
        let key = self.credential.as_ref();
        let exchanging = span.in_scope(|| self.engine.transport.exchange(self.wire(), limit, self.progress));
        let attempt = attempt::make(self.engine, self.operation, self.request, key, exchanging, limit);
        let outcome = attempt.instrument(span).await;
        // An answer too: a host that cancels before it reads it must still learn that the message went out.
        let arrived = !matches!(&outcome, Err(failure) if !failure.may_have_arrived);
        self.progress.end_attempt(arrived && !self.request.traits.harmless);
        self.watch.end_attempt(&outcome);
        outcome
    }

    fn succeed(&self, answer: Box<attempt::Answer>) -> Done {
        self.engine.budget.succeed(self.taken);
        if self.fell_back_from.as_ref().is_some_and(|refusal| refusal.code() == Some("invalid_content")) {
            self.engine.flat_works.store(true, Ordering::Relaxed);
        }
        Done { answer, attempts: self.progress.attempts(), key: self.wire_key() }
    }

    async fn next_step(&mut self, failure: Failure) -> Result<Step> {
        if failure.error.kind() == ErrorKind::Authentication && self.renew_credential().await? {
            // The refused attempt reached nothing and is not counted as one.
            self.progress.forget_attempt();
            return Ok(Step::AtOnce);
        }
        if self.falls_back(&failure) {
            self.fell_back_from = Some(self.stamp(failure.error));
            self.form = Form::Flat;
            self.progress.set_key(self.wire_key());
            return Ok(Step::AtOnce);
        }
        match self.retry_wait(&failure) {
            Some(wait) => Ok(Step::Again(wait)),
            None => Err(self.give_up(failure)),
        }
    }

    async fn renew_credential(&mut self) -> Result<bool> {
        if self.renewed || matches!(self.engine.settings.credential, Source::Key(_)) {
            return Ok(false);
        }
        self.renewed = true;
        let fresh = self.current_credential().await?;
        let differs = self.credential.as_ref() != Some(&fresh);
        self.credential = Some(fresh);
        Ok(differs)
    }

    fn falls_back(&self, failure: &Failure) -> bool {
        let error = &failure.error;
        self.may_fall_back
            && self.form == Form::Content
            && self.progress.attempts() == 1
            && !failure.fan_out
            && error.status().is_some_and(|status| v4_body::invites_flat(status, error.code(), error.body()))
    }

    /// How long to wait before the next retry, or `None` when there is none.
    fn retry_wait(&mut self, failure: &Failure) -> Option<Duration> {
        let cause = failure.cause;
        if !cause.permits_retry(self.request.traits) || self.retries >= self.max_retries {
            return None;
        }
        let backoff = || self.engine.clock.jitter(backoff_cap(cause, self.retries));
        let wait = failure
            .error
            .retry_after()
            .unwrap_or_else(backoff)
            .max(self.engine.hold.remaining(self.engine.clock.now()));
        if wait.saturating_add(USEFUL) >= self.time_left() {
            return None;
        }
        self.taken = Some(self.engine.budget.take(cause)?);
        self.retries += 1;
        Some(wait)
    }

    fn give_up(&mut self, failure: Failure) -> Error {
        let maybe_sent = self.progress.maybe_sent();
        let earlier = self.progress.maybe_sent_before();
        let traits = self.request.traits;
        let mut error = failure.error;
        if error.kind() == ErrorKind::Conflict && earlier && self.key.is_some() {
            error = error.with_hint("an earlier attempt with this key was probably sent already");
        } else if maybe_sent && traits.one_time_secret {
            error = error.with_hint("the webhook's secret may have been made and lost: rotate to obtain a secret");
        } else if maybe_sent && failure.cause != Cause::Final && traits.idempotency == Idempotency::Trusted {
            error = error.with_hint(
                "it may have been sent: call again with the same idempotency_key to find out without sending twice",
            );
        }
        let cause = self.fell_back_from.take();
        self.stamp(error).caused_by(cause)
    }

    /// Adds what only the call knows.
    fn stamp(&self, error: Error) -> Error {
        error.of_call(self.progress.attempts(), self.progress.maybe_sent(), self.wire_key())
    }

    fn time_left(&self) -> Duration {
        self.deadline.saturating_sub(self.engine.clock.now())
    }

    /// The key as this body form carries it: the two generations never share one, or the second would be a reuse with another body.
    fn wire_key(&self) -> Option<String> {
        let key = self.key.as_ref()?;
        match self.form {
            Form::Flat if !key.ends_with(":flat") => Some(format!("{key}:flat")),
            _ => Some(key.clone()),
        }
    }

    fn wire(&self) -> WireRequest {
        // Room for what the transport adds.
        let mut headers = HeaderMap::with_capacity(self.request.headers.len() + 6);
        for (name, value) in &self.request.headers {
            headers.append(name.clone(), value.clone());
        }
        if let Some(credential) = &self.credential {
            headers.append(self.engine.settings.credential_header(), credential.clone());
        }
        // Keys are checked where they come from, and every one of them can be a header.
        if let Some(key) = self.wire_key().and_then(|key| HeaderValue::try_from(key).ok()) {
            headers.append(HeaderName::from_static("idempotency-key"), key);
        }
        let body = match (&self.request.body, self.form) {
            (Bodies::One(body), _) => body,
            (Bodies::Generations { content: Some(content), .. }, Form::Content) => content,
            (Bodies::Generations { flat, .. }, _) => flat,
        };
        WireRequest { method: self.request.method, uri: self.request.uri.clone(), headers, body: body.clone() }
    }
}

/// The body form a call starts with, and whether the other may follow.
fn choose_form(engine: &Engine, request: &Request<'_>, given_key: Option<&str>) -> (Form, bool) {
    let mode = engine.settings.v4_send_body;
    match &request.body {
        Bodies::One(_) => (Form::Only, false),
        Bodies::Generations { chat: true, content, .. } if mode == SendBody::Content && content.is_some() => {
            (Form::Content, false)
        }
        Bodies::Generations { chat: true, .. } => (Form::Only, false),
        Bodies::Generations { content: None, .. } => (Form::Flat, false),
        Bodies::Generations { .. } => match (mode, given_key) {
            (_, Some(key)) if key.ends_with(":flat") => (Form::Flat, false),
            (SendBody::Flat, _) => (Form::Flat, false),
            (SendBody::Content, _) => (Form::Content, false),
            (SendBody::Auto, None) if engine.flat_works.load(Ordering::Relaxed) => (Form::Flat, false),
            (SendBody::Auto, _) => (Form::Content, true),
        },
    }
}
