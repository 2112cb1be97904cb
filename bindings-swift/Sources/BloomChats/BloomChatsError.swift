import Foundation

/// What went wrong, where, whether a message may have gone out, and what to do.
///
/// ```swift
/// do {
///     try await blooio.v2.messages.send(to: "+15551234567", text: "Hello")
/// } catch BloomChatsError.Kind.rateLimit {
///     // also for its special case, a quota that is used up
/// } catch let error as BloomChatsError where error.maybeSent {
///     // sending again with `error.idempotencyKey` sends nothing twice
/// }
/// ```
///
/// Descriptions never show a key, a number, an address or message text; ``body`` holds the service's answer as it came,
/// for code to look at.
public struct BloomChatsError: Error, Sendable {
    /// What went wrong: one of the known kinds, or one that a newer version knows.
    public struct Kind: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        /// The kind's stable name, the same in every language: `rate_limit`.
        public let rawValue: String
        /// A kind by its name.
        public init(rawValue: String) { self.rawValue = rawValue }
        /// The kind's stable name.
        public var description: String { rawValue }

        /// Whether this kind is `other` or a special case of it: a used-up quota *is a* rate limit.
        public func isA(_ other: Kind) -> Bool {
            var kind: Kind? = self
            while let current = kind {
                if current == other { return true }
                kind = current.parent
            }
            return false
        }

        /// Catches errors of this kind and of its special cases.
        public static func ~= (kind: Kind, error: any Error) -> Bool {
            (error as? BloomChatsError)?.kind.isA(kind) ?? false
        }
    }

    /// What core told: all that the accessors below read.
    private let told: JSONValue
    /// What a credential provider threw, when that is why the call failed.
    public let underlyingError: (any Error)?

    /// What went wrong.
    public var kind: Kind { Kind(rawValue: told["kind"].string ?? "internal") }
    /// One sentence for a person; people's data in a server's words is hidden.
    public var message: String { told["message"].string ?? "" }
    /// HTTP status, when an answer arrived.
    public var status: Int? { told["status"].int }
    /// The service's machine-readable code, as `reply_target_expired`; an open set.
    public var code: String? { told["code"].string }
    /// The service's id of the request, for its support.
    public var requestID: String? { told["request_id"].string }
    /// How long the service asked to wait.
    public var retryAfter: Duration? {
        // Whatever a service says: beyond this a duration traps when it is asked for its own seconds.
        told["retry_after_s"].double.map { .seconds(min($0, 9e18)) }
    }
    /// Attempts made; 0 when nothing was sent.
    public var attempts: Int { told["attempts"].int ?? 0 }
    /// Whether the service may have done what was asked. True as soon as any attempt may have arrived without a definite
    /// refusal.
    public var maybeSent: Bool { told["maybe_sent"].bool ?? false }
    /// The idempotency key that last went on the wire: pass it again to resume without sending twice.
    public var idempotencyKey: String? { told["idempotency_key"].string }
    /// The service's answer: JSON, or its text as a JSON string.
    public var body: JSONValue? { told.object?["body"] }
    /// The decoded fan-out of a v4 send that no recipient could be served by (422).
    public var result: Blooio.V4.FanOutResult? { told.read("result") }
    /// The argument that was refused, as `link_preview.title` or `parts[0].url`, by its name in the documentation of the
    /// service.
    public var argument: String? { told["argument"].string }
    /// Why a webhook's signature does not hold: `missing_header`, `bad_form`, `stale`, `future`, `wrong_secret`,
    /// `parsed_body`.
    public var reason: String? { told["reason"].string }
    /// The last status seen by a `wait` that ran out of time.
    public var lastStatus: JSONValue? { told.object?["last_status"] }
    /// When a quota resets, if the service said so.
    public var resetsAt: Date? { told["resets_at"].int.map { Date(timeIntervalSince1970: Double($0) / 1000) } }
    /// The error that led to this one (the first body form's refusal in v4).
    public var cause: BloomChatsError? {
        told.object?["cause"].map { BloomChatsError(told: $0) }
    }

    init(told: JSONValue, underlyingError: (any Error)? = nil) {
        self.told = told
        self.underlyingError = underlyingError
    }

    /// An error of this package's own making, about which core was not asked.
    init(_ kind: Kind, _ message: String) {
        self.init(told: ["kind": .string(kind.rawValue), "message": .string(message)])
    }

    /// The error core would raise, for what cannot even be written down to ask it.
    static func invalidArgument(_ name: String, _ problem: String) -> BloomChatsError {
        BloomChatsError(told: [
            "kind": "invalid_argument", "message": .string("\(name): \(problem)"), "argument": .string(name),
        ])
    }

    /// The same failure, for the reason that `error` gives.
    func because(_ error: any Error, _ kind: Kind, _ message: String) -> BloomChatsError {
        var fields = told.object ?? [:]
        fields["kind"] = .string(kind.rawValue)
        fields["message"] = .string(message)
        return BloomChatsError(told: .object(fields), underlyingError: error)
    }
}

extension BloomChatsError.Kind {
    /// A defect of this package.
    public static let `internal` = Self(rawValue: "internal")
    /// Told by the bridge; callers see `CancellationError`.
    static let cancelled = Self(rawValue: "cancelled")
}

extension BloomChatsError: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable, LocalizedError {
    /// The kind, the message and the facts, without anyone's private data.
    public var description: String {
        var facts: [String] = []
        if let status { facts.append("status \(status)") }
        if let code { facts.append("code \(code)") }
        if let requestID { facts.append("request \(requestID)") }
        if attempts > 1 { facts.append("\(attempts) attempts") }
        if maybeSent { facts.append("maybe sent") }
        return "\(kind): \(message)" + (facts.isEmpty ? "" : " (\(facts.joined(separator: ", ")))")
    }

    /// As ``description``.
    public var debugDescription: String { description }

    /// As ``description``.
    public var errorDescription: String? { description }

    /// Shows what ``description`` shows: dumps end up in logs.
    public var customMirror: Mirror {
        Mirror(self, children: ["description": description], displayStyle: .struct)
    }
}
