import BloomChatsTesting
import Foundation
import Testing

@Suite struct CallTests {
    let queued: Transcript.Exchange = .answer(202, ["message_id": "m1", "status": "queued"])

    @Test func sendsAndRetriesWithTheSameKey() async throws {
        let (blooio, script) = try Blooio.scripted([.answer(503, headers: ["retry-after": "2"]), queued])
        let sent = try await blooio.v2.messages.send(to: "+15551234567", text: "Hello")
        #expect(sent.messageIDs == ["m1"] && sent.messageID == "m1" && sent.status == .queued)
        #expect(try script.waits == [.seconds(2)])
        let requests = try script.requests
        #expect(requests.count == 2 && requests[0] == requests[1])
        #expect(requests[0].url == "https://backend.blooio.com/v2/api/chats/%2B15551234567/messages")
        #expect(requests[0].body == #"{"text":"Hello"}"#)
    }

    @Test func takesVariablesAndLiteralsAlike() async throws {
        let (blooio, script) = try Blooio.scripted([queued, queued, queued])
        let text = "Hel" + "lo", several = ["a", "b"]
        try await blooio.v2.messages.send(to: "+15551234567", text: text)
        try await blooio.v2.messages.send(to: "+15551234567", text: several, effect: .slam)
        try await blooio.v2.messages.send(
            to: "+15551234567", text: "x", attachments: ["https://x.example/a.png", .named(.init(url: "https://x.example/b", name: "b"))],
            replyTo: .message(.init(messageID: "m0")))
        #expect(try script.requests.map(\.body) == [
            #"{"text":"Hello"}"#, #"{"text":["a","b"],"effect":"slam"}"#,
            #"{"text":"x","attachments":["https://x.example/a.png",{"url":"https://x.example/b","name":"b"}],"reply_to":{"message_id":"m0"}}"#,
        ])
    }

    @Test func addressesV4Recipients() async throws {
        let sent: Transcript.Exchange = .answer(201, ["id": "msg_1", "status": "queued"])
        let (blooio, script) = try Blooio.scripted([sent, sent, sent], options: ClientOptions(v4SendBody: .flat))
        let number = "+15551234567"
        let result = try await blooio.v4.messages.send(to: number, text: "Hi")
        guard case .message(let message) = result else { throw Unexpected() }
        #expect(message.id == "msg_1" && result.messageIDs == ["msg_1"])
        try await blooio.v4.messages.send(to: [number, "+15559876543"], text: "Hi")
        try await blooio.v4.messages.send(to: .contact(.init(contactID: "ct_1")), text: "Hi", dryRun: true)
        let bodies = try script.requests.compactMap(\.body)
        #expect(bodies.count == 3 && bodies[2].contains("ct_1"))
    }

    @Test func patchesInThreeStates() async throws {
        let contact: Transcript.Exchange = .answer(200, ["id": "ct_1"])
        let (blooio, script) = try Blooio.scripted([contact, contact, contact, contact])
        let name: String? = "Ada"
        try await blooio.v2.contacts.update("ct_1", name: "Ada")
        try await blooio.v2.contacts.update("ct_1", name: nil)
        try await blooio.v2.contacts.update("ct_1")
        try await blooio.v2.contacts.update("ct_1", name: Patch(name))
        #expect(try script.requests.map(\.body) == [#"{"name":"Ada"}"#, #"{"name":null}"#, "{}", #"{"name":"Ada"}"#])
    }

    @Test func keepsWhatItDoesNotKnow() async throws {
        let (blooio, _) = try Blooio.scripted([
            .answer(200, ["message_id": "m1", "status": "teleported", "protocol": 5, "extra": ["x": 1]])
        ])
        let status = try await blooio.v2.messages.getStatus("m1", in: "+15551234567")
        #expect(status.status == "teleported" && status.status != .sent)
        #expect(status.protocol == nil && status.raw["protocol"] == 5)
        #expect(status.raw["extra"]["x"].int == 1)
        let again = try JSONDecoder().decode(Blooio.V2.MessageStatus.self, from: JSONEncoder().encode(status))
        #expect(again == status)
    }

    @Test func uploads() async throws {
        let (blooio, script) = try Blooio.scripted([.answer(200, ["success": true])])
        let icon = Upload(Data("PNG".utf8), filename: "icon.png", contentType: "image/png")
        #expect(try await blooio.v2.groups.setIcon("grp_1", icon: icon).success == true)
        let request = try #require(try script.requests.first)
        #expect(request.body?.contains("filename=\"icon.png\"\r\nContent-Type: image/png\r\n\r\nPNG\r\n") == true)
        await #expect(throws: BloomChatsError.self) {
            try await blooio.v2.groups.setIcon("grp_1", icon: Upload(Data(), filename: "a.png", contentType: "image/png"))
        }
    }

    @Test func reachesTheUndocumented() async throws {
        let (blooio, script) = try Blooio.scripted([.answer(200, ["n": 1])])
        let answer = try await blooio.v4.request("POST", "/things", query: ["all": true], body: ["a": .null])
        #expect(answer["n"] == 1)
        let request = try #require(try script.requests.first)
        #expect(request.url == "https://api.blooio.com/v4/things?all=true" && request.body == #"{"a":null}"#)
    }

    @Test func carriesOptions() async throws {
        let (blooio, script) = try Blooio.scripted([queued])
        let key = try IdempotencyKey.new()
        let options = CallOptions(
            timeout: .seconds(5), attemptTimeout: .milliseconds(1500), maxRetries: 0, idempotencyKey: key,
            headers: ["x-team": "a"], query: ["debug": "1"], extraBody: ["beta": .null])
        try await blooio.v2.messages.send(to: "a@b.example", text: "Hi", options: options)
        let request = try #require(try script.requests.first)
        #expect(request.headers["idempotency-key"] == key && request.headers["x-team"] == "a")
        #expect(request.url.hasSuffix("/messages?debug=1") && request.body == #"{"text":"Hi","beta":null}"#)
    }

    @Test func refusesDurationsThatNobodyCanCount() async throws {
        let (blooio, script) = try Blooio.scripted([queued])
        for timeout in [.seconds(Int64.max / 1000) + .milliseconds(900), .seconds(Int64.max), .seconds(-1)] as [Duration] {
            await #expect(throws: BloomChatsError.self) {
                try await blooio.v2.messages.send(to: "+15551234567", text: "Hi", options: CallOptions(timeout: timeout))
            }
        }
        #expect(try script.requests.isEmpty)
    }

    @Test func momentsBeyondCountingAreTheLastThatCount() async throws {
        for (moment, last) in [(Double.infinity, Int.max), (1e300, .max), (.nan, .max), (-1e300, .min), (-.infinity, .min)] {
            #expect(Date(timeIntervalSince1970: moment).milliseconds == last)
            let answers: [Transcript.Exchange] = [
                .answer(429, headers: ["retry-after": "1"]), .answer(202, ["message_id": "m1"]), .answer(202, delay: .seconds(Int64.max)),
            ]
            let (blooio, _) = try Blooio.scripted(Transcript(answers, now: Date(timeIntervalSince1970: moment)))
            #expect(try await blooio.v2.messages.send(to: "+15551234567", text: "Hello").messageID == "m1")
            await #expect {
                try await blooio.v2.messages.send(to: "+15551234567", text: "Hello", options: CallOptions(maxRetries: 0))
            } throws: { BloomChatsError.Kind.timeout ~= $0 }
        }
        #expect(Date(milliseconds: 1_790_000_000_001).milliseconds == 1_790_000_000_001)
        #expect(Date(milliseconds: -1).milliseconds == -1)
    }

    @Test func showsTheResponse() async throws {
        let (blooio, _) = try Blooio.scripted([.answer(202, ["message_id": "m1"], headers: ["x-request-id": "r1", "x-a": "b"])])
        let response = try await withResponse { options in
            try await blooio.v2.messages.send(to: "+15551234567", text: "Hello", options: options)
        }
        #expect(response.status == 202 && response.requestID == "r1" && response.headers["x-a"] == "b")
        #expect(response.attempts == 1 && response.idempotencyKey != nil && response.value.messageIDs == ["m1"])
    }

    @Test func aRecordTellsOfTheLastCallWhoeverRefusedIt() async throws {
        let (blooio, _) = try Blooio.scripted([.reset, .reset])
        for options in [CallOptions(timeout: .seconds(-1)), CallOptions(extraBody: ["a": .number(.nan)])] {
            let record = CallRecord()
            func create(_ options: CallOptions) async {
                var options = options
                options.record = record
                _ = try? await blooio.v2.contacts.create(identifier: "+15551234567", options: options)
            }
            await create(CallOptions())
            #expect(record.attempts == 1 && record.maybeSent)
            await create(options)
            #expect(record.attempts == 0 && !record.maybeSent && record.idempotencyKey == nil)
        }
    }

    @Test func waitsForDelivery() async throws {
        let (blooio, script) = try Blooio.scripted([
            queued, .answer(200, ["message_id": "m1", "status": "sent"]), .answer(200, ["message_id": "m1", "status": "read"]),
            .answer(200, ["message_id": "m1", "status": "sent"]),
        ])
        let sent = try await blooio.v2.messages.send(to: "+15551234567", text: "Hello")
        #expect(try await blooio.v2.messages.wait(sent, in: "+15551234567").status == .read)
        #expect(try script.waits == [.milliseconds(500), .seconds(1)])
        do {
            _ = try await blooio.v2.messages.wait("m1", in: "+15551234567", timeout: .milliseconds(1200))
            throw Unexpected()
        } catch let error as BloomChatsError where error.kind == .waitTimeout {
            #expect(error.lastStatus?["status"] == "sent" && error.kind.isA(.timeout) && error.kind.isA(.connection))
        }
    }

    @Test func refusesWhatCannotBeSent() async throws {
        let (blooio, script) = try Blooio.scripted([])
        func refusal(_ call: () async throws -> Void) async -> String? {
            do { try await call(); return nil } catch { return (error as? BloomChatsError)?.argument }
        }
        #expect(await refusal { try await blooio.v2.contacts.get("..").raw.isNull ? () : () } == "contact")
        #expect(await refusal { try await blooio.v4.request("POST", "/x", body: ["a": [1, .number(.nan)]]) } == "body.a[1]")
        #expect(await refusal { try await blooio.v2.messages.send(to: "+15551234567") } == "text")
        let negative = CallOptions(timeout: .seconds(-1))
        #expect(await refusal { try await blooio.v2.messages.send(to: "+1", text: "a", options: negative) } == "timeout")
        let never = CallOptions(timeout: .zero)
        #expect(await refusal { try await blooio.v2.messages.send(to: "+1", text: "a", options: never) } == "timeout")
        #expect(try script.requests.isEmpty)
    }
}

struct Unexpected: Error {}
