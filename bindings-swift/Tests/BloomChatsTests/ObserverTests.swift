import BloomChatsTesting
import Foundation
import Testing

/// What the corpus cannot say of events: calls that are cancelled, or run at once.
@Suite struct ObserverTests {
    /// Events, in the order in which they were told.
    final class Told: @unchecked Sendable {  // every access to `list` holds `lock`
        private let lock = NSLock()
        private var list: [CallEvent] = []
        var events: [CallEvent] { lock.withLock { list } }
        var options: ClientOptions { ClientOptions(observer: { event in self.lock.withLock { self.list.append(event) } }) }
    }

    @Test func everyEventIsToldBeforeTheCallReturns() async throws {
        let told = Told()
        let (blooio, _) = try Blooio.scripted([.answer(503), .answer(202, ["message_id": "m1"])], options: told.options)
        try await blooio.v2.messages.send(to: "+15551234567", text: "Hello")
        #expect(told.events.map(\.scope) == [.attempt, .attempt, .call])
        #expect(told.events.map { $0.attributes["http.response.status_code"] } == [503, 202, 202])
        #expect("\(told.events[0])" == "blooio.v2.messages.send attempt: 503 after 0.0 seconds, again in 0.25 seconds")
        #expect("\(told.events[2])" == "blooio.v2.messages.send call: 202 after 0.25 seconds")
    }

    @Test func aCancelledCallTellsThatItWas() async throws {
        let server = LoopbackServer { _ in nil }
        let told = Told()
        let blooio = try Blooio(apiKey: "bl_x", baseURL: server.url, options: told.options)
        let sending = Task { try await blooio.v2.messages.send(to: "+15551234567", text: "Hello") }
        #expect(await eventually { server.requests.count == 1 })
        sending.cancel()
        await #expect(throws: CancellationError.self) { try await sending.value }
        #expect(told.events.map(\.scope) == [.attempt, .call])
        for event in told.events {
            #expect(event.attributes["error.type"] == "cancelled" && event.attributes["bloomchats.maybe_sent"] == true)
            #expect(event.attributes["http.response.status_code"] == nil && event.duration > .zero)
        }
    }

    @Test func aCallCancelledInItsWaitSaysSo() async throws {
        let (attempts, attempted) = AsyncStream.makeStream(of: CallEvent.self)
        let server = LoopbackServer { _ in LoopbackServer.json(503, "{}", headers: "retry-after: 30\r\n") }
        let options = ClientOptions(observer: { attempted.yield($0) })
        let blooio = try Blooio(apiKey: "bl_x", baseURL: server.url, options: options)
        let sending = Task { try await blooio.v2.messages.send(to: "+15551234567", text: "Hello") }
        var events = attempts.makeAsyncIterator()
        #expect(await events.next()?.retryIn == .seconds(30))
        sending.cancel()
        await #expect(throws: CancellationError.self) { try await sending.value }
        let last = await events.next()
        #expect(last?.scope == .call && last?.attributes["error.type"] == "cancelled")
        #expect(server.requests.count == 1)
    }

    @Test func pagesAndPollsAreCallsOfTheirOwn() async throws {
        let told = Told()
        let status = JSONValue.object(["message_id": "m1", "status": "delivered"])
        let (blooio, _) = try Blooio.scripted(
            [.answer(200, ["data": [["id": "a"]], "next_cursor": "c", "has_more": true]), .answer(200, ["data": []]), .answer(200, status)],
            options: told.options)
        #expect(try await blooio.v4.chats.list().all().count == 1)
        _ = try await blooio.v2.messages.wait("m1", in: "+15551234567")
        #expect(told.events.filter { $0.scope == .call }.map(\.operation) == [
            "blooio.v4.chats.list", "blooio.v4.chats.list", "blooio.v2.messages.get_status",
        ])
    }

    @Test func eachOfManyCallsTellsItsOwnStory() async throws {
        let told = Told()
        let answers = (0..<1000).map { _ in Transcript.Exchange.answer(202, ["message_id": "m1"]) }
        let (blooio, _) = try Blooio.scripted(Transcript(answers), options: told.options)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<1000 { group.addTask { try await blooio.v2.messages.send(to: "+15551234567", text: "Hello") } }
            try await group.waitForAll()
        }
        #expect(told.events.filter { $0.scope == .attempt }.count == 1000 && told.events.count == 2000)
    }
}
