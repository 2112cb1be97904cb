import Foundation

/// Supplies an API key when one is needed: before the first attempt of a call and once after a 401.
public typealias CredentialProvider = @Sendable () async throws -> String

/// Settings of a client; the defaults suit most.
public struct ClientOptions: Sendable {
    /// Which of the two generations of v4 send bodies goes out.
    public enum SendBody: String, Sendable {
        /// The tagged `content` object first, flat fields when the service refuses it.
        case auto
        /// Always the tagged `content` object where the message has one.
        case content
        /// Always flat fields.
        case flat
    }

    /// Requests a plan allows.
    public struct Plan: Sendable, Hashable {
        /// Requests in any 60 s; `nil` for no such limit.
        public var perMinute: Int?
        /// Requests in a UTC day; `nil` for no such limit.
        public var perDay: Int?

        /// A plan in numbers.
        public init(perMinute: Int? = nil, perDay: Int? = nil) {
            self.perMinute = perMinute
            self.perDay = perDay
        }

        /// BloomChats Pro: 300 a minute, 100 000 a day.
        public static let pro = Plan(perMinute: 300, perDay: 100_000)
        /// BloomChats Growth: 500 a minute, 50 000 a day.
        public static let growth = Plan(perMinute: 500, perDay: 50_000)
        /// BloomChats Business: 2 000 a minute, 200 000 a day.
        public static let business = Plan(perMinute: 2_000, perDay: 200_000)
    }

    /// Sent as `X-Organization-Id`, for OAuth tokens that span several organizations.
    public var organizationID: String?
    /// A whole call, waits and retries included; 60 s by default.
    public var timeout: Duration?
    /// One attempt; 30 s by default.
    public var attemptTimeout: Duration?
    /// Making a connection; 10 s by default.
    public var connectTimeout: Duration?
    /// Retries after the first attempt, 0 to 10; 2 by default.
    public var maxRetries: Int?
    /// Appended to `User-Agent`.
    public var userAgent: String?
    /// PEM certificates that replace every trust root.
    public var caCertificates: Data?
    /// Proxy for every request instead of the environment's; the empty string means none.
    public var proxy: String?
    /// Permits `http://` beyond loopback.
    public var allowHTTP: Bool
    /// Form of v4 sends.
    public var v4SendBody: SendBody
    /// Limits to keep to, shared with the process' other clients of the same key. Without a plan only the service's own
    /// answers slow a client down.
    public var plan: Plan?
    /// Is told what every call of the client does; see ``CallEvent``. Without one, nothing is spent on it.
    public var observer: CallObserver?

    /// Settings of a client.
    public init(
        organizationID: String? = nil,
        timeout: Duration? = nil,
        attemptTimeout: Duration? = nil,
        connectTimeout: Duration? = nil,
        maxRetries: Int? = nil,
        userAgent: String? = nil,
        caCertificates: Data? = nil,
        proxy: String? = nil,
        allowHTTP: Bool = false,
        v4SendBody: SendBody = .auto,
        plan: Plan? = nil,
        observer: CallObserver? = nil
    ) {
        self.organizationID = organizationID
        self.timeout = timeout
        self.attemptTimeout = attemptTimeout
        self.connectTimeout = connectTimeout
        self.maxRetries = maxRetries
        self.userAgent = userAgent
        self.caCertificates = caCertificates
        self.proxy = proxy
        self.allowHTTP = allowHTTP
        self.v4SendBody = v4SendBody
        self.plan = plan
        self.observer = observer
    }
}

extension ClientOptions: CustomStringConvertible, CustomReflectable {
    /// The type's name: a proxy's password ends up in no log.
    public var description: String { "ClientOptions" }
    /// Shows what ``description`` shows.
    public var customMirror: Mirror { Mirror(self, children: [:], displayStyle: .struct) }
}

/// All that opening a client takes.
package struct Configuration: Sendable {
    package enum Product: String, Sendable {
        case bloomchats, blooio
    }

    let told: @Sendable () throws -> Data
    let provider: CredentialProvider?
    let observer: CallObserver?
    var transcript: Data?

    package init(
        _ product: Product, apiKey: String?, provider: CredentialProvider? = nil, baseURL: String?,
        _ options: ClientOptions
    ) {
        (self.provider, observer) = (provider, options.observer)
        told = {
            do {
                return try Self.encode(product, apiKey: apiKey, baseURL: baseURL, options)
            } catch let error as BloomChatsError where error.kind == .invalidArgument {
                throw BloomChatsError(.config, error.message)
            }
        }
    }

    /// A configuration in core's own form, whose answers come from a transcript.
    package init(told: JSONValue, transcript: JSONValue?, observer: CallObserver? = nil) throws {
        let data = try told.data()
        self.told = { data }
        (provider, self.observer) = (nil, observer)
        self.transcript = try transcript?.data()
    }

    package func scripted(_ transcript: JSONValue) throws -> Configuration {
        var copy = self
        copy.transcript = try transcript.data()
        return copy
    }

    private static func encode(
        _ product: Product, apiKey: String?, baseURL: String?, _ options: ClientOptions
    ) throws -> Data {
        var told: [String: JSONValue] = ["product": .string(product.rawValue), "language": "swift"]
        told["api_key"] = apiKey.map(JSONValue.string)
        told["base_url"] = baseURL.map(JSONValue.string)
        told["organization_id"] = options.organizationID.map(JSONValue.string)
        told["timeout_ms"] = try options.timeout.map { try $0.milliseconds("timeout") }
        told["attempt_timeout_ms"] = try options.attemptTimeout.map { try $0.milliseconds("attempt_timeout") }
        told["connect_timeout_ms"] = try options.connectTimeout.map { try $0.milliseconds("connect_timeout") }
        told["max_retries"] = options.maxRetries.map(JSONValue.integer)
        told["user_agent"] = options.userAgent.map(JSONValue.string)
        told["ca_certs"] = options.caCertificates.map { .string(String(decoding: $0, as: UTF8.self)) }
        told["proxy"] = options.proxy.map(JSONValue.string)
        told["allow_http"] = .bool(options.allowHTTP)
        told["v4_send_body"] = .string(options.v4SendBody.rawValue)
        told["plan"] = options.plan.map { plan in
            var numbers: [String: JSONValue] = [:]
            numbers["per_minute"] = plan.perMinute.map(JSONValue.integer)
            numbers["per_day"] = plan.perDay.map(JSONValue.integer)
            return .object(numbers)
        }
        return try JSONValue.object(told).data()
    }
}
