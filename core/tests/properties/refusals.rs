//! What is refused before anything is sent.

use bloomchats::{Client, Config, ErrorKind};
use proptest::prelude::*;

use crate::secrecy::send;
use crate::support::{block_on, cases};

/// Headers that carry the credential, the key or the frame of a message.
const OURS: &[&str] = &[
    "authorization",
    "x-api-key",
    "idempotency-key",
    "x-organization-id",
    "user-agent",
    "content-type",
    "content-length",
    "transfer-encoding",
    "host",
    "connection",
];

proptest! {
    #![proptest_config(cases(5))]

    #[test]
    fn no_header_takes_the_place_of_ours(name in prop::sample::select(OURS), case in any::<u32>()) {
        let letter = |(at, letter): (usize, char)| if case >> at & 1 == 1 { letter.to_ascii_uppercase() } else { letter };
        let mut call = send("+15551234567", "Hi");
        call.options.headers = vec![(name.chars().enumerate().map(letter).collect(), "other".into())];
        let (client, script) = Client::open_scripted(Config::blooio(), r#"{"exchanges": []}"#).unwrap();
        let error = block_on(client.call(call)).unwrap_err();
        prop_assert_eq!((error.kind(), error.attempts()), (ErrorKind::InvalidArgument, 0));
        prop_assert!(script.requests().as_array().unwrap().is_empty());
    }
}
