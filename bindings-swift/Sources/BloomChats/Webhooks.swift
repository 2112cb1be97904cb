import Foundation

/// Webhooks from Blooio: verify a signature over the raw body, then read the event.
///
/// BloomChats' page claims webhooks and describes none, so there is nothing here for it.
public enum Webhooks {
    /// The header that carries the signature.
    public static let signatureHeader = "X-Blooio-Signature"

    /// Verifies the raw body of a delivery against its `X-Blooio-Signature` header and reads the event.
    ///
    /// - Parameters:
    ///   - body: The body as it came, before any JSON middleware.
    ///   - header: Value of the header; `nil` when the request has none.
    ///   - secrets: The webhook's signing secrets (`whsec_…`); several around a rotation.
    ///   - now: The time to compare the signature's with.
    ///   - tolerance: How far the signature's time may lie from `now`, in both directions; whole seconds count.
    /// - Throws: ``BloomChatsError`` of kind ``BloomChatsError/Kind/webhookVerification`` with a
    ///   ``BloomChatsError/reason``; of kind ``BloomChatsError/Kind/config`` without a secret; of kind
    ///   ``BloomChatsError/Kind/decode`` when a verified body is no event.
    public static func verify(
        _ body: Data, header: String?, secrets: [String], now: Date = Date(), tolerance: Duration = .seconds(300)
    ) throws -> WebhookEvent {
        let tolerance = UInt64(max(0, tolerance.components.seconds))
        let seconds = now.wholeSeconds
        return WebhookEvent(
            try Native.verifyWebhook(body: body, header: header, secrets: secrets, now: seconds, tolerance: tolerance))
    }

    /// Verifies a body that was received as text. The text must be the very
    /// one that came.
    public static func verify(
        _ body: String, header: String?, secrets: [String], now: Date = Date(), tolerance: Duration = .seconds(300)
    ) throws -> WebhookEvent {
        try verify(Data(body.utf8), header: header, secrets: secrets, now: now, tolerance: tolerance)
    }

    /// The `X-Blooio-Signature` header for a body. For tests and stand-ins of the service.
    ///
    /// - Parameters:
    ///   - body: The raw body.
    ///   - secret: The signing secret.
    ///   - now: The signature's time; whole seconds count.
    public static func sign(_ body: Data, secret: String, now: Date = Date()) throws -> String {
        try Native.signWebhook(body: body, secret: secret, at: now.wholeSeconds)
    }

    /// The `X-Blooio-Signature` header for a body of text.
    public static func sign(_ body: String, secret: String, now: Date = Date()) throws -> String {
        try sign(Data(body.utf8), secret: secret, now: now)
    }

    /// Reads the body of a delivery without verifying it: this checks nothing about who sent it.
    ///
    /// - Throws: ``BloomChatsError`` of kind ``BloomChatsError/Kind/decode`` when the body is not a JSON object that names
    ///   an event.
    public static func parse(_ body: Data) throws -> WebhookEvent {
        WebhookEvent(try Native.parseEvent(body: body))
    }

    /// Reads a body of text without verifying it.
    public static func parse(_ body: String) throws -> WebhookEvent {
        try parse(Data(body.utf8))
    }
}

extension Date {
    /// Unix seconds.
    fileprivate var wholeSeconds: Int64 { Int64(Int(nearest: timeIntervalSince1970.rounded(.down))) }
}

/// A webhook event. Its description shows its type, never its content.
///
/// ```swift
/// switch event.content {
/// case .v2(.messageReceived(let message)): reply(to: message.externalID, message.text)
/// case .v4(.messageDelivered(let message)): mark(message.messageID)
/// default: break
/// }
/// ```
public struct WebhookEvent: Sendable, Hashable {
    /// What happened, typed.
    public enum Content: Sendable, Hashable {
        /// A flat body of v2.
        case v2(Blooio.V2.EventContent)
        /// An envelope of v4.
        case v4(Blooio.V4.EventContent)
    }

    /// `message.received`, `poll.voted`, …; an open set.
    public let type: String
    /// v4: the envelope's id, the same on retries and replays. v2 has none.
    public let id: String?
    /// What happened.
    public let content: Content
    /// The whole body.
    public let raw: JSONValue
    /// `v2` or `v4`.
    package let version: String
    package let model: String
    package let data: JSONValue

    init(_ told: JSONValue) {
        type = told["type"].string ?? ""
        id = told["id"].string
        raw = told["raw"]
        data = told["data"]
        model = told["model"].string ?? ""
        version = told["version"].string ?? ""
        content = version == "v4"
            ? .v4(Blooio.V4.EventContent(type: type, data: data)) : .v2(Blooio.V2.EventContent(type: type, data: data))
    }
}

extension WebhookEvent: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The event's type.
    public var description: String { "WebhookEvent(\(version), \(type))" }
    /// As ``description``.
    public var debugDescription: String { description }
    /// Shows what ``description`` shows.
    public var customMirror: Mirror { Mirror(self, children: [:], displayStyle: .struct) }
}
