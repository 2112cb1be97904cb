//! The generator on scratch contracts, and on the real ones with an operation nobody has heard of.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test panics when something is wrong

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::ir::{Ir, Type};
use super::node::Node;
use super::output::Files;
use super::overlay::Overlay;
use super::{check, lower, render};
use crate::extend;

const OVERLAY: &str = r#"
reserved = []
[undeclared]
statuses = [500]
[apis.toy]
name = "toy"
contract = "toy.yaml"
title = "Toy"
doc = "A scratch service."
stability = "stable"
error = "Error"
[apis.toy.paths]
toyId = "toy"
[apis.toy.resources.toys]
doc = "Toys."
paint = "paintToy"
"#;

const CONTRACT: &str = r##"
openapi: 3.1.0
servers: [{url: "https://toy.example/v1"}]
paths:
  /toys/{toyId}/paint:
    post:
      operationId: paintToy
      summary: Paint a toy
      parameters:
        - {name: toyId, in: path, required: true, schema: {type: string}}
      requestBody:
        content:
          application/json:
            schema:
              type: object
              required: [colour]
              properties:
                gloss: {type: boolean, default: false}
                colour: {type: string}
                secretSauce: {type: string, x-confidence: inferred}
                decoration:
                  anyOf:
                    - {$ref: "#/components/schemas/Sticker"}
                    - {$ref: "#/components/schemas/Stripe"}
      responses:
        "200":
          content: {application/json: {schema: {type: object, properties: {data: {$ref: "#/components/schemas/Toy"}}}}}
        "404": {description: none}
components:
  schemas:
    Error: {type: object, properties: {message: {type: string}}}
    Sticker: {type: object, required: [type], properties: {type: {const: sticker, type: string}, picture: {type: string}}}
    Stripe: {type: object, required: [type], properties: {type: {const: stripe, type: string}, width: {type: integer}}}
    Toy: {type: object, properties: {id: {type: string}, paintedAt: {type: integer, format: int64, x-unit: ms}, mood: {type: [string, "null"], enum: [happy, grumpy, null]}}}
"##;

const VARIANTS: &str = "[apis.toy.variants]\nToysDecoration = [\"Sticker\", \"Stripe\"]\n";

fn toy(overlay: &str, contract: &str) -> anyhow::Result<Ir> {
    let overlay = Overlay::parse(overlay)?;
    let contracts = BTreeMap::from([("toy.yaml".to_owned(), Node::parse(contract)?)]);
    let ir = lower::lower(&overlay, &contracts)?;
    check::check(&ir, &overlay)?;
    Ok(ir)
}

fn refusal(overlay: &str, contract: &str) -> String {
    match toy(overlay, contract) {
        Ok(_) => panic!("this should have been refused"),
        Err(error) => format!("{error:#}"),
    }
}

#[test]
fn an_operation_is_understood() {
    let ir = toy(&format!("{OVERLAY}{VARIANTS}"), CONTRACT).unwrap();
    let api = &ir.apis[0];
    let paint = &api.resources[0].operations[0];
    assert_eq!(
        (paint.name.as_str(), paint.path.as_str(), api.prefix.as_str()),
        ("toy.toys.paint", "/toys/{toy}/paint", "/v1")
    );
    // Ids first, then what is required, then the rest; positions keep the wire's order; guesses are no arguments.
    let arguments: Vec<_> = paint.arguments.iter().map(|a| (a.field.name.as_str(), a.position)).collect();
    assert_eq!(arguments, [("toy", 0), ("colour", 2), ("gloss", 1), ("decoration", 3)]);
    assert_eq!(paint.answers[0].unwrap, "data");
    assert_eq!(paint.failures, [404]);
    let toy = api.models.iter().find(|model| model.name == "Toy").unwrap();
    let painted = toy.fields.iter().find(|field| field.wire == "paintedAt").unwrap();
    assert_eq!(
        (painted.name.as_str(), painted.unit.as_str(), painted.doc.as_str()),
        ("painted_at", "ms", "Epoch milliseconds.")
    );
    let mood = toy.fields.iter().find(|field| field.wire == "mood").unwrap();
    assert_eq!((&mood.ty, mood.nullable), (&Type::Enum { name: "ToyMood".into() }, true));
    let decoration = api.unions.iter().find(|union| union.name == "ToysDecoration").unwrap();
    assert_eq!(decoration.tag, "type");
    assert_eq!(decoration.variants.iter().map(|v| v.tag.as_str()).collect::<Vec<_>>(), ["sticker", "stripe"]);
}

#[test]
fn mistakes_say_what_to_do() {
    let overlay = format!("{OVERLAY}{VARIANTS}");
    let cases = [
        (
            overlay.replace("paint = \"paintToy\"\n", ""),
            "POST /toys/{toyId}/paint (paintToy) has no public name: give it one line",
        ),
        (overlay.replace("\"paintToy\"", "\"paintToys\""), "the contract has no operation `paintToys`"),
        (overlay.replace("paint = ", "repaint = \"paintToy\"\npaint = "), "an operation has one name"),
        (overlay.replace("paint = ", "import = "), "`import` is reserved in Python"),
        (overlay.replace("paint = ", "rePaint = "), "is not snake_case"),
        (overlay.replace("toyId = \"toy\"", "toyId = \"colour\""), "the name is taken twice"),
        (overlay.replace("toyId = \"toy\"", "toyId = \"timeout\""), "every call has an option of this name"),
        (overlay.replace("reserved = []", "reserved = [\"from\"]"), "no public name is `from`"),
        (OVERLAY.to_owned(), "ToysDecoration has 2 alternatives: name them"),
        (
            format!("{overlay}[apis.toy.inline]\n\"Toy.colour\" = \"Colour\"\n"),
            "Toy.colour: nothing in the contract uses this entry",
        ),
        (format!("{overlay}[apis.toy.always]\nToy = [\"wheels\"]\n"), "there is no field `wheels`"),
        (
            format!("{overlay}[apis.toy.resources.cars]\ndoc = \"Cars.\"\npaint = \"paintToy\"\n"),
            "an operation has one name",
        ),
        (format!("{overlay}[composite.\"toy.cars.wait\"]\nresult = \"Toy\"\n"), "belongs to no resource"),
        (overlay.replace("paint = \"paintToy\"", "paint = { of = \"paintToy\", pagging = \"x\" }"), "overlay.toml"),
    ];
    for (overlay, expected) in cases {
        let message = refusal(&overlay, CONTRACT);
        assert!(message.contains(expected), "expected `{expected}` in: {message}");
    }
}

