//! What the contracts and the overlay say together, in no particular language.
//!
//! Templates see exactly this, serialized: `api.resources[].operations[].arguments[]`, `api.models[].fields[]`, and so on.
//! Names are `snake_case` (resources, verbs, arguments, fields, enum values) or `PascalCase` (models, enums, unions, their
//! variants, events); a language changes case and escapes its reserved words, nothing else. Documentation is Markdown and
//! complete: units and defaults are part of it.

use serde::Serialize;

/// Everything.
#[derive(Serialize)]
pub struct Ir {
    pub apis: Vec<Api>,
    pub errors: Vec<ErrorClass>,
    /// Statuses any operation may answer.
    pub undeclared: Vec<u16>,
}

/// One row of the error taxonomy; parents come before children.
#[derive(Serialize)]
pub struct ErrorClass {
    /// Kind on the waist: `rate_limit`.
    pub name: &'static str,
    /// `RateLimitError`.
    pub class: &'static str,
    /// `name` of the parent; empty under the root.
    pub parent: &'static str,
    /// `class` of the parent; empty under the root.
    pub parent_class: &'static str,
    /// Status that selects it, or 0.
    pub status: u16,
    pub doc: &'static str,
}

/// One service.
#[derive(Serialize)]
pub struct Api {
    /// `blooio_v2`.
    pub key: String,
    /// `blooio.v2`: prefix of public names.
    pub name: String,
    /// Path prefix below the origin: `/v2/api`.
    pub prefix: String,
    pub title: String,
    pub doc: String,
    pub stability: Stability,
    pub resources: Vec<Resource>,
    pub models: Vec<Model>,
    pub enums: Vec<Enum>,
    pub unions: Vec<Union>,
    /// Shapes of inputs that `Schema::Shared` names.
    pub shapes: Vec<Shape>,
    /// Webhook events by type.
    pub events: Vec<Event>,
    /// The field of an event body that holds its type: `event` (flat bodies) or `type` (envelopes); empty without events.
    pub event_tag: &'static str,
}

/// `stable`, `beta`, `planned`, `unavailable` or `inferred`.
#[derive(Serialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Stability {
    Stable,
    Beta,
    /// Declared and never implemented: always 501.
    Planned,
    /// Known shape, 501 today.
    Unavailable,
    /// Not documented by the service.
    Inferred,
}

/// A group of operations: `messages`.
#[derive(Serialize)]
pub struct Resource {
    pub name: String,
    pub doc: String,
    pub operations: Vec<Operation>,
    /// Calls core makes of several operations; the same shape, without a method or path.
    pub composites: Vec<Operation>,
}

/// One operation.
#[derive(Serialize)]
pub struct Operation {
    /// `blooio.v2.messages.send`.
    pub name: String,
    /// `operationId` in the contract.
    pub id: String,
    /// `send`.
    pub verb: String,
    /// `GET`; empty for composites.
    pub method: String,
    /// `/chats/{chat}/messages`, braces around argument names.
    pub path: String,
    /// One sentence.
    pub summary: String,
    /// The rest, one paragraph each: description, content rule, banner of its stability, method and path in the contract.
    pub details: Vec<String>,
    pub stability: Stability,
    pub deprecated: bool,
    /// In signature order: path, then required, then optional ones; each group in contract order.
    pub arguments: Vec<Argument>,
    /// `none`, `json` or `multipart`.
    pub body: &'static str,
    pub content: Option<Content>,
    /// `trusted`, `sent` or `none`.
    pub idempotency: String,
    pub read_only: bool,
    pub effect_get: bool,
    pub one_time_secret: bool,
    /// `v2`, `v4_routed`, … or empty.
    pub send: String,
    pub paging: Option<Paging>,
    /// Type of the value; of one item, when `paging` is there. A union of models by status or shape where answers differ.
    pub result: Type,
    /// The value may be null.
    pub nullable: bool,
    pub answers: Vec<Answer>,
    /// Declared statuses of 400 and above.
    pub failures: Vec<u16>,
}

/// How a list continues.
#[derive(Serialize, PartialEq, Debug)]
pub struct Paging {
    /// `single`, `offset`, `cursor` or `anywhere`.
    pub style: &'static str,
    /// The array's field.
    pub items: String,
    /// The field that identifies an item, or empty.
    pub id: String,
    pub offset_when: Vec<String>,
}

/// Which content arguments must be there.
#[derive(Serialize, Clone, PartialEq, Debug)]
pub struct Content {
    pub groups: Vec<Vec<String>>,
    pub exactly_one: bool,
}

/// One type of answer.
#[derive(Serialize)]
pub struct Answer {
    /// 2xx status; 0 for every other one.
    pub status: u16,
    /// Type of the value (of an item, on a page).
    #[serde(rename = "type")]
    pub ty: Type,
    /// Envelope field that holds the value, or empty.
    pub unwrap: String,
    /// What core insists on.
    pub schema: Schema,
}

