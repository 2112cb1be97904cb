//! What the engine knows of an operation: the row type of the generated tables in `api/`.

/// The service an operation belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Api {
    /// BloomChats: Instagram DM automation, prefix `/api`.
    BloomChats,
    /// Blooio v2, prefix `/v2/api`.
    BlooioV2,
    /// Blooio v4 (beta), prefix `/v4`.
    BlooioV4,
}

/// HTTP method of an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)] // the names say it
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    /// The method as on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }
}

/// How far an idempotency key protects a retry (overlay: `idempotency`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Idempotency {
    /// The service documents that a repeated key sends nothing again: a retry is safe.
    Trusted,
    /// A key goes out as the guide asks, and earns no retry.
    Sent,
    /// No key.
    None,
}

/// Where an argument travels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// A path segment that identifies something; an already encoded value is refused.
    Id,
    /// A path segment of free text (a tag); always encoded.
    Text,
    /// The query string.
    Query,
    /// A field of the JSON or multipart body.
    Body,
    /// An uploaded file of a multipart body.
    File,
}

/// One argument of an operation, or one field of an object inside an argument or answer.
#[derive(Debug)]
pub struct Field {
    /// Name in the SDK, `snake_case`.
    pub name: &'static str,
    /// Name on the wire.
    pub wire: &'static str,
    /// Whether it must be given (arguments), or is always there (answers; overlay: `always`).
    pub required: bool,
    /// JSON shape.
    pub schema: &'static Schema,
}

/// An argument: a field and its place. Tables list arguments in contract order: path, query, body.
#[derive(Debug)]
pub struct Argument {
    /// Where it travels.
    pub place: Place,
    /// Name, wire name, presence and shape.
    pub field: Field,
}

/// JSON shapes, as far as the client checks them: kinds, required fields, array bounds. Never enum, pattern, format or length.
#[derive(Clone, Copy, Debug)]
pub enum Schema {
    /// Anything.
    Any,
    /// A string (enums and formats included).
    String,
    /// A number without a fraction.
    Integer,
    /// Any number.
    Number,
    /// true or false.
    Boolean,
    /// An array.
    List {
        /// Shape of every element.
        items: &'static Schema,
        /// Fewest elements accepted.
        min: usize,
        /// Most elements accepted (`usize::MAX`: no bound).
        max: usize,
    },
    /// An object; fields it does not list are kept and, in a request, sent after the listed ones in sorted order.
    Object(&'static [Field]),
    /// The first alternative that fits.
    OneOf(&'static [Schema]),
    /// `null`, or the inner shape.
    Nullable(&'static Schema),
}

/// The body of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BodyKind {
    /// None.
    None,
    /// A JSON object of the `Place::Body` arguments.
    Json,
    /// `multipart/form-data` of the `Place::Body` and `Place::File` arguments.
    Multipart,
}

/// Which content arguments must be there, in groups of alternatives.
#[derive(Debug)]
pub struct ContentRule {
    /// Each group is a set of argument names; a group is present when any of its names is.
    pub groups: &'static [&'static [&'static str]],
    /// True: exactly one group. False: at least one.
    pub exactly_one: bool,
}

/// The family of send operations that share result rules and, in v4, the two body generations.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SendForm {
    /// v2 `messages.send`: `message_id` or `message_ids` in the answer.
    V2,
    /// v4 `POST /messages`: `from`, `to`, content, in two body generations.
    V4Routed,
    /// v4 `POST /channels/{channel}/messages`: `to`, content, in two body generations.
    V4Channel,
    /// v4 `POST /chats/{chatId}/messages`: content, in two body generations.
    V4Chat,
    /// v4 `POST /chats`: flat, `{identifier}` only under `v4_send_body = content`.
    V4CreateChat,
}

/// One type of answer.
#[derive(Debug)]
pub struct Answer {
    /// The 2xx status it belongs to; 0 is any 2xx that no other row names.
    pub status: u16,
    /// Model of the value (of one item, on a page), as `Contact`; empty for plain JSON. Namespaced by the operation's API.
    pub model: &'static str,
    /// Shape of the whole body, the envelope included.
    pub schema: &'static Schema,
    /// The envelope's field that holds the value (`"data"` for v4 items); empty when the body is the value.
    pub unwrap: &'static str,
}

/// How a list continues.
#[derive(Debug)]
pub enum Paging {
    /// Not a list.
    None,
    /// A list the contract does not page: one page.
    Single {
        /// The array's field.
        items: &'static str,
    },
    /// `limit` and `offset`; answers in either v2 envelope.
    Offset {
        /// The array's field in the reference envelope.
        items: &'static str,
        /// The field that identifies an item; empty when there is none.
        id: &'static str,
    },
    /// `limit` and an opaque `cursor`.
    Cursor {
        /// The array's field.
        items: &'static str,
        /// The field that identifies an item; empty when there is none.
        id: &'static str,
        /// Arguments whose presence switches to offset paging (v4 `contacts.list`).
        offset_when: &'static [&'static str],
    },
    /// BloomChats: a bare array, else `data`, `contacts`, `items`, else the only array.
    Anywhere,
}

/// One operation of a contract, with what the overlay adds.
#[derive(Debug)]
pub struct Operation {
    /// Public name: `blooio.v2.messages.send`.
    pub name: &'static str,
    /// Service.
    pub api: Api,
    /// HTTP method.
    pub method: Method,
    /// Path below the prefix, with argument names in braces: `/chats/{chat}/messages`.
    pub path: &'static str,
    /// Arguments in contract order.
    pub arguments: &'static [Argument],
    /// Kind of body.
    pub body: BodyKind,
    /// Content rule; `None` where the contract has none.
    pub content: Option<ContentRule>,
    /// Idempotency class.
    pub idempotency: Idempotency,
    /// Changes nothing on the service whatever the method (a POST lookup): retried like GET, never `maybe_sent`.
    pub read_only: bool,
    /// A GET that has an effect (v4 `GET /location/contacts/refresh`): retried and reported like a POST without a key.
    pub effect_get: bool,
    /// The answer holds a secret that is shown once: never retried once it may have arrived.
    pub one_time_secret: bool,
    /// Send family.
    pub send: Option<SendForm>,
    /// Paging style.
    pub paging: Paging,
    /// Answer types.
    pub answers: &'static [Answer],
}

/// Every operation of the three contracts, sorted by name.
pub fn all() -> &'static [Operation] {
    crate::api::table::OPERATIONS
}
