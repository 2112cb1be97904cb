import BloomChats
import Foundation

extension Sandbox {
    /// A webhook that arrived.
    public struct Webhook: Sendable, Hashable {
        /// When, in epoch milliseconds of the sandbox's clock.
        public let at: Int
        /// What it was answered with.
        public let status: Int
        /// By lower-case name.
        public let headers: [String: String]
        /// Byte for byte what the signature covers.
        public let body: Data

        init(_ row: JSONValue) {
            (at, status) = (row["at"].int ?? 0, row["status"].int ?? 0)
            headers = (row["headers"].object ?? [:]).compactMapValues(\.string)
            body = Data((row["body"].string ?? "").utf8)
        }

        /// The `X-Blooio-Signature` header, for `Webhooks.verify`.
        public var signature: String? { headers["x-blooio-signature"] }
    }

    /// A URL that takes webhooks, for tests that have no server of their own.
    public struct Receiver: Sendable {
        let control: Control
        private let path: String
        /// What to create a webhook with.
        public let url: String

        init(control: Control, _ facts: JSONValue) {
            self.control = control
            path = "/receivers/\(facts["id"].string ?? "")"
            url = facts["url"].string ?? ""
        }

        /// What arrived so far, oldest first; the last 1 000.
        public var received: [Webhook] {
            get async throws { try await control.ask("GET", path)["received"].array?.map(Webhook.init) ?? [] }
        }

        /// Answers with this status from now on; 200 at first. Anything else than 2xx is an outage.
        public func answer(_ status: Int) async throws {
            try await control.ask("PUT", path, ["status": .integer(status)])
        }
    }
}
