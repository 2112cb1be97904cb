import BloomChats
import Foundation

/// A client that takes operations by name and arguments as JSON, checked by the same core as the typed methods.
///
/// The conformance corpus uses it for what a typed call cannot even say: arguments of wrong types, and settings that do
/// not exist.
public struct UntypedClient: Sendable {
    private let client: AnyClient

    /// Opens a client from settings in core's own form, with answers from `transcript` if there is one.
    public init(settings: JSONValue, transcript: JSONValue?, observer: CallObserver? = nil) throws {
        client = try AnyClient(Configuration(told: settings, transcript: transcript, observer: observer))
    }

    /// What it did so far.
    public var script: Script { Script(client: client) }

    /// The same client, typed.
    public var blooio: Blooio { Blooio(client) }

    /// The same client, typed.
    public var bloomchats: BloomChats { BloomChats(client) }

    /// An answer, or one page of a list.
    public struct Answer: Sendable {
        /// The value; on a page, the whole body.
        public let value: JSONValue
        /// Model of the value (of an item, on a page); empty for plain JSON.
        public let model: String
        /// The items, on a page.
        public let items: [JSONValue]?
        /// Fetches the next page; `nil` after the last.
        public let next: (@Sendable () async throws -> Answer)?

        init(_ answer: AnyClient.Untyped) {
            (value, model, items) = (answer.body, answer.model, answer.items)
            next = answer.next.map { next in { @Sendable in Answer(try await next()) } }
        }
    }

    /// Makes a call.
    ///
    /// - Parameters:
    ///   - operation: A public name, as `blooio.v2.messages.send` or `blooio.v2.request`.
    ///   - arguments: A JSON object in UTF-8.
    ///   - files: Uploads by argument.
    ///   - options: Settings of the call in core's own form, times in ms: a JSON object in UTF-8, or nothing.
    ///   - record: Where the call notes what it does.
    public func call(
        _ operation: String, arguments: Data, files: [String: Upload] = [:], options: Data = Data(),
        record: CallRecord? = nil
    ) async throws -> Answer {
        Answer(try await client.call(operation, arguments: arguments, files: files, options: options, record: record))
    }
}