/// An argument.
#[derive(Serialize, Clone)]
pub struct Argument {
    /// `id`, `text`, `query`, `body` or `file`; `call` for composites.
    pub place: &'static str,
    /// Its position in contract order, which is wire order.
    pub position: usize,
    #[serde(flatten)]
    pub field: Field,
    pub schema: Schema,
}

/// An argument or a field of a model.
#[derive(Serialize, Clone, PartialEq, Debug)]
pub struct Field {
    /// `snake_case`.
    pub name: String,
    pub wire: String,
    #[serde(rename = "type")]
    pub ty: Type,
    /// null is a value of its own.
    pub nullable: bool,
    /// Arguments and inputs: must be given. Answers: always there.
    pub required: bool,
    /// Part of the input form of a model (inferred and deprecated fields are not).
    pub input: bool,
    /// Added by core.
    pub filled: bool,
    /// May appear in debug output: a boolean, an enum, a number or an id that is nobody's data.
    pub shown: bool,
    /// `ms` or `s` for times and durations, otherwise empty.
    pub unit: String,
    /// The service's default as JSON, or empty.
    pub default: String,
    /// A single value this field always has, or empty.
    pub constant: String,
    pub doc: String,
}

/// Types.
#[derive(Serialize, Clone, PartialEq, Eq, Debug)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Type {
    /// Any JSON.
    Any,
    String,
    Integer,
    Number,
    Boolean,
    /// A JSON object without listed fields.
    Map,
    /// An upload.
    File,
    /// A message id or the result of a send (composites only).
    Message,
    Enum {
        name: String,
    },
    Model {
        name: String,
    },
    Union {
        name: String,
    },
    List {
        item: Box<Type>,
    },
}

/// An object with listed fields; others are kept.
#[derive(Serialize, Clone, PartialEq, Debug)]
pub struct Model {
    pub name: String,
    pub doc: String,
    pub fields: Vec<Field>,
    /// Used in arguments.
    pub input: bool,
    /// Used in answers or events.
    pub output: bool,
}

/// An open set of strings.
#[derive(Serialize, Clone, PartialEq, Debug)]
pub struct Enum {
    pub name: String,
    pub doc: String,
    pub values: Vec<EnumValue>,
}

/// A known value.
#[derive(Serialize, Clone, PartialEq, Debug)]
pub struct EnumValue {
    /// `snake_case`.
    pub name: String,
    pub value: String,
}

/// One of several shapes, or one unknown.
#[derive(Serialize, Clone, PartialEq, Debug)]
pub struct Union {
    pub name: String,
    pub doc: String,
    pub variants: Vec<Variant>,
    pub input: bool,
    pub output: bool,
    /// Result of an operation: the answer's model tells the variant.
    pub result: bool,
    /// The field whose value tells the variant, or empty.
    pub tag: String,
    /// Filled fields that every variant has.
    pub shared: Vec<Field>,
}

/// One shape of a union. Without tag values, shapes are told apart by JSON kind, then by the fields they need.
#[derive(Serialize, Clone, PartialEq, Debug)]
pub struct Variant {
    pub name: String,
    #[serde(rename = "type")]
    pub ty: Type,
    /// JSON kind: `string`, `number`, `boolean`, `array`, `object`.
    pub json: &'static str,
    /// Wire names of fields an object must have to be this one.
    pub needs: Vec<String>,
    /// Value of the union's tag, or empty.
    pub tag: String,
}

/// A webhook event.
#[derive(Serialize)]
pub struct Event {
    /// `message.received`; ends in `.*` for a family.
    #[serde(rename = "type")]
    pub kind: String,
    /// `MessageReceived`.
    pub name: String,
    /// Model of the envelope's `data`; of the whole body where bodies are flat.
    pub model: String,
    pub doc: String,
    pub inferred: bool,
}

/// JSON shape as core checks it: kinds, required fields, array bounds.
#[derive(Serialize, Clone, PartialEq, Debug)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Schema {
    Any,
    String,
    Integer,
    Number,
    Boolean,
    List {
        items: Box<Schema>,
        min: usize,
        max: Option<usize>,
    },
    Object {
        fields: Vec<SchemaField>,
    },
    OneOf {
        choices: Vec<Schema>,
    },
    Nullable {
        inner: Box<Schema>,
    },
    /// The input shape of a model or union, shared by name.
    Shared {
        name: String,
    },
}

/// A shape by name.
#[derive(Serialize)]
pub struct Shape {
    pub name: String,
    pub schema: Schema,
}

/// A field of an object shape.
#[derive(Serialize, Clone, PartialEq, Debug)]
pub struct SchemaField {
    pub name: String,
    pub wire: String,
    pub required: bool,
    pub schema: Schema,
}
