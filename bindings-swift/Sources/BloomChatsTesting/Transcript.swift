import BloomChats
import Foundation

/// What a service answers, in order, one exchange an attempt.
///
/// ```swift
/// let (blooio, script) = try Blooio.scripted([
///     .answer(503, headers: ["retry-after": "2"]),
///     .answer(202, ["message_id": "m1", "status": "queued"]),
/// ])
/// let sent = try await blooio.v2.messages.send(to: "+15551234567", text: "Hello")
/// #expect(sent.messageIDs == ["m1"])
/// #expect(try script.waits == [.seconds(2)])
/// ```
public struct Transcript: Sendable, ExpressibleByArrayLiteral {
    /// One attempt's fate.
    public struct Exchange: Sendable {
        let json: JSONValue

        /// An answer with a JSON body, or none.
        ///
        /// - Parameters:
        ///   - status: HTTP status.
        ///   - body: The body; `nil` for an empty one.
        ///   - headers: Headers beside `content-type`.
        ///   - delay: Virtual time that passes before it.
        public static func answer(
            _ status: Int, _ body: JSONValue? = nil, headers: [String: String] = [:], delay: Duration = .zero
        ) -> Exchange {
            var json: [String: JSONValue] = ["status": .integer(status), "headers": .object(headers.mapValues(JSONValue.string))]
            json["json"] = body
            json["delay_ms"] = .integer(delay.milliseconds)
            return Exchange(json: .object(json))
        }

        /// An answer with a body of any text.
        public static func text(_ status: Int, _ body: String, headers: [String: String] = [:]) -> Exchange {
            Exchange(json: [
                "status": .integer(status), "headers": .object(headers.mapValues(JSONValue.string)), "body": .string(body),
            ])
        }

        /// The connection was never made.
        public static let neverConnected = Exchange(json: ["fault": "connect"])
        /// The connection broke after the request had left.
        public static let reset = Exchange(json: ["fault": "reset"])
        /// The answer broke off half-way.
        public static let truncated = Exchange(json: ["fault": "truncated"])
        /// No answer until the attempt's time was up.
        public static let timeout = Exchange(json: ["fault": "timeout"])
    }

    let json: JSONValue

    /// A transcript.
    ///
    /// - Parameters:
    ///   - exchanges: Answers in order; a call beyond the last fails with kind `config`.
    ///   - jitter: The fraction of each backoff that is waited.
    ///   - now: The wall clock at the start.
    public init(_ exchanges: [Exchange], jitter: Double = 0.5, now: Date = Date(timeIntervalSince1970: 1_790_000_000)) {
        json = [
            "exchanges": .array(exchanges.map(\.json)), "jitter": .number(jitter),
            "now_ms": .integer(now.milliseconds),
        ]
    }

    /// A transcript with the usual jitter and clock.
    public init(arrayLiteral elements: Exchange...) {
        self.init(elements)
    }

    /// A transcript in the form of the conformance corpus.
    public init(json: JSONValue) {
        self.json = json
    }
}

extension Duration {
    var milliseconds: Int {
        Int(nearest: self / .milliseconds(1))
    }
}

/// Reads back what a scripted client did.
public struct Script: Sendable {
    /// A request as it would have gone out.
    public struct Request: Sendable, Hashable {
        /// HTTP method.
        public let method: String
        /// The whole URL.
        public let url: String
        /// Headers by lower-case names.
        public let headers: [String: String]
        /// The body as text; empty when there is none, `nil` when it is not UTF-8.
        public let body: String?
        /// All of it, as the conformance corpus has it.
        public let raw: JSONValue
    }

    let client: AnyClient

    /// Every attempt of every call, in order.
    public var requests: [Request] {
        get throws {
            (try client.script()["requests"].array ?? []).map { raw in
                Request(
                    method: raw["method"].string ?? "", url: raw["url"].string ?? "",
                    headers: (raw["headers"].object ?? [:]).compactMapValues(\.string), body: raw["body"].string, raw: raw)
            }
        }
    }

    /// Every wait of the engine, in order. Time is virtual: nobody waited.
    public var waits: [Duration] {
        get throws { (try client.script()["waits_ms"].array ?? []).map { .milliseconds($0.int ?? 0) } }
    }

    /// How many exchanges were not used.
    public var exchangesLeft: Int {
        get throws { try client.script()["left"].int ?? 0 }
    }
}
