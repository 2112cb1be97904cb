import Foundation

/// Is told of a client's calls, one ``CallEvent`` after the other: for logs, metrics and traces.
///
/// It runs in the task that made the call, before the call returns, and so holds that call up until it is done; calls made
/// at the same time tell their events at the same time. A cancelled call tells its events too.
public typealias CallObserver = @Sendable (CallEvent) -> Void

/// Something that came to its end: one attempt of a call, or the call as a whole.
///
/// ```swift
/// let blooio = try Blooio(options: ClientOptions(observer: { print($0) }))
/// try await blooio.v2.messages.send(to: "+15551234567", text: "Hello")
/// // blooio.v2.messages.send attempt: 503 after 0.01 seconds, again in 2.0 seconds
/// // blooio.v2.messages.send attempt: 202 after 0.02 seconds
/// // blooio.v2.messages.send call: 202 after 2.03 seconds
/// ```
///
/// Events hold no key, number, address or text, and the template of a path in place of the path. A call that is refused
/// before anything could be sent has none; a `wait` shows as the polls it makes.
public struct CallEvent: Sendable, Hashable {
    /// What an event is about.
    public enum Scope: String, Sendable {
        /// One exchange with the service, told once it is known whether another follows.
        case attempt
        /// The whole call, from its first wait to its end.
        case call
    }

    /// An attempt or a call.
    public let scope: Scope
    /// The operation by its name in every language: `blooio.v2.messages.send`.
    public let operation: String
    /// When it began, to the millisecond.
    public let started: Date
    /// How long it took.
    public let duration: Duration
    /// On an attempt that another follows, the wait before that.
    public let retryIn: Duration?
    /// The facts, by the names that OpenTelemetry gives those of HTTP clients; a fact that is not known is absent.
    ///
    /// - `http.request.method`, `url.template`, `server.address`, `server.port`;
    /// - `http.response.status_code`: of the answer, the last one on a call;
    /// - `http.request.resend_count`: on an attempt, those before it, if there were any;
    /// - `error.type`: on an attempt the status as digits, or `connection`, `timeout`, `decode`; on a call the
    ///   ``BloomChatsError/kind-swift.property``; on both `cancelled`;
    /// - `bloomchats.operation`, `bloomchats.request_id`, `bloomchats.maybe_sent`: whether the service may have done what
    ///   was asked, as far as is known by then; `bloomchats.attempts`: on a call, those made.
    public let attributes: [String: JSONValue]

    init?(told: JSONValue) {
        guard let scope = told["scope"].string.flatMap(Scope.init),
            let operation = told["operation"].string, let started = told["started_ms"].int, let duration = told["duration_ms"].double
        else { return nil }
        (self.scope, self.operation, self.started) = (scope, operation, Date(milliseconds: started))
        self.duration = .milliseconds(duration)
        retryIn = told["retry_in_ms"].double.map { .milliseconds($0) }
        attributes = told["attributes"].object ?? [:]
    }
}

extension CallEvent: CustomStringConvertible {
    /// A line for a log.
    public var description: String {
        let came = attributes["error.type"]?.string ?? attributes["http.response.status_code"].map { "\($0)" } ?? "done"
        return "\(operation) \(scope): \(came) after \(duration)" + (retryIn.map { ", again in \($0)" } ?? "")
    }
}
