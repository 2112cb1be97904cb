//! The error taxonomy: one row a kind. Every language's error classes are generated from this table.

/// One row of the taxonomy: `variant, snake_name, ClassName, parent variant, fixed status, doc line`.
#[derive(Clone, Copy, Debug)]
pub struct KindRow {
    /// Name on the waist and in [`crate::ErrorKind::as_str`], `snake_case`.
    pub name: &'static str,
    /// Class name in languages that have exception classes.
    pub class: &'static str,
    /// `name` of the kind this one specialises; empty for those directly under `BloomChatsError`.
    pub parent: &'static str,
    /// The HTTP status that selects this kind; 0 where a status does not decide.
    pub status: u16,
    /// One line for the reference of each language.
    pub doc: &'static str,
}

macro_rules! kinds {
    ($($variant:ident, $name:literal, $class:literal, $parent:literal, $status:literal, $doc:literal;)*) => {
        /// What went wrong, as a closed list of the SDK's own making.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[non_exhaustive]
        pub enum ErrorKind { $(#[doc = $doc] $variant,)* }

        /// Every kind, parents before children.
        pub const KINDS: &[KindRow] = &[
            $(KindRow { name: $name, class: $class, parent: $parent, status: $status, doc: $doc },)*
        ];

        impl ErrorKind {
            /// The kind's row in the taxonomy.
            pub const fn row(self) -> &'static KindRow { &KINDS[self as usize] }
        }

        const ALL: &[ErrorKind] = &[$(ErrorKind::$variant,)*];
    };
}

kinds! {
    Api, "api", "APIError", "", 0, "The service answered with an error status.";
    BadRequest, "bad_request", "BadRequestError", "api", 400, "400: the service found the request malformed.";
    Authentication, "authentication", "AuthenticationError", "api", 401, "401: the API key is missing, wrong or expired.";
    PaymentRequired, "payment_required", "PaymentRequiredError", "api", 402, "402: the plan or trial is used up.";
    PermissionDenied, "permission_denied", "PermissionDeniedError", "api", 403, "403: the key is valid, the action is not allowed.";
    NotFound, "not_found", "NotFoundError", "api", 404, "404: no such resource.";
    Conflict, "conflict", "ConflictError", "api", 409, "409: the request contradicts the state of the resource, or its idempotency key was used before.";
    Gone, "gone", "GoneError", "api", 410, "410: the service has withdrawn this operation.";
    UnprocessableEntity, "unprocessable_entity", "UnprocessableEntityError", "api", 422, "422: well formed, and refused for its content.";
    RateLimit, "rate_limit", "RateLimitError", "api", 429, "429: too many requests; waiting helps.";
    QuotaExceeded, "quota_exceeded", "QuotaExceededError", "rate_limit", 0, "429 with a code that waiting does not clear: a plan cap or a conversation limit.";
    InternalServer, "internal_server", "InternalServerError", "api", 500, "5xx: the service failed.";
    NotImplementedByServer, "not_implemented_by_server", "NotImplementedByServerError", "internal_server", 501, "501: the service declares this operation and does not offer it.";
    ServiceUnavailable, "service_unavailable", "ServiceUnavailableError", "internal_server", 503, "503: the service cannot take the request now.";
    Connection, "connection", "APIConnectionError", "", 0, "No answer: the connection failed or broke.";
    Timeout, "timeout", "APITimeoutError", "connection", 0, "No answer in time.";
    WaitTimeout, "wait_timeout", "WaitTimeoutError", "timeout", 0, "The message did not reach the awaited status in time.";
    Decode, "decode", "DecodeError", "", 0, "The service's answer is not what its contract promises.";
    Config, "config", "ConfigError", "", 0, "The client is configured wrongly; nothing was sent.";
    InvalidArgument, "invalid_argument", "InvalidArgumentError", "", 0, "An argument cannot be sent as given; nothing was sent.";
    WebhookVerification, "webhook_verification", "WebhookVerificationError", "", 0, "A webhook's signature does not hold.";
}

impl ErrorKind {
    /// The kind's stable name, the same in every language (`"rate_limit"`).
    pub const fn as_str(self) -> &'static str {
        self.row().name
    }

    /// The kind an HTTP status of 300 or more selects.
    pub fn of_status(status: u16) -> ErrorKind {
        let exact = ALL.iter().find(|kind| kind.row().status == status);
        match exact {
            Some(kind) => *kind,
            None if status >= 500 => ErrorKind::InternalServer,
            None => ErrorKind::Api,
        }
    }

    /// Whether this kind is `other` or one of its descendants: a quota error *is a* rate-limit error.
    pub fn is_a(self, other: ErrorKind) -> bool {
        let mut row = self.row();
        loop {
            if row.name == other.row().name {
                return true;
            }
            match KINDS.iter().find(|parent| parent.name == row.parent) {
                Some(parent) => row = parent,
                None => return false,
            }
        }
    }
}
