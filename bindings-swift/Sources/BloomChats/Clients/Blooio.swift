/// A client of Blooio: iMessage, SMS and RCS through ``v2``, many channels through ``v4-swift.property``.
///
/// ```swift
/// let blooio = try Blooio()  // BLOOIO_API_KEY
/// let sent = try await blooio.v2.messages.send(to: "+15551234567", text: "Hello")
/// ```
///
/// Cheap to copy; copies share connections, retry budget and what the client has learned. Safe to use from any task.
public struct Blooio: Sendable {
    package let client: AnyClient

    /// Opens a client. Nothing is connected before the first call.
    ///
    /// - Parameters:
    ///   - apiKey: The API key; else the environment variable `BLOOIO_API_KEY`. An app must not ship one: see
    ///     ``init(baseURL:options:credential:)``.
    ///   - baseURL: Origin (and path prefix) instead of Blooio's own; else `BLOOIO_BASE_URL`.
    ///   - options: Time limits, retries, proxy, trust roots.
    /// - Throws: ``BloomChatsError`` of kind ``BloomChatsError/Kind/config`` when a setting or the key is missing or
    ///   malformed.
    public init(apiKey: String? = nil, baseURL: String? = nil, options: ClientOptions = ClientOptions()) throws {
        try self.init(Configuration(.blooio, apiKey: apiKey, baseURL: baseURL, options))
    }

    /// Opens a client whose keys come from elsewhere: a key chain, or a backend of your own that issues short-lived ones.
    ///
    /// - Parameters:
    ///   - baseURL: Origin (and path prefix) instead of Blooio's own, as that of your backend; else `BLOOIO_BASE_URL`.
    ///   - options: Time limits, retries, proxy, trust roots.
    ///   - credential: Asked before the first attempt of a call and once after a 401. What it throws is the
    ///     ``BloomChatsError/underlyingError`` of the call's error.
    /// - Throws: ``BloomChatsError`` of kind ``BloomChatsError/Kind/config`` when a setting is malformed.
    public init(
        baseURL: String? = nil, options: ClientOptions = ClientOptions(), credential: @escaping CredentialProvider
    ) throws {
        try self.init(Configuration(.blooio, apiKey: nil, provider: credential, baseURL: baseURL, options))
    }

    package init(_ configuration: Configuration) throws {
        client = try AnyClient(configuration)
    }

    package init(_ client: AnyClient) {
        self.client = client
    }

    /// Blooio v2: iMessage, SMS and RCS.
    public var v2: V2 { V2(connection: client.connection) }

    /// Blooio v4 (beta): many channels behind one set of calls.
    public var v4: V4 { V4(connection: client.connection) }
}

extension Blooio.V2 {
    /// Any request below `/v2/api`, documented or not, with the client's credentials, checks, limits and errors.
    ///
    /// - Parameters:
    ///   - method: `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
    ///   - path: Relative to the prefix, as `/contacts`.
    ///   - query: Query parameters: strings, numbers or booleans.
    ///   - body: Any JSON; not with `GET`.
    ///   - options: Settings of this call.
    /// - Returns: The answer's JSON.
    /// - Throws: ``BloomChatsError``, or `CancellationError` in a cancelled task.
    @discardableResult
    public func request(
        _ method: String, _ path: String, query: [String: JSONValue] = [:], body: JSONValue? = nil,
        options: CallOptions = CallOptions()
    ) async throws -> JSONValue {
        try await connection.request("blooio.v2.request", method, path, query: query, body: body, options)
    }
}

extension Blooio.V4 {
    /// Any request below `/v4`, documented or not, with the client's credentials, checks, limits and errors.
    ///
    /// - Parameters:
    ///   - method: `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
    ///   - path: Relative to the prefix, as `/contacts`.
    ///   - query: Query parameters: strings, numbers or booleans.
    ///   - body: Any JSON; not with `GET`.
    ///   - options: Settings of this call.
    /// - Returns: The answer's JSON.
    /// - Throws: ``BloomChatsError``, or `CancellationError` in a cancelled task.
    @discardableResult
    public func request(
        _ method: String, _ path: String, query: [String: JSONValue] = [:], body: JSONValue? = nil,
        options: CallOptions = CallOptions()
    ) async throws -> JSONValue {
        try await connection.request("blooio.v4.request", method, path, query: query, body: body, options)
    }
}
