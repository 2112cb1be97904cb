import BloomChats
import BloomChatsTesting
import Foundation
import Testing

private let anna = "+15551234567"
private let ben = "+15557654321"
private let hasSandbox = ProcessInfo.processInfo.environment["BLOOMCHATS_BIN"].map { !$0.isEmpty } ?? false

/// Every member of `Sandbox` once. That none outlives its process is shown in `xtask/scripts/swift-test.sh`.
@Suite(.enabled(if: hasSandbox)) struct TestingTests {
    @Test func aPersonReceivesAndDoesThings() async throws {
        let world = try await Sandbox(frozen: true)
        let phone = world.phone(anna)
        let v2 = try world.blooio().v2
        let picture = "https://example.com/a.png"
        let sent = try await v2.messages.send(to: anna, text: "Hello", attachments: [.url(picture)])
        let message = try #require(try await phone.inbox.first)
        #expect(message.v2ID == sent.messageID && message.text == "Hello" && message.type == "media")
        #expect(message.attachments == [picture] && message.groupID == nil)
        #expect(try await world.clock.now.milliseconds == message.sentAt)
        try await world.clock.advance(by: .seconds(1))
        #expect(try await phone.inbox[0].status == "delivered")

        let answer = try await phone.write("Hi", attachments: ["https://example.com/b.png"], replyTo: message.id)
        #expect(answer.to == message.from && answer.v2MessageID != nil)
        #expect(try await phone.react("love", message: message.id).messageID == message.id)
        _ = try await v2.polls.send(to: anna, choices: ["Yes", "No"], title: "Tea?")
        let poll = try await phone.inbox[1]
        #expect(poll.poll?.options == ["Yes", "No"])
        #expect(try await phone.vote("No").messageID == poll.id)
        let acts = try await [phone.startTyping(), phone.stopTyping(), phone.read(), phone.shareContactCard()]
        #expect(acts.allSatisfy { $0.chatID == answer.chatID })
        #expect(try await phone.askPoll("When?", options: ["Now", "Later"], to: answer.to).messageID != nil)

        let group = try #require(try await v2.groups.create(name: "Two", members: [anna, ben]).groupID)
        try await phone.renameGroup(group, to: "Both")
        try await phone.setGroupIcon(group, to: "https://example.com/c.png")
        #expect(try await v2.groups.get(group).name == "Both")
        await world.close()
        await #expect(throws: SandboxError.self) { try await world.clock.now }
    }

    @Test func timeStandsStillAndMoves() async throws {
        let sandbox = try await Sandbox()
        let clock = try await sandbox.namespace(now: Date(milliseconds: 1_800_000_000_000), frozen: true).clock
        #expect(try await clock.isFrozen)
        try await clock.advance(by: .milliseconds(1500))
        #expect(try await clock.now.milliseconds == 1_800_000_001_500)
        try await clock.set(Date(milliseconds: 1_900_000_000_000))
        #expect(try await clock.now.milliseconds == 1_900_000_000_000)
        try await clock.run()
        #expect(try await !clock.isFrozen)
        try await clock.freeze()
        #expect(try await clock.isFrozen)
    }

    @Test func faultsLimitsSwitchesLinesAndLogs() async throws {
        let world = try await Sandbox(switches: ["send_status": 202])
        try await world.faults.replace([.init("status", path: "/v2/*", status: 503)])
        try await world.faults.add("pass")
        _ = try await world.blooio(options: ClientOptions(maxRetries: 1)).v2.me.get()
        #expect(try await world.faults.script.map(\.hits) == [1, 1])
        try await world.faults.clear()
        let requests = try await world.requests
        #expect(requests.map(\.status) == [503, 200] && requests.map(\.wasStruck) == [true, true])

        #expect(try await world.switches["send_status"] == 202)
        try await world.setSwitches(["send_status": 201])
        #expect(try await world.switches["send_status"] == 201)
        try await world.setLimit(.v2, perMinute: 0)
        await #expect { try await world.blooio(options: ClientOptions(maxRetries: 0)).v2.me.get() } throws: { BloomChatsError.Kind.rateLimit ~= $0 }
        try await world.setLimit(.v2, perMinute: nil)
        let line = try await world.phone(anna).write("Hi").to
        try await world.setLine(line, status: "suspended", safety: "review")
        await #expect { try await world.setLine("+1999", status: "active") } throws: { ($0 as? SandboxError)?.status == 404 }
        try await world.reset()
        #expect(try await world.requests.isEmpty)
        #expect(try await world.bloomchats().contacts.list().all().count > 100)
    }

    @Test func webhooksArriveAndFail() async throws {
        let world = try await Sandbox(frozen: true)
        let receiver = try await world.receiver(status: 500)
        let hook = try await world.blooio().v4.webhooks.create(url: receiver.url, eventTypes: ["message.received"])
        try await world.phone(anna).write("Hi")
        try await world.clock.advance(by: .zero)
        #expect(try await world.deliveries.map(\.state) == ["pending"])
        try await receiver.answer(204)
        try await world.clock.advance(by: .seconds(60))
        let received = try await receiver.received
        #expect(received.map(\.status) == [500, 204] && received[0].body == received[1].body)
        let secret = try #require(hook.signingSecret)
        let now = try await world.clock.now
        #expect(try Webhooks.verify(received[1].body, header: received[1].signature, secrets: [secret], now: now).type == "message.received")
        let delivery = try #require(try await world.deliveries.first)
        #expect(delivery.state == "delivered" && delivery.attempts.map(\.status) == [500, 204])
    }

    @Test func namespacesDoNotSeeEachOther() async throws {
        let begun = ContinuousClock.now
        let sandbox = try await Sandbox(seed: 7)
        #expect(ContinuousClock.now - begun < .seconds(10))
        let other = try await sandbox.namespace()
        try await sandbox.blooio().v2.messages.send(to: anna, text: "Hello")
        #expect(try await sandbox.phone(anna).inbox.count == 1)
        #expect(try await other.phone(anna).inbox.isEmpty)
        try await sandbox.blooio(apiKey: other.blooioAPIKey).v2.messages.send(to: anna, text: "Hello")
        #expect(try await other.phone(anna).inbox.count == 1)
        await other.close()
        #expect(other.environment["BLOOIO_BASE_URL"] == sandbox.url && other.blooioAPIKey != sandbox.blooioAPIKey)
        #expect(!"\(sandbox) \(String(reflecting: sandbox))".contains(sandbox.blooioAPIKey))
        await #expect { try await sandbox.namespace(switches: ["no_such": 1]) } throws: { "\($0)".contains("no_such") }
    }
}
