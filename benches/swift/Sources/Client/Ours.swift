import BloomChats

struct Ours: Caller {
    let client: Blooio

    init(url: String, concurrency: Int) throws {
        client = try Blooio(apiKey: Fixture.key, baseURL: url)
    }

    func send() async throws -> String? {
        try await client.v2.messages.send(to: Fixture.chat, text: "Hello").messageID
    }

    func list() async throws -> (rows: Int, last: String?) {
        var pages = client.v2.contacts.list().pages.makeAsyncIterator()
        let items = try await pages.next()?.items ?? []
        return (items.count, items.last?.identifier)
    }
}
