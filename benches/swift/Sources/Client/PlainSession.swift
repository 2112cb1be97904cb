import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// What a program without any SDK would be: URLSession, JSON decoded into structs by JSONDecoder.
struct PlainSession: Caller {
    let session: URLSession
    let send: URL
    let list: URL

    struct Message: Encodable {
        let text: String
    }

    struct Sent: Decodable {
        let message_id: String?
        let status: String?
    }

    struct Page: Decodable {
        let contacts: [Contact]
        let pagination: Pagination
    }

    struct Contact: Decodable {
        let id, contact_id, identifier, name, type: String?
        let created_at, last_message_time: Int?
        let tags: [String]?
    }

    struct Pagination: Decodable {
        let limit, offset, total: Int?
    }

    init(url: String, concurrency: Int) throws {
        let settings = URLSessionConfiguration.ephemeral
        settings.httpMaximumConnectionsPerHost = concurrency
        session = URLSession(configuration: settings)
        guard let send = URL(string: url + Fixture.send), let list = URL(string: url + Fixture.list) else {
            throw Wrong(description: "not a URL: \(url)")
        }
        (self.send, self.list) = (send, list)
    }

    func send() async throws -> String? {
        var request = URLRequest(url: send)
        request.httpMethod = "POST"
        request.setValue("application/json", forHTTPHeaderField: "content-type")
        request.setValue(UUID().uuidString, forHTTPHeaderField: "idempotency-key")
        request.httpBody = try JSONEncoder().encode(Message(text: "Hello"))
        return try await answer(request, as: Sent.self).message_id
    }

    func list() async throws -> (rows: Int, last: String?) {
        let page = try await answer(URLRequest(url: list), as: Page.self)
        return (page.contacts.count, page.contacts.last?.identifier)
    }

    private func answer<Value: Decodable>(_ request: URLRequest, as type: Value.Type) async throws -> Value {
        var request = request
        request.setValue("Bearer \(Fixture.key)", forHTTPHeaderField: "authorization")
        request.setValue("application/json", forHTTPHeaderField: "accept")
        let (body, response) = try await session.data(for: request)
        guard let status = (response as? HTTPURLResponse)?.statusCode, 200..<300 ~= status else {
            throw Wrong(description: "the server answered otherwise")
        }
        return try JSONDecoder().decode(type, from: body)
    }
}