/// The real contracts, and one more operation with one line in the overlay.
fn with_imaginary_operation() -> Ir {
    let root = super::super::root();
    let read = |path: &str| fs::read_to_string(root.join(path)).unwrap();
    let line = "mark_read = \"markChatRead\"\n";
    let overlay = read("spec/overlay.toml").replacen(line, &format!("{line}{}", extend::OVERLAY), 1);
    let overlay = Overlay::parse(&overlay).unwrap();
    let mut contracts = BTreeMap::new();
    for api in overlay.apis.values() {
        let mut text = read(&format!("spec/{}", api.contract));
        if api.name == "blooio.v2" {
            text = text.replacen("\npaths:\n", &format!("\npaths:\n{}", extend::CONTRACT), 1);
        }
        contracts.insert(api.contract.clone(), Node::parse(&text).unwrap());
    }
    let ir = lower::lower(&overlay, &contracts).unwrap();
    check::check(&ir, &overlay).unwrap();
    ir
}

#[test]
fn one_line_makes_an_operation_callable_typed_and_documented() {
    let ir = with_imaginary_operation();
    let files = render(&ir).unwrap();
    let table = files.get("core/src/api/table.rs").unwrap();
    assert!(
        table.contains(r#"operation("blooio.v2.chats.archive", Api::BlooioV2, Method::Post, "/chats/{chat}/archive")"#)
    );
    let operations = files.get("core/src/api/blooio_v2/operations.rs").unwrap();
    assert!(
        operations.contains("pub fn archive(&self, chat: impl Into<String>) -> Request<DeleteResponse, ChatsArchive>")
    );
    assert!(operations.contains("/// Put a conversation away."));
    assert!(operations.contains("pub fn reason(self, reason: impl Into<String>) -> Self"));
    // Every language that has operations at all has this one, with its documentation.
    let claims: Vec<_> =
        files.paths().filter(|path| files.get(path).unwrap().contains("Put a conversation away")).collect();
    for language in ["core/", "bindings-python/", "bindings-node/", "bindings-swift/"] {
        let generates = files.paths().any(|path| path.starts_with(language));
        assert_eq!(claims.iter().any(|path| path.starts_with(language)), generates, "{language}: {claims:?}");
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let (one, two) = (render(&with_imaginary_operation()).unwrap(), render(&with_imaginary_operation()).unwrap());
    for path in one.paths() {
        assert_eq!(one.get(path), two.get(path), "{path}");
    }
}

/// An empty folder of this test's own.
fn scratch(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("xtask-generate-{name}-{}", std::process::id()));
    fs::remove_dir_all(&folder).ok();
    fs::create_dir_all(folder.join("spec")).unwrap();
    folder
}

fn two_files() -> Files {
    let mut files = Files::default();
    files.add("out/a.rs", "// @generated\nfn a() {}\n".to_owned()).unwrap();
    files.add("out/b.rs", "// @generated\nfn b() {}\n".to_owned()).unwrap();
    files
}

fn complaint(files: &Files, root: &Path) -> String {
    files.check(root).unwrap_err().to_string()
}

#[test]
fn check_notices_dirt_orphans_and_what_is_missing() {
    let root = scratch("check");
    two_files().write(&root).unwrap();
    two_files().check(&root).unwrap();
    fs::write(root.join("out/hand.rs"), "// written by hand\n").unwrap();
    assert!(complaint(&two_files(), &root).contains("out/hand.rs: does not belong"));
    two_files().write(&root).unwrap();
    fs::remove_file(root.join("out/hand.rs")).expect("what people wrote is never removed");
    fs::write(root.join("out/a.rs"), "// @generated\nfn a() { edited() }\n").unwrap();
    assert!(complaint(&two_files(), &root).contains("out/a.rs: differs"));
    fs::remove_file(root.join("out/a.rs")).unwrap();
    assert!(complaint(&two_files(), &root).contains("out/a.rs: is missing"));
    two_files().write(&root).unwrap();
    fs::write(root.join("out/old.rs"), "// @generated long ago\n").unwrap();
    assert!(complaint(&two_files(), &root).contains("out/old.rs: is left over"));
    let mut one = Files::default();
    one.add("out/a.rs", "// @generated\nfn a() {}\n".to_owned()).unwrap();
    assert!(complaint(&one, &root).contains("out/b.rs: is left over"));
    one.write(&root).unwrap();
    assert!(!root.join("out/b.rs").exists() && !root.join("out/old.rs").exists());
    one.check(&root).unwrap();
    fs::remove_dir_all(root).unwrap();
}

#[test]
fn a_file_is_written_once_and_says_what_it_is() {
    let mut files = two_files();
    let twice = files.add("out/a.rs", "// @generated\n".to_owned()).unwrap_err().to_string();
    assert!(twice.contains("out/a.rs: written twice"), "{twice}");
    assert!(files.add("out/c.rs", "fn c() {}\n".to_owned()).unwrap_err().to_string().contains("@generated"));
}
