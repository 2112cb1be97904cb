//! Text from a caller stays what it is: it never becomes another header, path, parameter or request.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;

use bloomchats::operation::{self, Place};
use bloomchats::{Call, Client, File};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};

use crate::server::{ACCEPTED, config, plain, serve};

/// Pieces that mean something to a parser of URLs, headers, JSON or multipart.
const PIECES: &[&str] = &[
    "\r\n",
    "\n",
    "\r",
    "\0",
    "\r\nx-injected: 1",
    " HTTP/1.1\r\nx-injected: 1\r\n\r\n",
    "GET /evil HTTP/1.1",
    "/",
    "..",
    "/../",
    "%2e%2e",
    "%2F",
    "%0d%0a",
    "?x-injected=1",
    "&x-injected=1",
    "#",
    ";",
    "\\",
    "\"",
    "'",
    "@",
    ":",
    "//evil.example",
    "\u{2028}",
    "\u{ff0f}",
    "\u{10d}\u{10a}",
    "\u{1f600}",
    "\r\n--",
    "name",
    "+1555",
    " ",
    "\t",
    "a",
];

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES), 1..5).prop_map(|pieces| pieces.concat())
}

/// Where the hostile text goes.
#[derive(Clone, Debug)]
enum Door {
    Argument { operation: &'static str, name: &'static str },
    HeaderName,
    HeaderValue,
    QueryName,
    QueryValue,
    ExtraBody,
    Key,
    RawPath,
    Filename,
    ContentType,
    UserAgent,
    Organization,
    ApiKey,
    BaseUrl,
}

fn door() -> impl Strategy<Value = Door> {
    let mut arguments = Vec::new();
    for operation in operation::all().iter().filter(|operation| operation.name.starts_with("blooio.v2.")) {
        for argument in operation.arguments.iter().filter(|argument| matches!(argument.place, Place::Id | Place::Text))
        {
            arguments.push(Door::Argument { operation: operation.name, name: argument.field.name });
        }
    }
    arguments.push(Door::Argument { operation: "blooio.v2.messages.list", name: "sort" });
    arguments.push(Door::Argument { operation: "blooio.v2.chats.list", name: "q" });
    prop_oneof![
        6 => prop::sample::select(arguments),
        8 => prop::sample::select(vec![
            Door::HeaderName, Door::HeaderValue, Door::QueryName, Door::QueryValue, Door::ExtraBody, Door::Key, Door::RawPath,
            Door::Filename, Door::ContentType, Door::UserAgent, Door::Organization, Door::ApiKey, Door::BaseUrl,
        ]),
    ]
}

/// The call with the text in its place.
fn call(door: &Door, text: &str) -> Call {
    let send = json!({"chat": "+15551234567", "text": "Hello"});
    let mut call = crate::server::call("blooio.v2.messages.send", send);
    match door {
        Door::Argument { operation, name } => {
            let operation = operation::all().iter().find(|row| row.name == *operation).unwrap();
            let mut arguments = Map::new();
            for argument in operation.arguments.iter().filter(|argument| argument.field.required) {
                if argument.place == Place::File {
                    call.files.push(File::new(argument.field.name, "a.png", "image/png", vec![1]));
                } else {
                    arguments.insert(argument.field.name.into(), "x".into());
                }
            }
            arguments.insert((*name).into(), text.into());
            (call.operation, call.arguments) = (operation.name.into(), arguments);
        }
        Door::HeaderName => call.options.headers = vec![(text.into(), "v".into())],
        Door::HeaderValue => call.options.headers = vec![("x-own".into(), text.into())],
        Door::QueryName => call.options.query = vec![(text.into(), "v".into())],
        Door::QueryValue => call.options.query = vec![("own".into(), text.into())],
        Door::ExtraBody => {
            call.options.extra_body.insert(text.into(), text.into());
        }
        Door::Key => call.options.idempotency_key = Some(text.into()),
        Door::RawPath => {
            let Value::Object(arguments) = json!({"method": "POST", "path": format!("/chats/{text}")}) else {
                return call;
            };
            (call.operation, call.arguments) = ("blooio.v2.request".into(), arguments);
        }
        Door::Filename | Door::ContentType => {
            let named = |given: bool, usual: &str| if given { text.to_owned() } else { usual.to_owned() };
            let filename = named(matches!(door, Door::Filename), "a.png");
            let content_type = named(matches!(door, Door::ContentType), "image/png");
            call.arguments.remove("text");
            call.files = vec![File::new("background", filename, content_type, vec![1])];
            call.operation = "blooio.v2.backgrounds.set".into();
        }
        Door::UserAgent | Door::Organization | Door::ApiKey | Door::BaseUrl => {}
    }
    call
}

