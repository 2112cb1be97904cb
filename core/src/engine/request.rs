//! From a call's arguments to frozen bytes: everything that is checked before anything is sent happens here.

use std::borrow::Cow;

use bytes::Bytes;
use http::Uri;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use serde_json::{Map, Value};

use super::listing::{self, Survey};
use super::multipart::{self, File};
use super::operation::{Api, Argument, BodyKind, ContentRule, Idempotency, Method, Operation, Place, Schema, SendForm};
use super::shape::{self, ObjectWriter};
use super::{CallOptions, url, v4_body};
use crate::config::Settings;
use crate::error::redact::redact;
use crate::error::{Error, Result};

/// Headers with a place of their own, or that frame the message; a caller's copy would contradict it.
const RESERVED_HEADERS: &[(&str, &str)] = &[
    ("authorization", "it comes from the credential"),
    ("x-api-key", "it comes from the credential"),
    ("idempotency-key", "pass idempotency_key instead"),
    ("x-organization-id", "set organization_id on the client instead"),
    ("user-agent", "set user_agent on the client instead"),
    ("content-type", "it follows from the body"),
    ("content-length", "it follows from the body"),
    ("transfer-encoding", "it follows from the body"),
    ("host", "it follows from the base URL"),
    ("connection", "the client manages its connections"),
];

/// The type of nearly every body, and of every answer asked for.
pub(crate) static JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What a retry may do, drawn from the operation and its arguments.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traits {
    /// Cannot have sent or changed anything.
    pub harmless: bool,
    /// May be repeated after an attempt that may have arrived.
    pub replayable: bool,
    /// The answer's secret is shown once.
    pub one_time_secret: bool,
    /// `dry_run` was asked for.
    pub dry_run: bool,
    /// Idempotency class.
    pub idempotency: Idempotency,
}

/// A request whose every attempt sends the same bytes.
pub(crate) struct Request<'a> {
    pub api: Api,
    pub method: Method,
    pub uri: Uri,
    /// Without credential, key and user agent.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub body: Bodies,
    pub traits: Traits,
    pub private: Private<'a>,
    /// How a page of the answer is read.
    pub survey: Survey,
}

/// The caller's own texts, hidden from error messages; gathered only when there is one to write.
pub(crate) struct Private<'a> {
    pub arguments: &'a Map<String, Value>,
    pub files: &'a [File],
    pub options: &'a CallOptions,
    pub gather: fn(&Map<String, Value>, &CallOptions) -> Vec<String>,
}

impl Private<'_> {
    /// What a server said, without these texts and without the key, which may look like anything.
    pub fn hide(&self, said: &str, key: Option<&HeaderValue>) -> String {
        let texts = (self.gather)(self.arguments, self.options);
        let names = self.files.iter().map(|file| file.filename.as_str()).filter(|name| is_private(name));
        // Shorter ones are stand-ins, and may be words.
        let key = key.and_then(|key| key.to_str().ok()?.rsplit(' ').next()).filter(|key| key.len() >= 8);
        redact(said, texts.iter().map(String::as_str).chain(names).chain(key))
    }
}

/// An argument that was given, and its value.
type Given<'a> = (&'static Argument, &'a Value);

/// The body, or the two generations of it.
pub(crate) enum Bodies {
    One(Bytes),
    /// `content` is `None` where the message exists only in the flat form.
    Generations {
        content: Option<Bytes>,
        flat: Bytes,
        chat: bool,
    },
}

/// Checks a call against its operation and freezes it.
pub(crate) fn build<'a>(
    settings: &Settings,
    operation: &'static Operation,
    arguments: &'a Map<String, Value>,
    files: &'a [File],
    options: &'a CallOptions,
) -> Result<Request<'a>> {
    check_arguments(operation, arguments, files, options)?;
    let private = Private { arguments, files, options, gather: private_values };
    let (arguments, extra) = &absorb(operation, arguments, &options.extra_body);
    let root = settings.root(operation.api);
    let given = &in_contract_order(operation, arguments);
    let target = url::with_query(
        path(root.prefix(), operation, given)?,
        query(operation, given, options)?.iter().map(|(n, v)| (n.as_str(), v.as_str())),
    );
    let (content_type, body) = body(operation, arguments, given, files, extra)?;
    let dry_run = operation.send.is_some() && arguments.get("dry_run") == Some(&Value::Bool(true));
    Ok(Request {
        api: operation.api,
        method: operation.method,
        uri: root.uri(target)?,
        headers: headers(settings, content_type, options)?,
        body,
        traits: traits(operation, dry_run),
        private,
        survey: listing::survey::<()>,
    })
}

