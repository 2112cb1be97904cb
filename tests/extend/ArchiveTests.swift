import BloomChats
import BloomChatsTesting
import Testing

/// The imaginary operation from Swift: callable and typed.
@Test func archiveIsThere() async throws {
    let (blooio, script) = try Blooio.scripted([.answer(200, ["success": true])])
    let done = try await blooio.v2.chats.archive("+15551234567", reason: "quiet")
    let success: Bool? = done.success
    #expect(success == true)
    let request = try script.requests[0]
    #expect(request.url == "https://backend.blooio.com/v2/api/chats/%2B15551234567/archive")
    #expect(request.body == #"{"reason":"quiet"}"#)
}
