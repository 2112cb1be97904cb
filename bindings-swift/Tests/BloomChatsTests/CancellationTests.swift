import BloomChatsTesting
import Foundation
import Testing

/// Far below every timeout of the calls, and above what a busy machine takes to run a few tasks.
private let soon: Duration = .seconds(20)

/// Wherever a call stands when its task is cancelled, it ends at once, closes its socket, and says what may have happened.
@Suite(.serialized) struct CancellationTests {
    /// Where a call can stand. `reached` is told when it is there.
    enum Stage: CaseIterable {
        case credential, turn, connecting, sent, retryWait, body

        func client(_ server: LoopbackServer, _ reached: @escaping @Sendable () -> Void) throws -> Blooio {
            switch self {
            case .credential:
                return try Blooio(baseURL: server.url) {
                    reached()
                    try await Task.sleep(for: .seconds(3600))
                    return ""
                }
            case .turn, .connecting:
                let plan = ClientOptions.Plan(perMinute: 1)
                return try Blooio(baseURL: server.url, options: ClientOptions(plan: self == .turn ? plan : nil)) {
                    reached()
                    return "bl_x"
                }
            case .retryWait:
                let options = ClientOptions(observer: { event in if event.retryIn != nil { reached() } })
                return try Blooio(apiKey: "bl_x", baseURL: server.url, options: options)
            case .sent, .body:
                return try Blooio(apiKey: "bl_x", baseURL: server.url)
            }
        }

        func answer(_ request: LoopbackServer.Request, _ reached: () -> Void) -> String? {
            switch self {
            case .credential, .connecting: return nil
            case .turn: return LoopbackServer.json(202, #"{"message_id":"m1"}"#)
            case .retryWait: return LoopbackServer.json(503, "{}", headers: "retry-after: 30\r\n")
            case .sent: reached(); return nil
            case .body: reached(); return "HTTP/1.1 202 X\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{\"message_"
            }
        }
    }

    @Test(arguments: Stage.allCases) func endsTheCallWhereverItStands(_ stage: Stage) async throws {
        let (places, reached) = AsyncStream.makeStream(of: Void.self)
        var place = places.makeAsyncIterator()
        let server = LoopbackServer(accepting: stage != .connecting) { request in stage.answer(request) { reached.yield() } }
        for round in 1...20 {
            let blooio = try stage.client(server) { reached.yield() }
            if stage == .turn {
                try await blooio.v2.messages.send(to: "+1", text: "takes the only turn")
                await place.next()
            }
            let record = CallRecord()
            let sending = Task {
                try await blooio.v2.messages.send(
                    to: "+15551234567", text: "Hello", options: CallOptions(timeout: .seconds(120), record: record))
            }
            await place.next()
            for _ in 0..<round { await Task.yield() }
            let start = ContinuousClock.now
            sending.cancel()
            await #expect(throws: CancellationError.self) { try await sending.value }
            #expect(ContinuousClock.now - start < soon)
            switch stage {
            case .credential, .turn: #expect(record.attempts == 0 && !record.maybeSent)
            case .connecting: #expect(!record.maybeSent)
            case .sent, .retryWait, .body: #expect(record.attempts == 1 && record.maybeSent && record.idempotencyKey != nil)
            }
        }
        let requests = stage == .credential || stage == .connecting ? 0 : 20
        #expect(server.requests.count == requests)
        #expect(await eventually { server.hangUps == requests }, "the server sees every connection end")
    }

    @Test func aTaskCancelledBeforehandSendsNothing() async throws {
        let server = LoopbackServer { _ in LoopbackServer.json(202, #"{"message_id":"m1"}"#) }
        let blooio = try Blooio(apiKey: "bl_x", baseURL: server.url)
        for _ in 0..<20 {
            let record = CallRecord()
            let sending = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await blooio.v2.messages.send(to: "+1", text: "Hello", options: CallOptions(record: record))
            }
            await #expect(throws: CancellationError.self) { try await sending.value }
            #expect(!record.maybeSent && record.attempts == 0)
        }
        // What those had sent would have come before this.
        try await blooio.v2.messages.send(to: "+1", text: "last")
        #expect(server.requests.count == 1)
    }

    @Test func aRaceWithTheAnswerEndsOneWayOrTheOther() async throws {
        let server = LoopbackServer { request in LoopbackServer.json(202, request.body) }
        let blooio = try Blooio(apiKey: "bl_x", baseURL: server.url)
        let begun = ContinuousClock.now
        try await blooio.v2.messages.send(to: "+1", text: "Hello", options: CallOptions(extraBody: ["message_id": "first"]))
        let typical = ContinuousClock.now - begun
        var silent: Set<String> = []
        for round in 0..<50 {
            let record = CallRecord(), id = "m\(round)"
            let sending = Task {
                let options = CallOptions(extraBody: ["message_id": .string(id)], record: record)
                return try await blooio.v2.messages.send(to: "+1", text: "Hello", options: options).messageID
            }
            let start = ContinuousClock.now
            while ContinuousClock.now - start < typical * round / 25 { await Task.yield() }
            sending.cancel()
            switch await sending.result {
            case .success(let answered): #expect(answered == id)
            case .failure(let error):
                #expect(error is CancellationError && record.idempotencyKey != nil || record.attempts == 0)
                if !record.maybeSent { silent.insert(id) }
            }
        }
        try await blooio.v2.messages.send(to: "+1", text: "last", options: CallOptions(extraBody: ["message_id": "last"]))
        let arrived = server.requests.compactMap { try? JSONValue(parsing: Data($0.body.utf8))["message_id"].string }
        #expect(silent.isDisjoint(with: arrived), "a call that denies it was sent was not")
        #expect(Set(arrived).count == arrived.count)
    }

    @Test func endsAListing() async throws {
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

    @Test func endsTheOthersOfAGroupInWhichOneFails() async throws {
        let server = LoopbackServer { request in
            request.body.contains("bad") ? LoopbackServer.json(400, #"{"error":"bad_request"}"#) : nil
        }
        let blooio = try Blooio(apiKey: "bl_x", baseURL: server.url)
        await #expect(throws: BloomChatsError.self) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<100 { group.addTask { try await blooio.v2.messages.send(to: "+1", text: "Hello") } }
                #expect(await eventually { server.requests.count == 100 })
                group.addTask { try await blooio.v2.messages.send(to: "+1", text: "bad") }
                for try await () in group {}
            }
        }
        #expect(await eventually { server.hangUps >= 100 })
    }

    @Test func endsThousandsAtOnce() async throws {
        let server = LoopbackServer { _ in nil }
        let blooio = try Blooio(apiKey: "bl_x", baseURL: server.url)
        let sendings = (0..<2000).map { number in
            Task { try await blooio.v2.messages.send(to: "+1555\(number)", text: "Hello") }
        }
        #expect(await eventually { server.requests.count > 500 })
        for sending in sendings { sending.cancel() }
        for sending in sendings { await #expect(throws: CancellationError.self) { try await sending.value } }
        #expect(await eventually { server.hangUps == server.requests.count })
    }
}
