import Foundation

/// What a call has done, readable when it was cancelled as well.
///
/// `Task` cancellation throws Swift's own `CancellationError`, which carries nothing. Give the call a record beforehand:
///
/// ```swift
/// let record = CallRecord()
/// let sending = Task {
///     try await blooio.v2.messages.send(to: "+15551234567", text: "Hello", options: CallOptions(record: record))
/// }
/// sending.cancel()
/// _ = await sending.result
/// if record.maybeSent, let key = record.idempotencyKey {
///     // Sending again with this key sends nothing twice.
/// }
/// ```
///
/// A record that several calls share tells of the one that ended last.
public final class CallRecord: @unchecked Sendable {  // every access to `state` holds `lock`
    package struct State: Sendable {
        package var attempts = 0
        package var maybeSent = false
        package var idempotencyKey: String?
        package var status: Int?
        package var headers: [String: String] = [:]
        package var requestID: String?
    }

    private let lock = NSLock()
    private var state = State()

    /// An empty record.
    public init() {}

    /// Attempts made.
    public var attempts: Int { read.attempts }
    /// Whether a call that failed or was cancelled may have had its effect.
    public var maybeSent: Bool { read.maybeSent }
    /// The idempotency key that last went on the wire.
    public var idempotencyKey: String? { read.idempotencyKey }
    /// HTTP status of the answer, when one came.
    public var status: Int? { read.status }
    /// Headers of a successful answer, by lower-case names; values of repeated ones are joined by commas.
    public var headers: [String: String] { read.headers }
    /// The service's id of the request.
    public var requestID: String? { read.requestID }

    private var read: State {
        lock.withLock { state }
    }

    func note(_ state: State) {
        lock.withLock { self.state = state }
    }

    func note(_ error: BloomChatsError) {
        note(State(
            attempts: error.attempts, maybeSent: error.maybeSent, idempotencyKey: error.idempotencyKey,
            status: error.status, requestID: error.requestID))
    }
}

extension CallRecord: CustomStringConvertible, CustomReflectable {
    /// What was done, without the key and the headers.
    public var description: String { "CallRecord(attempts: \(attempts), maybeSent: \(maybeSent))" }
    /// Shows what ``description`` shows.
    public var customMirror: Mirror { Mirror(self, children: [:], displayStyle: .class) }
}

/// A value, and the head of the response it came in.
public struct Response<Value: Sendable>: Sendable {
    /// What the call returned.
    public let value: Value
    /// HTTP status.
    public let status: Int
    /// Headers, by lower-case names; values of repeated ones are joined by commas.
    public let headers: [String: String]
    /// The service's id of the request.
    public let requestID: String?
    /// Attempts made.
    public let attempts: Int
    /// The idempotency key that last went on the wire.
    public let idempotencyKey: String?
}

extension Response: CustomStringConvertible, CustomReflectable {
    /// The value as models describe themselves, any other by its type; status and attempts.
    public var description: String {
        let shown = value is any Model || value is any AnyShape ? "\(value)" : "\(Value.self)"
        return "Response(\(shown), status: \(status), attempts: \(attempts))"
    }
    /// Shows what ``description`` shows.
    public var customMirror: Mirror { Mirror(self, children: [:], displayStyle: .struct) }
}

/// Makes a call and returns the head of its response beside its value.
///
/// ```swift
/// let response = try await withResponse { options in
///     try await blooio.v2.messages.send(to: "+15551234567", text: "Hello", options: options)
/// }
/// print(response.status, response.requestID ?? "", response.value.messageIDs)
/// ```
///
/// - Parameters:
///   - options: Settings of the call; handed on to `call` with a record of its own.
///   - call: Makes exactly one call with the options it is given.
/// - Throws: What the call throws.
public func withResponse<Value: Sendable>(
    options: CallOptions = CallOptions(),
    _ call: @Sendable (CallOptions) async throws -> Value
) async throws -> Response<Value> {
    let record = CallRecord()
    var options = options
    options.record = record
    let value = try await call(options)
    return Response(
        value: value, status: record.status ?? 0, headers: record.headers, requestID: record.requestID,
        attempts: record.attempts, idempotencyKey: record.idempotencyKey)
}
