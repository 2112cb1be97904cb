import BloomChatsTesting
import Foundation
import Testing

/// What the host relies on: thousands of calls at once, and clients that go while their calls are under way.
@Suite(.serialized) struct HostSafetyTests {
    @Test func thousandsAtOnce() async throws {
        let server = LoopbackServer { request in
            LoopbackServer.json(202, #"{"message_id":"\#(request.header("idempotency-key") ?? "")"}"#)
        }
        let blooio = try Blooio(apiKey: "bl_x", baseURL: server.url)
        let ids = try await withThrowingTaskGroup(of: String?.self) { group in
            for number in 0..<5000 {
                group.addTask { try await blooio.v2.messages.send(to: "+1555\(number)", text: "Hello").messageID }
            }
            return try await group.reduce(into: Set<String>()) { $0.insert($1 ?? "") }
        }
        #expect(ids.count == 5000 && !ids.contains(""))
        #expect(server.requests.count == 5000)
        #expect(server.requests.allSatisfy { $0.header("user-agent")?.hasPrefix("bloomchats-swift/") == true })
    }

    @Test func callsOutliveTheirClient() async throws {
        let gate = Gate()
        let server = LoopbackServer { request in gate.pass(); return LoopbackServer.json(202, #"{"message_id":"m1"}"#) }
        var blooio: Blooio? = try Blooio(apiKey: "bl_x", baseURL: server.url)
        let sendings = try (0..<50).map { _ in
            let messages = try #require(blooio).v2.messages
            return Task { try await messages.send(to: "+1", text: "Hello").messageID }
        }
        blooio = nil
        #expect(await eventually { server.requests.count == 50 })
        gate.open()
        for sending in sendings { #expect(try await sending.value == "m1") }
        #expect(await eventually { server.hangUps == 50 }, "with the last call the connections go")
    }

    @Test func aClientGoesWithItsCancelledCalls() async throws {
        let server = LoopbackServer { _ in nil }
        for round in 1...50 {
            let sending = Task { [url = server.url] in
                try await Blooio(apiKey: "bl_x", baseURL: url).v2.messages.send(to: "+1", text: "Hello")
            }
            #expect(await eventually { server.requests.count == round })
            sending.cancel()
            await #expect(throws: CancellationError.self) { try await sending.value }
            #expect(await eventually { server.hangUps == round })
        }
    }

    @Test func aPageOutlivesItsClient() async throws {
        let server = LoopbackServer { request in
            let next = request.line.contains("cursor=") ? "" : #","next_cursor":"c1","has_more":true"#
            return LoopbackServer.json(200, #"{"data":[{"id":"a"}]\#(next)}"#)
        }
        func first() async throws -> Page<Blooio.V4.Chat> {
            var pages = try Blooio(apiKey: "bl_x", baseURL: server.url).v4.chats.list().pages.makeAsyncIterator()
            return try #require(try await pages.next())
        }
        let page = try await first()
        #expect(try await page.next()?.items.count == 1)
    }

    /// A write to somebody who has left is a signal too, which by default ends the process.
    @Test func aServerThatHangsUpOnAnUploadEndsTheCallAndNothingElse() async throws {
        let server = LoopbackServer(patience: 256 << 10) { _ in nil }
        let blooio = try Blooio(apiKey: "bl_x", baseURL: server.url, options: ClientOptions(maxRetries: 0))
        let icon = Upload(Data(count: 4 << 20), filename: "icon.png", contentType: "image/png")
        for _ in 0..<10 {
            await #expect { try await blooio.v2.groups.setIcon("grp_1", icon: icon) } throws: { BloomChatsError.Kind.connection ~= $0 }
        }
    }

    @Test func manyClientsComeAndGo() async throws {
        let server = LoopbackServer { _ in LoopbackServer.json(200, "{}") }
        for _ in 0..<50 {
            let blooio = try Blooio(apiKey: "bl_x", baseURL: server.url)
            #expect(try await blooio.v2.request("GET", "/me") == [:])
        }
        #expect(await eventually { server.hangUps == 50 }, "a client that is let go of closes its connections")
    }
}

/// Holds threads up until it is opened.
private final class Gate: @unchecked Sendable {  // every access to `closed` holds `condition`
    private let condition = NSCondition()
    private var closed = true

    func pass() { condition.withLock { while closed { condition.wait() } } }
    func open() { condition.withLock { closed = false; condition.broadcast() } }
}
