import BloomChatsTesting
import Testing

@Suite struct PagingTests {
    static func page(_ ids: [String], _ cursor: JSONValue) -> Transcript.Exchange {
        .answer(200, ["data": .array(ids.map { ["id": .string($0)] }), "next_cursor": cursor, "has_more": .bool(!cursor.isNull)])
    }

    @Test func walksThroughElements() async throws {
        let (blooio, script) = try Blooio.scripted([Self.page(["a", "b"], "c1"), Self.page(["c"], .null)])
        let chats = blooio.v4.chats.list(limit: 2)
        #expect(try script.requests.isEmpty, "nothing is asked before it is read")
        var ids: [String?] = []
        for try await chat in chats { ids.append(chat.id) }
        #expect(ids == ["a", "b", "c"])
        #expect(try script.requests.map(\.url).last?.contains("cursor=c1") == true)
    }

    @Test func walksThroughPages() async throws {
        let (blooio, script) = try Blooio.scripted([Self.page(["a"], "c1"), .answer(404), Self.page(["b"], .null)])
        var pages = blooio.v4.chats.list().pages.makeAsyncIterator()
        let first = try #require(try await pages.next())
        #expect(first.items.map(\.id) == ["a"] && first.hasNext && first.raw["next_cursor"] == "c1")
        await #expect(throws: BloomChatsError.self) { try await first.next() }
        #expect(try await pages.next()?.items.map(\.id) == ["b"], "a failed page can be fetched again")
        #expect(try await pages.next() == nil)
        #expect(try script.requests.count == 3)
    }

    @Test func stopsWhenItsReaderDoes() async throws {
        let (blooio, script) = try Blooio.scripted([Self.page(["a", "b"], "c1"), Self.page(["c"], .null)])
        for try await _ in blooio.v4.chats.list() { break }
        #expect(try await blooio.v4.chats.list().first(where: { _ in true })?.id == "c")
        #expect(try script.requests.count == 2)
    }

    @Test func iteratorsHaveTheirOwnPlaces() async throws {
        let (first, second) = (Self.page(["a"], "c1"), Self.page(["b"], .null))
        let (blooio, script) = try Blooio.scripted([first, first, second, second])
        let chats = blooio.v4.chats.list()
        var (one, other) = (chats.makeAsyncIterator(), chats.makeAsyncIterator())
        for id in ["a", "b", nil, nil] {
            #expect(try await one.next()?.id == id)
            #expect(try await other.next()?.id == id)
        }
        #expect(try script.exchangesLeft == 0)
    }

    @Test func aTaskCancelledBetweenPagesFetchesNoMore() async throws {
        let (blooio, script) = try Blooio.scripted([Self.page(["a", "b"], "c1"), Self.page(["c"], .null)])
        let reading = Task {
            var ids: [String?] = []
            do {
                for try await chat in blooio.v4.chats.list() {
                    ids.append(chat.id)
                    withUnsafeCurrentTask { $0?.cancel() }
                }
            } catch is CancellationError {
                ids.append("cancelled")
            }
            return ids
        }
        #expect(try await reading.value == ["a", "b", "cancelled"])
        #expect(try script.requests.count == 1)
    }

    @Test func listsBloomChatsContacts() async throws {
        let (bloomchats, _) = try BloomChats.scripted([.text(200, #"[{"username":"ada"},{"username":"bob"}]"#, headers: ["content-type": "application/json"])])
        #expect(try await bloomchats.contacts.list().all().map { $0.raw["username"].string } == ["ada", "bob"])
    }
}