/// A client with the text in its settings; the ordinary one where it goes into the call.
fn client(door: &Door, text: &str, address: SocketAddr, ordinary: &Client) -> bloomchats::Result<Client> {
    let mut settings = config(format!("http://{address}"));
    match door {
        Door::UserAgent => settings.user_agent = Some(text.into()),
        Door::Organization => settings.organization_id = Some(text.into()),
        Door::ApiKey => settings = settings.with_api_key(text),
        Door::BaseUrl => settings.base_url = Some(format!("http://{address}/{text}")),
        _ => return Ok(ordinary.clone()),
    }
    Client::open(settings)
}

#[test]
fn hostile_text_stays_in_its_place() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (address, requests) = runtime.block_on(serve(ACCEPTED));
    let requests = RefCell::new(requests);
    let cases = std::env::var("BLOOMCHATS_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(2000) / 4;
    let settings = Config { cases, failure_persistence: None, ..Config::default() };
    let (sent, ordinary) = (Cell::new(0), plain(address));
    let result = TestRunner::new(settings).run(&(door(), text()), |(door, text)| {
        let Ok(client) = client(&door, &text, address, &ordinary) else { return Ok(()) };
        let result = runtime.block_on(client.call(call(&door, &text)));
        if result.as_ref().is_err_and(|error| error.attempts() == 0) {
            prop_assert!(requests.borrow_mut().try_recv().is_err(), "refused, and sent all the same");
            return Ok(());
        }
        sent.set(sent.get() + 1);
        let request = runtime.block_on(requests.borrow_mut().recv()).unwrap();
        check(&door, &text, &request)
    });
    result.unwrap();
    assert!(sent.get() > cases / 20, "most texts were refused; nothing was proved about the others");
}

/// Exactly one request, with the path, parameters and headers it should have.
fn check(door: &Door, text: &str, request: &str) -> Result<(), TestCaseError> {
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let mut lines = head.split("\r\n");
    let line: Vec<_> = lines.next().unwrap().split(' ').collect();
    prop_assert_eq!(line.len(), 3, "a request line of three words: {:?}", line);
    let (path, query) = line[1].split_once('?').unwrap_or((line[1], ""));
    let clean = |c: char| c.is_ascii_alphanumeric() || "-_.~%/".contains(c);
    let is_base = matches!(door, Door::BaseUrl);
    prop_assert!(is_base || path.chars().all(clean), "{}", path);
    prop_assert!(is_base || path.starts_with("/v2/api/"), "{}", path);
    prop_assert!(!path.split('/').any(|segment| segment == ".." || segment.eq_ignore_ascii_case("%2e%2e")), "{}", path);
    if let Door::Argument { operation, .. } = door {
        let operation = operation::all().iter().find(|row| row.name == *operation).unwrap();
        prop_assert_eq!(path.split('/').count(), operation.path.split('/').count() + 2, "{}", path);
    }
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap();
        prop_assert!(name != "x-injected" || text == "x-injected", "{}", query);
        prop_assert!(value.chars().all(clean) && !value.contains('/'), "{}", query);
    }
    let mut length = 0;
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap_or((line, ""));
        let known = [
            "accept",
            "accept-encoding",
            "authorization",
            "content-length",
            "content-type",
            "host",
            "idempotency-key",
            "user-agent",
            "x-organization-id",
            "x-own",
        ];
        let own = matches!(door, Door::HeaderName) && name.eq_ignore_ascii_case(text);
        prop_assert!(own || known.contains(&name), "{}", line);
        if name == "content-length" {
            length = value.parse().unwrap();
        }
    }
    prop_assert_eq!(body.len(), length, "nothing follows the request");
    if matches!(door, Door::Filename | Door::ContentType) {
        prop_assert_eq!(body.matches("Content-Disposition:").count(), 1, "{}", body);
        prop_assert!(!body.contains("\nx-injected"), "{}", body);
    }
    Ok(())
}
