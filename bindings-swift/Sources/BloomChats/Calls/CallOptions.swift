/// Settings of one call; what is absent falls back to the client's.
public struct CallOptions: Sendable {
    /// The whole call, waits and retries included.
    public var timeout: Duration?
    /// One attempt.
    public var attemptTimeout: Duration?
    /// Retries after the first attempt, 0 to 10.
    public var maxRetries: Int?
    /// A key of your own; without one, each call that carries a key gets a new one.
    ///
    /// Set it when a call may be cancelled and repeated: ``IdempotencyKey/new()`` makes one.
    public var idempotencyKey: String?
    /// Headers beside the client's.
    public var headers: [String: String]
    /// Query parameters the operation does not list.
    public var query: [String: String]
    /// Body fields the operation does not list; they win over arguments of the same name. ``JSONValue/null`` sends null.
    public var extraBody: [String: JSONValue]
    /// Where the call notes what it does, for a caller who cancels it or wants the response's head.
    public var record: CallRecord?

    /// Settings of one call.
    public init(
        timeout: Duration? = nil,
        attemptTimeout: Duration? = nil,
        maxRetries: Int? = nil,
        idempotencyKey: String? = nil,
        headers: [String: String] = [:],
        query: [String: String] = [:],
        extraBody: [String: JSONValue] = [:],
        record: CallRecord? = nil
    ) {
        self.timeout = timeout
        self.attemptTimeout = attemptTimeout
        self.maxRetries = maxRetries
        self.idempotencyKey = idempotencyKey
        self.headers = headers
        self.query = query
        self.extraBody = extraBody
        self.record = record
    }

    /// The form in which core reads them.
    func told() throws -> [UInt8] {
        let usual = timeout == nil && attemptTimeout == nil && maxRetries == nil && idempotencyKey == nil
        if usual && headers.isEmpty && query.isEmpty && extraBody.isEmpty { return [] }
        var told: [String: JSONValue] = [:]
        told["timeout_ms"] = try timeout.map { try $0.milliseconds("timeout") }
        told["attempt_timeout_ms"] = try attemptTimeout.map { try $0.milliseconds("attempt_timeout") }
        told["max_retries"] = maxRetries.map(JSONValue.integer)
        told["idempotency_key"] = idempotencyKey.map(JSONValue.string)
        if !headers.isEmpty { told["headers"] = .object(headers.mapValues(JSONValue.string)) }
        if !query.isEmpty { told["query"] = .object(query.mapValues(JSONValue.string)) }
        if !extraBody.isEmpty { told["extra_body"] = .object(extraBody) }
        return try JSONValue.object(told).bytes()
    }
}

extension CallOptions: CustomStringConvertible, CustomReflectable {
    /// The type's name: keys, headers and fields end up in no log.
    public var description: String { "CallOptions" }
    /// Shows what ``description`` shows.
    public var customMirror: Mirror { Mirror(self, children: [:], displayStyle: .struct) }
}

extension Duration {
    /// Whole milliseconds; a positive duration never becomes 0, which would mean something else.
    func milliseconds(_ name: String) throws -> JSONValue {
        guard self >= .zero else { throw BloomChatsError.invalidArgument(name, "must not be negative") }
        let (seconds, attoseconds) = components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        let (rounded, beyond) = Int(whole).addingReportingOverflow(Int((attoseconds + 500_000_000_000_000) / 1_000_000_000_000_000))
        guard !overflow && !beyond else { throw BloomChatsError.invalidArgument(name, "is too long") }
        return .integer(rounded == 0 && self > .zero ? 1 : rounded)
    }
}

/// Fresh idempotency keys.
public enum IdempotencyKey {
    /// A version 4 UUID from the operating system's generator.
    ///
    /// - Throws: ``BloomChatsError`` when the operating system gives no random numbers.
    public static func new() throws -> String {
        try Native.newIdempotencyKey()
    }
}
