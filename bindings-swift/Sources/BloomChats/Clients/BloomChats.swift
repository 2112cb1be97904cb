/// A client of BloomChats: Instagram DM automation.
///
/// ```swift
/// for try await contact in try BloomChats().contacts.list() { print(contact.raw) }  // BLOOMCHATS_API_KEY
/// ```
///
/// Its page documents one endpoint; everything else goes through ``request(_:_:query:body:options:)``.
///
/// Cheap to copy; copies share connections, retry budget and what the client has learned. Safe to use from any task.
public struct BloomChats: Sendable {
    package let client: AnyClient
    var connection: Connection { client.connection }

    /// Opens a client. Nothing is connected before the first call.
    ///
    /// - Parameters:
    ///   - apiKey: The API key; else the environment variable `BLOOMCHATS_API_KEY`. An app must not ship one: see
    ///     ``init(baseURL:options:credential:)``.
    ///   - baseURL: Origin (and path prefix) instead of BloomChats' own; else `BLOOMCHATS_BASE_URL`.
    ///   - options: Time limits, retries, proxy, trust roots.
    /// - Throws: ``BloomChatsError`` of kind ``BloomChatsError/Kind/config`` when a setting or the key is missing or
    ///   malformed.
    public init(apiKey: String? = nil, baseURL: String? = nil, options: ClientOptions = ClientOptions()) throws {
        try self.init(Configuration(.bloomchats, apiKey: apiKey, baseURL: baseURL, options))
    }

    /// Opens a client whose keys come from elsewhere: a key chain, or a backend of your own that issues short-lived ones.
    ///
    /// - Parameters:
    ///   - baseURL: Origin (and path prefix) instead of BloomChats' own, as that of your backend; else
    ///     `BLOOMCHATS_BASE_URL`.
    ///   - options: Time limits, retries, proxy, trust roots.
    ///   - credential: Asked before the first attempt of a call and once after a 401. What it throws is the
    ///     ``BloomChatsError/underlyingError`` of the call's error.
    /// - Throws: ``BloomChatsError`` of kind ``BloomChatsError/Kind/config`` when a setting is malformed.
    public init(
        baseURL: String? = nil, options: ClientOptions = ClientOptions(), credential: @escaping CredentialProvider
    ) throws {
        try self.init(Configuration(.bloomchats, apiKey: nil, provider: credential, baseURL: baseURL, options))
    }

    package init(_ configuration: Configuration) throws {
        client = try AnyClient(configuration)
    }

    package init(_ client: AnyClient) {
        self.client = client
    }

    /// Any request below `/api`, documented or not, with the client's credentials, checks, limits and errors.
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
        try await connection.request("bloomchats.request", method, path, query: query, body: body, options)
    }
}
