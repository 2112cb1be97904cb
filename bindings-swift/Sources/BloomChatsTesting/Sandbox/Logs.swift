import BloomChats

extension Sandbox {
    /// A request to one of the services.
    public struct LoggedRequest: Sendable, Hashable {
        /// When, in epoch milliseconds of the sandbox's clock.
        public let at: Int
        /// HTTP method.
        public let method: String
        /// Path and query as they were sent.
        public let target: String
        /// The `Idempotency-Key` header.
        public let idempotencyKey: String?
        /// The JSON body, up to 4 KB.
        public let body: JSONValue
        /// What it was answered with; `nil` when a fault left no answer.
        public let status: Int?
        /// Whether a scripted fault struck it.
        public let wasStruck: Bool

        init(_ row: JSONValue) {
            (at, method, target) = (row["at"].int ?? 0, row["method"].string ?? "", row["target"].string ?? "")
            (idempotencyKey, body) = (row["idempotency_key"].string, row["body"])
            (status, wasStruck) = (row["status"].int, row["fault"].bool ?? false)
        }
    }

    /// A webhook on its way to one receiver.
    public struct Delivery: Sendable, Hashable {
        /// One attempt at a delivery.
        public struct Attempt: Sendable, Hashable {
            /// When it was made, in epoch milliseconds of the sandbox's clock.
            public let at: Int
            /// When its answer came, or was known not to.
            public let answeredAt: Int?
            /// The receiver's answer; `nil` when none came.
            public let status: Int?
            /// Why none came.
            public let error: String?

            init(_ row: JSONValue) {
                (at, answeredAt) = (row["at"].int ?? 0, row["answered_at"].int)
                (status, error) = (row["status"].int, row["error"].string)
            }
        }

        /// As v4 names it: `wdel_…`.
        public let id: String
        /// The subscription.
        public let webhookID: String
        /// Where it goes.
        public let url: String
        /// What it tells of.
        public let eventID: String
        /// The event's type.
        public let event: String
        /// `pending`, `delivered`, `failed`, or `not_sent` when its URL is none the sandbox calls.
        public let state: String
        /// The delivery (v4) or event (v2) it repeats.
        public let replayOf: String?
        /// When it was made, in epoch milliseconds of the sandbox's clock.
        public let createdAt: Int
        /// When it is tried next.
        public let nextAttemptAt: Int?
        /// Attempts so far.
        public let attempts: [Attempt]
        /// The JSON that is delivered.
        public let body: JSONValue

        init(_ row: JSONValue) {
            (id, webhookID, url) = (row["id"].string ?? "", row["webhook_id"].string ?? "", row["url"].string ?? "")
            (eventID, event, state) = (row["event_id"].string ?? "", row["event"].string ?? "", row["state"].string ?? "")
            (replayOf, createdAt) = (row["replay_of"].string, row["created_at"].int ?? 0)
            (nextAttemptAt, body) = (row["next_attempt_at"].int, row["body"])
            attempts = row["attempts"].array?.map(Attempt.init) ?? []
        }
    }
}
