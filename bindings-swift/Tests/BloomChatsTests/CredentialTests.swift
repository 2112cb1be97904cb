import BloomChatsTesting
import Foundation
import Testing

private struct NoKey: Error {}

private actor Keys {
    var given: [String]
    private(set) var asked = 0
    init(_ given: [String]) { self.given = given }
    func next() throws -> String {
        asked += 1
        guard !given.isEmpty else { throw NoKey() }
        return given.removeFirst()
    }
}

@Suite struct CredentialTests {
    @Test func renewsOnceAfterA401() async throws {
        let keys = Keys(["old", "new"])
        let (blooio, script) = try Blooio.scripted([.answer(401), .answer(202, ["message_id": "m1"])]) { try await keys.next() }
        try await blooio.v2.messages.send(to: "+15551234567", text: "Hello")
        let requests = try script.requests
        #expect(requests.map { $0.headers["authorization"] } == ["Bearer old", "Bearer new"])
        #expect(requests[0].headers["idempotency-key"] == requests[1].headers["idempotency-key"])
        #expect(await keys.asked == 2)
    }

    @Test func bloomChatsRenewsToo() async throws {
        let keys = Keys(["old", "new"])
        let (bloomchats, script) = try BloomChats.scripted([.answer(401), .answer(200, [])]) { try await keys.next() }
        #expect(try await bloomchats.contacts.list().all().isEmpty)
        #expect(try script.requests.map { $0.headers["x-api-key"] } == ["old", "new"])
    }

    @Test func passesOnWhatTheProviderThrows() async throws {
        let (blooio, script) = try Blooio.scripted([]) { throw NoKey() }
        do {
            try await blooio.v2.messages.send(to: "+15551234567", text: "Hello")
            throw Unexpected()
        } catch let error as BloomChatsError {
            #expect(error.kind == .config && error.underlyingError is NoKey && !error.maybeSent)
        }
        #expect(try script.requests.isEmpty)
    }

    @Test func aKeyOfBadFormIsRefused() async throws {
        let (blooio, script) = try Blooio.scripted([]) { "bl_secret\nkey" }
        do {
            try await blooio.v2.messages.send(to: "+15551234567", text: "Hello")
            throw Unexpected()
        } catch let error as BloomChatsError {
            #expect(error.kind == .config && !"\(error)".contains("secret"))
        }
        #expect(try script.requests.isEmpty)
    }

    /// One that does not look whether it is cancelled holds nobody up, and what it says too late sends nothing.
    @Test func aProviderThatCannotBeStoppedIsLeftBehind() async throws {
        let (askings, asked) = AsyncStream.makeStream(of: CheckedContinuation<String, Never>.self)
        var asking = askings.makeAsyncIterator()
        let server = LoopbackServer { _ in LoopbackServer.json(202, #"{"message_id":"m1"}"#) }
        let blooio = try Blooio(baseURL: server.url) { await withCheckedContinuation { asked.yield($0) } }
        let late = Task {
            try await blooio.v2.messages.send(to: "+1", text: "Hello", options: CallOptions(timeout: .milliseconds(100)))
        }
        let tooLate = try #require(await asking.next())
        await #expect { try await late.value } throws: { BloomChatsError.Kind.timeout ~= $0 }
        let cancelled = Task { try await blooio.v2.messages.send(to: "+1", text: "Hello") }
        let inVain = try #require(await asking.next())
        cancelled.cancel()
        await #expect(throws: CancellationError.self) { try await cancelled.value }
        for answer in [tooLate, inVain] { answer.resume(returning: "bl_x") }
        let sending = Task { try await blooio.v2.messages.send(to: "+1", text: "Hello") }
        try #require(await asking.next()).resume(returning: "bl_x")
        #expect(try await sending.value.messageID == "m1")
        #expect(server.requests.count == 1)
    }

    @Test func aProviderThatHangsRunsOutOfTime() async throws {
        let blooio = try Blooio(baseURL: "http://127.0.0.1:9") {
            try await Task.sleep(for: .seconds(3600))
            return ""
        }
        let start = ContinuousClock.now
        do {
            try await blooio.v2.messages.send(to: "+1", text: "Hello", options: CallOptions(timeout: .milliseconds(200)))
            throw Unexpected()
        } catch let error as BloomChatsError {
            #expect(error.kind == .timeout && !error.maybeSent)
        }
        #expect(ContinuousClock.now - start < .seconds(3))
    }
}
