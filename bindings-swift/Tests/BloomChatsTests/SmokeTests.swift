import BloomChatsTesting
import Testing

@Test func sends() async throws {
    let (blooio, script) = try Blooio.scripted([
        .answer(503, headers: ["retry-after": "2"]),
        .answer(202, ["message_id": "m1", "status": "queued"]),
    ])
    let sent = try await blooio.v2.messages.send(to: "+15551234567", text: "Hello")
    #expect(sent.messageIDs == ["m1"])
    #expect(try script.waits == [.seconds(2)])
}
