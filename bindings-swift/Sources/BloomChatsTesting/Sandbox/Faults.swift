import BloomChats

extension Sandbox {
    /// One line of the script.
    public struct Fault: Sendable, ExpressibleByStringLiteral {
        let json: JSONValue

        /// A line of the script. What a fault does not need is left out.
        ///
        /// - Parameters:
        ///   - action: `drop`, `drop_answer`, `reset`, `reset_answer`, `half_answer`, `slow_answer`, `delay`, `delay_answer`,
        ///     `status`, `status_answer`, `throttle` or `pass`. Those that end in `answer` strike after the request was
        ///     handled: it had its effect, nobody hears of it.
        ///   - method: Only requests of this method.
        ///   - path: A template (`/v2/api/chats/{chatId}/messages`) or a glob (`/v4/*`); every path without it.
        ///   - after: How many such requests pass first.
        ///   - times: How many then suffer; `nil` for all.
        ///   - delay: Of `delay` and `slow_answer`: real time.
        ///   - bytes: Of `slow_answer`: the size of a piece.
        ///   - status: Of `status`; 503 without it.
        ///   - code: Of `status`: the error's code.
        ///   - retryAfter: Of `status` and `throttle`: seconds.
        ///   - headers: Of `status`.
        ///   - body: Of `status`: in place of the API's own error; text goes out as it is.
        public init(
            _ action: String, method: String? = nil, path: String? = nil, after: Int = 0, times: Int? = 1,
            delay: Duration? = nil, bytes: Int? = nil, status: Int? = nil, code: String? = nil, retryAfter: Int? = nil,
            headers: [String: String]? = nil, body: JSONValue? = nil
        ) {
            json = Control.fields([
                "action": .string(action), "method": method.map(JSONValue.string), "path": path.map(JSONValue.string),
                "after": .integer(after), "times": times.map(JSONValue.integer) ?? .null, "ms": (delay?.milliseconds).map(JSONValue.integer),
                "bytes": bytes.map(JSONValue.integer), "status": status.map(JSONValue.integer),
                "code": code.map(JSONValue.string), "retry_after": retryAfter.map(JSONValue.integer),
                "headers": headers.map { .object($0.mapValues(JSONValue.string)) }, "body": body,
            ])
        }

        /// An action alone strikes the next request.
        public init(stringLiteral action: String) { self.init(action) }
    }

    /// A line of the script, as it is doing.
    public struct ScriptedFault: Sendable, Hashable {
        /// What happens.
        public let action: String
        /// How many requests it struck so far.
        public let hits: Int
        /// All of it.
        public let raw: JSONValue

        init(_ raw: JSONValue) {
            (action, hits, self.raw) = (raw["action"].string ?? "", raw["hits"].int ?? 0, raw)
        }
    }

    /// The fault script of a namespace: the first line that still wants a request decides what becomes of it.
    public struct Faults: Sendable {
        let control: Control

        /// Its lines.
        public var script: [ScriptedFault] {
            get async throws { try await control.ask("GET", "/faults")["faults"].array?.map(ScriptedFault.init) ?? [] }
        }

        /// One more line at the end.
        public func add(_ fault: Fault) async throws {
            try await control.ask("POST", "/faults", fault.json)
        }

        /// This script in place of the old one.
        public func replace(_ script: [Fault]) async throws {
            try await control.ask("PUT", "/faults", .array(script.map(\.json)))
        }

        /// No faults.
        public func clear() async throws {
            try await control.ask("DELETE", "/faults")
        }
    }
}