/// Extra fields that bear an argument's name replace that argument, before anything is decided by it: an extra
/// `dry_run: false` beside `dry_run: true` is a real send, and must be treated as one.
fn absorb<'a>(
    operation: &Operation,
    arguments: &'a Map<String, Value>,
    extra: &Map<String, Value>,
) -> (Cow<'a, Map<String, Value>>, Map<String, Value>) {
    let (mut arguments, mut rest) = (Cow::Borrowed(arguments), Map::new());
    for (wire, value) in extra {
        let listed =
            operation.arguments.iter().find(|argument| argument.place == Place::Body && argument.field.wire == wire);
        match listed {
            Some(argument) => arguments.to_mut().insert(argument.field.name.to_owned(), value.clone()),
            None => rest.insert(wire.clone(), value.clone()),
        };
    }
    (arguments, rest)
}

/// What was given, as it is to be sent. Looked up from its side: operations take many more arguments than calls give.
fn in_contract_order<'a>(operation: &'static Operation, arguments: &'a Map<String, Value>) -> Vec<Given<'a>> {
    let place = |name: &str| operation.arguments.iter().position(|argument| argument.field.name == name);
    let mut placed: Vec<_> = arguments.iter().filter_map(|(name, value)| Some((place(name)?, value))).collect();
    placed.sort_unstable_by_key(|(place, _)| *place);
    placed.into_iter().map(|(place, value)| (&operation.arguments[place], value)).collect()
}

fn traits(operation: &Operation, dry_run: bool) -> Traits {
    let harmless = dry_run || operation.read_only || (operation.method == Method::Get && !operation.effect_get);
    let idempotent_method = matches!(operation.method, Method::Put | Method::Delete);
    Traits {
        harmless,
        replayable: harmless || idempotent_method || operation.idempotency == Idempotency::Trusted,
        one_time_secret: operation.one_time_secret,
        dry_run,
        idempotency: operation.idempotency,
    }
}

/// Refuses arguments the operation does not have, of the wrong shape, or missing.
pub(crate) fn check_names(operation: &Operation, arguments: &Map<String, Value>) -> Result<()> {
    check_arguments(operation, arguments, &[], &CallOptions::default())
}

fn check_arguments(
    operation: &Operation,
    arguments: &Map<String, Value>,
    files: &[File],
    options: &CallOptions,
) -> Result<()> {
    for (name, value) in arguments {
        let known =
            operation.arguments.iter().find(|argument| argument.field.name == name && argument.place != Place::File);
        let Some(argument) = known else {
            return Err(Error::argument(
                name,
                format!(
                    "{} has no such argument; extra_body, query and headers carry what it does not list",
                    operation.name
                ),
            ));
        };
        shape::check_faithful(name, value)?;
        shape::check_argument(name, value, argument.field.schema)?;
    }
    for (name, value) in &options.extra_body {
        shape::check_faithful(name, value)?;
    }
    for file in files {
        if !operation
            .arguments
            .iter()
            .any(|argument| argument.place == Place::File && argument.field.name == file.field)
        {
            return Err(Error::argument(&file.field, format!("{} takes no such file", operation.name)));
        }
    }
    for argument in operation.arguments.iter().filter(|argument| argument.field.required) {
        let field = &argument.field;
        let given = match argument.place {
            Place::File => files.iter().any(|file| file.field == field.name),
            Place::Body => arguments.contains_key(field.name) || options.extra_body.contains_key(field.wire),
            _ => arguments.contains_key(field.name),
        };
        if !given {
            return Err(Error::argument(field.name, "is required"));
        }
    }
    match &operation.content {
        Some(rule) => check_content(rule, arguments, options),
        None => Ok(()),
    }
}

