import BloomChatsTesting
import Foundation
import Testing

/// Far below every timeout of the calls, and above what a busy machine takes to run a few tasks.
private let soon: Duration = .seconds(10)

/// What the host relies on: a cancelled task ends its request, wherever it stands, and thousands run at once.
@Suite(.serialized) struct HostSafetyTests {
    @Test func cancellingClosesTheSocket() async throws {
        let server = LoopbackServer { _ in nil }
        let blooio = try Blooio(apiKey: "bl_x", baseURL: server.url)
        let record = CallRecord()
        let sending = Task {
            try await blooio.v2.messages.send(to: "+15551234567", text: "Hello", options: CallOptions(record: record))
        }
        #expect(await eventually { server.requests.count == 1 })
        let start = ContinuousClock.now
        sending.cancel()
        await #expect(throws: CancellationError.self) { try await sending.value }
        #expect(ContinuousClock.now - start < soon)
        #expect(await eventually { server.hangUps == 1 }, "the server sees the connection end")
        #expect(record.maybeSent && record.attempts == 1)
        #expect(record.idempotencyKey == server.requests[0].header("idempotency-key"))
    }

    @Test func aTaskCancelledBeforehandSendsNothing() async throws {
        let server = LoopbackServer { _ in nil }
        let blooio = try Blooio(apiKey: "bl_x", baseURL: server.url)
        let record = CallRecord()
        let sending = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await blooio.v2.messages.send(to: "+1", text: "Hello", options: CallOptions(record: record))
        }
        await #expect(throws: CancellationError.self) { try await sending.value }
        try await Task.sleep(for: .milliseconds(100))
        #expect(server.requests.isEmpty && !record.maybeSent && record.attempts == 0)
    }

    @Test func cancellingEndsARetryWait() async throws {
        let server = LoopbackServer { _ in LoopbackServer.json(503, "{}", headers: "retry-after: 30\r\n") }
        let blooio = try Blooio(apiKey: "bl_x", baseURL: server.url)
        let sending = Task { try await blooio.v2.messages.send(to: "+1", text: "Hello") }
        #expect(await eventually { server.requests.count == 1 })
        try await Task.sleep(for: .milliseconds(50))
        let start = ContinuousClock.now
        sending.cancel()
        await #expect(throws: CancellationError.self) { try await sending.value }
        #expect(ContinuousClock.now - start < soon && server.requests.count == 1)
    }

    @Test func cancellingEndsAQuestionForAKey() async throws {
        let blooio = try Blooio(baseURL: "http://127.0.0.1:9") {
            try await Task.sleep(for: .seconds(3600))
            return ""
        }
        let sending = Task { try await blooio.v2.messages.send(to: "+1", text: "Hello") }
        try await Task.sleep(for: .milliseconds(50))
        sending.cancel()
        await #expect(throws: CancellationError.self) { try await sending.value }
    }

    @Test func cancellingEndsAListing() async throws {
        let server = LoopbackServer { request in
            guard !request.line.contains("cursor=") else { return nil }
            return LoopbackServer.json(200, #"{"data":[{"id":"a"}],"next_cursor":"c1","has_more":true}"#)
        }
        let blooio = try Blooio(apiKey: "bl_x", baseURL: server.url)
        let listing = Task {
            var ids: [String?] = []
            for try await chat in blooio.v4.chats.list() { ids.append(chat.id) }
            return ids
        }
        #expect(await eventually { server.requests.count == 2 })
        listing.cancel()
        await #expect(throws: CancellationError.self) { try await listing.value }
    }

    @Test func thousandsAtOnce() async throws {
        let server = LoopbackServer { request in
            LoopbackServer.json(202, #"{"message_id":"\#(request.header("idempotency-key") ?? "")"}"#)
        }
        let blooio = try Blooio(apiKey: "bl_x", baseURL: server.url)
        let ids = try await withThrowingTaskGroup(of: String?.self) { group in
            for number in 0..<2000 {
                group.addTask { try await blooio.v2.messages.send(to: "+1555\(number)", text: "Hello").messageID }
            }
            return try await group.reduce(into: Set<String>()) { $0.insert($1 ?? "") }
        }
        #expect(ids.count == 2000 && !ids.contains(""))
        #expect(server.requests.allSatisfy { $0.header("user-agent")?.hasPrefix("bloomchats-swift/") == true })
    }

    @Test func thousandsCancelledAtOnce() async throws {
        let server = LoopbackServer { _ in nil }
        let blooio = try Blooio(apiKey: "bl_x", baseURL: server.url)
        let sendings = (0..<300).map { number in
            Task { try await blooio.v2.messages.send(to: "+1555\(number)", text: "Hello") }
        }
        #expect(await eventually { server.requests.count > 100 })
        for sending in sendings { sending.cancel() }
        for sending in sendings { await #expect(throws: CancellationError.self) { try await sending.value } }
        #expect(await eventually { server.hangUps == server.requests.count })
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
