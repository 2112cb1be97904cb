//! The bridge as C functions, for `Sources/BloomChatsFFI/BloomChatsFFI.h`: there is what each promises and asks for.
//!
//! Bytes that come in are borrowed for the call; what goes out is one kind of box, [`Told`], whose bytes Swift reads where they
//! lie until it gives the box back. No panic leaves here: it becomes a failure, or nothing where there is nothing to return.

#![expect(
    unsafe_code,
    reason = "raw pointers are what a C function is given; each is used as its header says, for its call only"
)]

use std::ffi::c_void;
use std::panic::{self, AssertUnwindSafe};
use std::ptr;

use bloomchats::{Answer, Error, File, NextPage, Secret};

use crate::call::{Call, Step};
use crate::client::{self, Client};
use crate::webhook;

/// Bytes of somebody else; a null `start` means that there are none.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Text {
    start: *const u8,
    count: usize,
}

impl Text {
    const NONE: Text = Text { start: ptr::null(), count: 0 };

    fn of(bytes: &[u8]) -> Text {
        Text { start: bytes.as_ptr(), count: bytes.len() }
    }

    fn of_optional(text: Option<&str>) -> Text {
        text.map_or(Text::NONE, |text| Text::of(text.as_bytes()))
    }

    fn optional<'a>(self) -> Option<&'a [u8]> {
        // SAFETY: the caller of a function of this file lends `count` bytes at `start` until it returns, and no longer is any
        // result of this kept.
        (!self.start.is_null()).then(|| unsafe { std::slice::from_raw_parts(self.start, self.count) })
    }

    fn bytes<'a>(self) -> &'a [u8] {
        self.optional().unwrap_or_default()
    }

    /// Swift's strings are UTF-8 always.
    fn string(self) -> String {
        String::from_utf8_lossy(self.bytes()).into_owned()
    }
}

/// What a [`Told`] is.
#[repr(C)]
#[derive(Clone, Copy)]
enum Kind {
    Done,
    Failed,
    Event,
    Asked,
}

/// Something told to Swift, which gives it back with `bloomchats_told_free`.
#[repr(C)]
pub struct Told {
    kind: Kind,
    attempts: u32,
    status: u16,
    has_next: bool,
    body: Text,
    request_id: Text,
    idempotency_key: Text,
    model: Text,
    items: Text,
    // From here on the header shows nothing: what the pointers above point into.
    held: Held,
}

enum Held {
    Answer(Box<Answer>),
    /// Only to be there until the box goes.
    Bytes {
        _bytes: Vec<u8>,
    },
}

impl Told {
    fn bytes(kind: Kind, bytes: Vec<u8>) -> Box<Told> {
        let body = Text::of(&bytes);
        Box::new(Told {
            kind,
            attempts: 0,
            status: 0,
            has_next: false,
            body,
            request_id: Text::NONE,
            idempotency_key: Text::NONE,
            model: Text::NONE,
            items: Text::NONE,
            held: Held::Bytes { _bytes: bytes },
        })
    }

    fn answer(answer: Box<Answer>) -> Box<Told> {
        Box::new(Told {
            kind: Kind::Done,
            attempts: answer.attempts,
            status: answer.status,
            has_next: answer.next.is_some(),
            // What these point at stays where it is when the box of the answer is handed on.
            body: Text::of(&answer.body),
            request_id: Text::of_optional(answer.request_id.as_deref()),
            idempotency_key: Text::of_optional(answer.idempotency_key.as_deref()),
            model: Text::of(answer.model.as_bytes()),
            items: Text::of_optional(answer.items.as_deref()),
            held: Held::Answer(answer),
        })
    }

    fn failure(error: Error) -> Box<Told> {
        Told::bytes(Kind::Failed, error.to_json().to_string().into())
    }

    fn result(result: bloomchats::Result<Vec<u8>>) -> Box<Told> {
        match result {
            Ok(bytes) => Told::bytes(Kind::Done, bytes),
            Err(error) => Told::failure(error),
        }
    }

    fn internal() -> Box<Told> {
        let failure = r#"{"kind":"internal","message":"internal error in bloomchats; please report it"}"#;
        Told::bytes(Kind::Failed, failure.into())
    }
}

impl From<Step> for Box<Told> {
    fn from(step: Step) -> Box<Told> {
        match step {
            Step::Done(answer) => Told::answer(answer),
            Step::Failed(json) => Told::bytes(Kind::Failed, json),
            Step::Event(json) => Told::bytes(Kind::Event, json),
            Step::Asked => Told::bytes(Kind::Asked, Vec::new()),
        }
    }
}

/// Whoever listens to a call, to be told one thing.
pub struct Listener {
    context: *mut c_void,
    hear: extern "C" fn(*mut c_void, *mut Told),
}

// SAFETY: the header asks for a context that may be handed to `hear` from any thread.
unsafe impl Send for Listener {}

impl Listener {
    pub fn hear(self, step: Step) {
        (self.hear)(self.context, Box::into_raw(step.into()));
    }
}

/// Runs what may panic; `None` if it did.
fn caught<T>(run: impl FnOnce() -> T) -> Option<T> {
    bloomchats::keep_panics_private();
    panic::catch_unwind(AssertUnwindSafe(run)).ok()
}

fn told(run: impl FnOnce() -> Box<Told>) -> *mut Told {
    Box::into_raw(caught(run).unwrap_or_else(Told::internal))
}