fn check_content(rule: &ContentRule, arguments: &Map<String, Value>, options: &CallOptions) -> Result<()> {
    let given = |name: &&str| arguments.contains_key(*name) || options.extra_body.contains_key(*name);
    let present = || rule.groups.iter().filter(|group| group.iter().any(given));
    let groups = present().count();
    let all = || rule.groups.iter().map(|group| group.join(" and/or ")).collect::<Vec<_>>().join(", ");
    // An extra field may be a content group younger than this SDK: then the server decides.
    if groups == 0 && options.extra_body.is_empty() {
        return Err(Error::argument(rule.groups[0][0], format!("nothing to send: give one of {}", all())));
    }
    if rule.exactly_one && groups > 1 {
        let names: Vec<_> = present().flat_map(|group| group.iter().copied().filter(|name| given(name))).collect();
        let at = names.last().copied().unwrap_or_default();
        return Err(Error::argument(
            at,
            format!("{} exclude each other: give exactly one of {}", names.join(" and "), all()),
        ));
    }
    Ok(())
}

fn path(prefix: &str, operation: &Operation, given: &[Given<'_>]) -> Result<String> {
    // Room for the query as well: most targets never have to grow.
    let mut path = String::with_capacity(prefix.len() + operation.path.len() + 64);
    path.push_str(prefix);
    let mut pieces = operation.path.split('{');
    path.extend(pieces.next());
    for (name, text) in pieces.filter_map(|piece| piece.split_once('}')) {
        let named = given.iter().find(|(argument, _)| argument.field.name == name);
        let value = named.and_then(|(_, value)| value.as_str()).unwrap_or_default();
        let free_text = named.is_some_and(|(argument, _)| argument.place == Place::Text);
        path.extend(url::segment(name, value, !free_text)?);
        path.push_str(text);
    }
    Ok(path)
}

fn query(operation: &Operation, given: &[Given<'_>], options: &CallOptions) -> Result<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    for (argument, value) in given.iter().filter(|(argument, _)| argument.place == Place::Query) {
        let wire = argument.field.wire;
        match value {
            Value::Array(items) => pairs.extend(items.iter().map(|item| (wire.to_owned(), plain(item)))),
            value => pairs.push((wire.to_owned(), plain(value))),
        }
    }
    let extra = extra_query(options)?;
    let listed = |name: &str| operation.arguments.iter().any(|it| it.place == Place::Query && it.field.wire == name);
    if let Some((name, _)) = extra.iter().find(|(name, _)| listed(name)) {
        return Err(Error::argument("query", format!("{name} is an argument of {}: pass it as one", operation.name)));
    }
    pairs.extend(extra);
    Ok(pairs)
}

/// The caller's own query parameters, sorted so that every language sends the same bytes.
pub(crate) fn extra_query(options: &CallOptions) -> Result<Vec<(String, String)>> {
    let mut extra = options.query.clone();
    extra.sort();
    let odd = |text: &str| text.chars().any(|c| c.is_control() || c == shape::LONE_SURROGATE);
    match extra.iter().find(|(name, value)| name.is_empty() || odd(name) || odd(value)) {
        Some(_) => Err(Error::argument(
            "query",
            "names must not be empty, and neither names nor values hold control characters or lone surrogates",
        )),
        None => Ok(extra),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Everything but the credential, the key and the user agent.
pub(crate) fn headers(
    settings: &Settings,
    content_type: Option<HeaderValue>,
    options: &CallOptions,
) -> Result<Vec<(HeaderName, HeaderValue)>> {
    let mut headers = Vec::with_capacity(3 + options.headers.len());
    headers.push((ACCEPT, JSON.clone()));
    headers.extend(content_type.map(|value| (CONTENT_TYPE, value)));
    let organization = settings.organization_id.clone();
    headers.extend(organization.map(|id| (HeaderName::from_static("x-organization-id"), id)));
    for (name, value) in &options.headers {
        let lower = name.to_ascii_lowercase();
        if let Some((_, instead)) = RESERVED_HEADERS.iter().find(|(reserved, _)| *reserved == lower) {
            return Err(Error::argument("headers", format!("{lower} cannot be set here: {instead}")));
        }
        let Ok(name) = HeaderName::from_bytes(lower.as_bytes()) else {
            return Err(Error::argument("headers", "a name is empty or holds characters that no header name may have"));
        };
        // hyper's own check lets other bytes than ASCII through.
        let Some(value) = HeaderValue::from_str(value).ok().filter(|_| value.is_ascii()) else {
            return Err(Error::argument(
                "headers",
                format!("the value of {lower} must be visible ASCII without line breaks"),
            ));
        };
        headers.retain(|(taken, _)| *taken != name);
        headers.push((name, value));
    }
    Ok(headers)
}

fn body(
    operation: &Operation,
    arguments: &Map<String, Value>,
    given: &[Given<'_>],
    files: &[File],
    extra: &Map<String, Value>,
) -> Result<(Option<HeaderValue>, Bodies)> {
    match (operation.body, operation.send) {
        (BodyKind::Multipart, _) => {
            if !extra.is_empty() {
                return Err(Error::argument(
                    "extra_body",
                    "this operation uploads a file; it has no JSON body to extend",
                ));
            }
            let fields = given.iter().filter(|(argument, _)| argument.place == Place::Body);
            let fields: Vec<_> = fields.map(|(argument, value)| (argument.field.wire, plain(value))).collect();
            let (content_type, bytes) = multipart::encode(&fields, files)?;
            Ok((Some(content_type), Bodies::One(bytes)))
        }
        (BodyKind::None, _) if extra.is_empty() => Ok((None, Bodies::One(Bytes::new()))),
        (BodyKind::None, _) if operation.method == Method::Get => {
            Err(Error::argument("extra_body", "a GET request has no body"))
        }
        (_, Some(form)) if form != SendForm::V2 => {
            let content = v4_body::content(operation, form, arguments, extra).map(Bytes::from);
            let flat = json_body(given, extra).into();
            let chat = form == SendForm::V4CreateChat;
            Ok((Some(JSON.clone()), Bodies::Generations { content, flat, chat }))
        }
        _ => Ok((Some(JSON.clone()), Bodies::One(json_body(given, extra).into()))),
    }
}

/// Listed fields in contract order, then the caller's extra ones, sorted.
fn json_body(given: &[Given<'_>], extra: &Map<String, Value>) -> Vec<u8> {
    let mut body = Vec::with_capacity(128);
    let mut object = ObjectWriter::new(&mut body);
    for (argument, value) in given.iter().filter(|(argument, _)| argument.place == Place::Body) {
        object.field(argument.field.wire, value, argument.field.schema);
    }
    for (name, value) in extra {
        object.field(name, value, &Schema::Any);
    }
    object.end();
    body
}

fn private_values(arguments: &Map<String, Value>, options: &CallOptions) -> Vec<String> {
    private_texts(arguments.values(), options)
}

/// The texts in `values` and options, which a server may quote in an error.
pub(crate) fn private_texts<'a>(values: impl Iterator<Item = &'a Value>, options: &'a CallOptions) -> Vec<String> {
    fn collect(value: &Value, out: &mut Vec<String>) {
        match value {
            Value::String(text) if is_private(text) => out.push(text.clone()),
            Value::Array(items) => items.iter().for_each(|item| collect(item, out)),
            Value::Object(map) => map.values().for_each(|item| collect(item, out)),
            _ => {}
        }
    }
    let mut out = Vec::new();
    values.chain(options.extra_body.values()).for_each(|value| collect(value, &mut out));
    let pairs = options.query.iter().chain(&options.headers);
    out.extend(pairs.map(|(_, value)| value.clone()).filter(|value| is_private(value)));
    out
}

/// Words such as `recent` are nobody's data.
pub(crate) fn is_private(text: &str) -> bool {
    text.chars().count() >= 4 && !text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}
