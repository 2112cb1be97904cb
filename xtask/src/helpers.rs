//! The sandbox's testing helpers have the same members in every language, and a member for each control operation.

use std::path::{Path, PathBuf};

/// What each helper has, in snake case, by the file it is told in.
const MEMBERS: &[(&str, &str)] = &[
    (
        "sandbox",
        "url blooio_api_key bloomchats_api_key blooio bloomchats environment namespace reset clock faults phone",
    ),
    ("sandbox", "receiver requests deliveries switches set_switches set_limit set_line close"),
    ("clock", "now frozen freeze run set advance"),
    ("faults", "script add replace clear"),
    ("faults", "action method path after times bytes status code retry_after body hits"),
    ("phone", "number inbox write ask_poll vote react start_typing stop_typing read share_contact_card"),
    ("phone", "rename_group set_group_icon"),
    ("phone", "id v2_id from group_id type text effect poll attachments status sent_at"),
    ("phone", "chat_id message_id v2_message_id to"),
    ("receiver", "url received answer at status headers body"),
    ("logs", "at method target idempotency_key body status fault answered_at error"),
    ("logs", "id webhook_id url event_id event state replay_of created_at next_attempt_at attempts"),
];

/// Which member stands for a control operation; the last two are for the services' own side.
const OPERATIONS: &[(&str, &str)] = &[
    ("createNamespace", "namespace"),
    ("reset", "reset"),
    ("setLimit", "set_limit"),
    ("getSwitches", "switches"),
    ("setSwitches", "set_switches"),
    ("getClock", "now"),
    ("setClock", "set"),
    ("advanceClock", "advance"),
    ("simulateInbound", "write"),
    ("getInbox", "inbox"),
    ("setLine", "set_line"),
    ("createReceiver", "receiver"),
    ("getReceiver", "received"),
    ("setReceiver", "answer"),
    ("listRequests", "requests"),
    ("listDeliveries", "deliveries"),
    ("listFaults", "script"),
    ("replaceFaults", "replace"),
    ("addFault", "add"),
    ("clearFaults", "clear"),
    ("getPicture", ""),
    ("deliver", ""),
];

/// How a language writes members down, and where.
struct Language {
    name: &'static str,
    files: fn(&str) -> Vec<String>,
    /// Text around a member's name, `_` standing for it, wherever it is declared.
    declares: &'static [&'static str],
    case: fn(&str) -> String,
    /// Members that the language's own habits call something else.
    called: &'static [(&'static str, &'static str)],
}

const LANGUAGES: &[Language] = &[
    Language {
        name: "Python",
        files: |part| vec![format!("bindings-python/python/bloomchats/testing/_{part}.py")],
        declares: &["def _(", "self._: ", "    _: "],
        case: str::to_owned,
        called: &[("from", "from_")],
    },
    Language {
        name: "Node",
        files: |part| vec![format!("bindings-node/ts/sandbox/{part}.ts")],
        declares: &["get _(", "async _(", "  _(", "readonly _:", "readonly _?:", "  _: ", "  _?: "],
        case: camel,
        called: &[],
    },
    Language {
        name: "Swift",
        files: |part| vec![format!("bindings-swift/Sources/BloomChatsTesting/Sandbox/{}.swift", capitalized(part))],
        declares: &["var _:", "let _:", "func _(", "_: Int", "_: String", "_: JSONValue"],
        case: |name| camel(name).replace("Api", "API").replace("Id", "ID"),
        called: &[("frozen", "isFrozen"), ("fault", "wasStruck")],
    },
    Language {
        name: "Rust",
        files: |part| match part {
            "sandbox" => vec!["sandbox/src/testing/mod.rs".to_owned(), "sandbox/src/lib.rs".to_owned()],
            part => vec![format!("sandbox/src/testing/{part}.rs")],
        },
        declares: &["fn _(", "fn _<", "pub _:"],
        case: str::to_owned,
        called: &[("type", "kind"), ("close", "stop")],
    },
];

fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| name + &capitalized(word))
}

fn capitalized(word: &str) -> String {
    word.chars().take(1).flat_map(char::to_uppercase).chain(word.chars().skip(1)).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn declared(language: &Language, part: &str, member: &str) -> bool {
    let called = language.called.iter().find(|(name, _)| *name == member).map(|(_, called)| (*called).to_owned());
    let name = called.unwrap_or_else(|| (language.case)(member));
    // Node's models keep the names of the wire.
    let names = [name, member.to_owned()];
    let text: String = (language.files)(part)
        .iter()
        .map(|file| std::fs::read_to_string(root().join(file)).unwrap_or_default())
        .collect();
    language.declares.iter().any(|form| names.iter().any(|name| text.contains(&form.replace('_', name))))
}

#[test]
fn every_language_has_every_member() {
    let mut missing = Vec::new();
    for language in LANGUAGES {
        for (part, members) in MEMBERS {
            let lacks = members.split(' ').filter(|member| !declared(language, part, member));
            missing.extend(lacks.map(|member| format!("{}: {part} has no {member}", language.name)));
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn asynchronous_python_has_every_member_too() {
    let text =
        std::fs::read_to_string(root().join("bindings-python/python/bloomchats/testing/_async.py")).unwrap_or_default();
    for (part, members) in MEMBERS.iter().filter(|(part, members)| *part != "logs" && !members.contains("status")) {
        for member in
            members.split(' ').filter(|member| !["chat_id", "message_id", "v2_message_id", "to"].contains(member))
        {
            let here = [format!("self.{member}: "), format!("def {member}(")].iter().any(|form| text.contains(form));
            assert!(here, "_async.py: {part} has no {member}");
        }
    }
}

#[test]
fn every_control_operation_has_a_member() {
    let contract = std::fs::read_to_string(root().join("spec/sandbox.openapi.yaml")).unwrap_or_default();
    let told: Vec<&str> = contract.lines().filter_map(|line| line.trim().strip_prefix("operationId: ")).collect();
    let unknown: Vec<_> = told.iter().filter(|id| !OPERATIONS.iter().any(|(known, _)| known == *id)).collect();
    assert!(unknown.is_empty(), "no helper is named for {unknown:?}");
    for (id, member) in OPERATIONS {
        assert!(told.contains(id), "{id} is gone from the contract");
        let is_one = MEMBERS.iter().any(|(_, members)| members.split(' ').any(|name| name == *member));
        assert!(member.is_empty() || is_one, "{member}, for {id}, is no member");
    }
}