/// Gives what was made, or null and the reason.
fn made<T>(failure: *mut *mut Told, make: impl FnOnce() -> bloomchats::Result<T>) -> *mut T {
    let problem = match caught(make) {
        Some(Ok(made)) => return Box::into_raw(Box::new(made)),
        Some(Err(error)) => Told::failure(error),
        None => Told::internal(),
    };
    // SAFETY: the header asks for a place to write one pointer to.
    unsafe { failure.write(Box::into_raw(problem)) };
    ptr::null_mut()
}

/// # Safety
/// `made` comes from [`made`] or `Box::into_raw` and is not used any more.
unsafe fn free<T>(made: *mut T) {
    if !made.is_null() {
        // SAFETY: as this function asks.
        caught(|| drop(unsafe { Box::from_raw(made) }));
    }
}

#[unsafe(no_mangle)]
extern "C" fn bloomchats_client_open(
    config: Text,
    asks: bool,
    transcript: Text,
    failure: *mut *mut Told,
) -> *mut Client {
    made(failure, || Client::open(config.bytes(), asks, transcript.optional()))
}

#[unsafe(no_mangle)]
extern "C" fn bloomchats_client_script(client: &Client) -> *mut Told {
    told(|| Told::bytes(Kind::Done, client.script()))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn bloomchats_client_free(client: *mut Client) {
    // SAFETY: the header says so.
    unsafe { free(client) }
}

#[unsafe(no_mangle)]
extern "C" fn bloomchats_files_new() -> *mut Vec<File> {
    Box::into_raw(Box::default())
}

#[unsafe(no_mangle)]
extern "C" fn bloomchats_files_add(
    files: &mut Vec<File>,
    field: Text,
    filename: Text,
    content_type: Text,
    bytes: Text,
) {
    caught(|| files.push(File::new(field.string(), filename.string(), content_type.string(), bytes.bytes().to_vec())));
}

#[unsafe(no_mangle)]
unsafe extern "C" fn bloomchats_client_begin(
    client: &Client,
    operation: Text,
    arguments: Text,
    options: Text,
    files: *mut Vec<File>,
    watched: bool,
    failure: *mut *mut Told,
) -> *mut Call {
    // SAFETY: the header takes the files over.
    let files = if files.is_null() { Vec::new() } else { *unsafe { Box::from_raw(files) } };
    made(failure, || client.begin(&operation.string(), arguments.bytes(), options.bytes(), files, watched))
}

#[unsafe(no_mangle)]
extern "C" fn bloomchats_page_begin(page: &NextPage, watched: bool) -> *mut Call {
    caught(|| Box::into_raw(Box::new(client::fetch(page, watched)))).unwrap_or(ptr::null_mut())
}

#[unsafe(no_mangle)]
unsafe extern "C" fn bloomchats_page_free(page: *mut NextPage) {
    // SAFETY: the header says so.
    unsafe { free(page) }
}

#[unsafe(no_mangle)]
extern "C" fn bloomchats_call_listen(call: &Call, context: *mut c_void, hear: extern "C" fn(*mut c_void, *mut Told)) {
    // Nothing in it runs core's code: that is the runtime's to do.
    call.listen(Listener { context, hear });
}

#[unsafe(no_mangle)]
extern "C" fn bloomchats_call_answer(call: &Call, key: Text) {
    caught(|| call.answer(Secret::new(key.string())));
}

#[unsafe(no_mangle)]
extern "C" fn bloomchats_call_cancel(call: &Call) {
    caught(|| call.cancel());
}

#[unsafe(no_mangle)]
unsafe extern "C" fn bloomchats_call_free(call: *mut Call) {
    // SAFETY: the header says so.
    unsafe { free(call) }
}

#[unsafe(no_mangle)]
extern "C" fn bloomchats_told_headers(of: &Told) -> *mut Told {
    told(|| {
        let Held::Answer(answer) = &of.held else { return Told::bytes(Kind::Done, b"[]".into()) };
        Told::bytes(Kind::Done, serde_json::to_vec(&answer.headers).unwrap_or_default())
    })
}

#[unsafe(no_mangle)]
extern "C" fn bloomchats_told_next(told: &Told) -> *mut NextPage {
    let Held::Answer(answer) = &told.held else { return ptr::null_mut() };
    answer.next.as_ref().map_or(ptr::null_mut(), |next| Box::into_raw(Box::new(next.clone())))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn bloomchats_told_free(told: *mut Told) {
    // SAFETY: the header says so.
    unsafe { free(told) }
}

#[unsafe(no_mangle)]
extern "C" fn bloomchats_new_idempotency_key() -> *mut Told {
    told(|| Told::result(bloomchats::new_idempotency_key().map(String::into_bytes)))
}

#[unsafe(no_mangle)]
extern "C" fn bloomchats_verify_webhook(
    body: Text,
    header: Text,
    secrets: Text,
    now: i64,
    tolerance: u64,
) -> *mut Told {
    told(|| {
        let secrets: Vec<String> = serde_json::from_slice(secrets.bytes()).unwrap_or_default();
        let secrets: Vec<_> = secrets.into_iter().map(Secret::new).collect();
        let header = header.optional().map(String::from_utf8_lossy);
        Told::result(webhook::verify(body.bytes(), header.as_deref(), &secrets, now, tolerance))
    })
}

#[unsafe(no_mangle)]
extern "C" fn bloomchats_sign_webhook(body: Text, secret: Text, at: i64) -> *mut Told {
    told(|| Told::bytes(Kind::Done, webhook::sign(body.bytes(), Secret::new(secret.string()), at)))
}

#[unsafe(no_mangle)]
extern "C" fn bloomchats_parse_event(body: Text) -> *mut Told {
    told(|| Told::result(webhook::parse(body.bytes())))
}
