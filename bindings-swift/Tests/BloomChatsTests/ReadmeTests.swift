import BloomChatsTesting
import Foundation
import Testing

/// Every snippet of the package's pages stands here word for word, so that it is compiled.
@Suite struct ReadmeTests {
    @Test(arguments: ["../../../README.md", "BloomChats.md", "MakingCalls.md", "Apps.md", "Testing.md"])
    func everySnippetStandsHere(_ page: String) throws {
        let here = URL(fileURLWithPath: #filePath)
        let pages = here.deletingLastPathComponent().appending(path: "../../Sources/BloomChats/BloomChats.docc")
        let code = try Self.code(String(contentsOf: here, encoding: .utf8))
        let fences = try String(contentsOf: pages.appending(path: page), encoding: .utf8).components(separatedBy: "```")
        let snippets = stride(from: 1, to: fences.count, by: 2).map { fences[$0] }.filter { $0.hasPrefix("swift\n") }
        #expect(!snippets.isEmpty)
        for snippet in snippets { #expect(code.contains(Self.code(String(snippet.dropFirst(6)))), "\(snippet)") }
    }

    /// Lines without their indentation; blank ones and imports may stand elsewhere.
    private static func code(_ text: String) -> String {
        let lines = text.components(separatedBy: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        return "\n" + lines.filter { !$0.isEmpty && !$0.hasPrefix("import ") }.map { $0 + "\n" }.joined()
    }
}

private func first() async throws {
    let blooio = try Blooio()  // apiKey: …, else BLOOIO_API_KEY
    let sent = try await blooio.v2.messages.send(to: "+15551234567", text: "Hello")
    let final = try await blooio.v2.messages.wait(sent, in: "+15551234567", until: "delivered", timeout: .seconds(30))

    for try await contact in try BloomChats().contacts.list() { print(contact.raw) }  // BLOOMCHATS_API_KEY
    _ = final
}

private func calls(_ blooio: Blooio) async throws {
    let response = try await withResponse { options in
        try await blooio.v2.messages.send(to: "+15551234567", text: "Hello", options: options)
    }
    print(response.status, response.requestID ?? "", response.value.messageIDs)

    let answer = try await blooio.v2.request("GET", "/chats", query: ["limit": 5])  // anything undocumented
    print(answer["chats"][0]["id"].string ?? "none")

    try await blooio.v2.messages.send(
        to: "+15551234567", text: "Hello", options: CallOptions(timeout: .seconds(5), maxRetries: 0))
}

private struct Session {
    func token() async throws -> String { "bl_x" }
}

private func apps(_ session: Session) throws -> Blooio {
    let blooio = try Blooio(baseURL: "https://backend.example") {
        try await session.token()
    }
    return blooio
}

private func errors(_ blooio: Blooio) async throws {
    do {
        try await blooio.v2.messages.send(to: "+15551234567", text: "Hello")
    } catch BloomChatsError.Kind.rateLimit {
        // also for its special case, a quota that is used up
    } catch let error as BloomChatsError where error.maybeSent {
        // It may be on its way. The same key finds out without sending twice.
        let options = CallOptions(idempotencyKey: error.idempotencyKey)
        try await blooio.v2.messages.send(to: "+15551234567", text: "Hello", options: options)
    }
}

private func cancellation(_ blooio: Blooio) async throws {
    let record = CallRecord()
    let sending = Task {
        try await blooio.v2.messages.send(to: "+15551234567", text: "Hello", options: CallOptions(record: record))
    }
    sending.cancel()
    _ = await sending.result
    if record.maybeSent, let key = record.idempotencyKey { print("sending again with this key sends nothing twice", key) }
}

private func lists(_ blooio: Blooio) async throws -> Int {
    for try await chat in blooio.v4.chats.list() { print(chat.id ?? "") }
    for try await page in blooio.v4.chats.list(limit: 20).pages { print(page.items.count) }
    let contacts = try await blooio.v4.contacts.list().all()
    return contacts.count
}

private func files(_ blooio: Blooio, _ group: String, _ file: URL) async throws {
    let icon = Upload(try Data(contentsOf: file), filename: "icon.png", contentType: "image/png")  // at most 16 MiB
    try await blooio.v2.groups.setIcon(group, icon: icon)
}

func receive(_ body: Data, signature: String?) -> Int {  // the body as it came; the header `Webhooks.signatureHeader`
    do {
        let event = try Webhooks.verify(body, header: signature, secrets: ["whsec_…"])
        switch event.content {
        case .v2(.messageReceived(let message)): print(message.messageID ?? "")
        case .v4(.messageDelivered(let message)): print(message.messageID ?? "")
        default: break
        }
        return 200
    } catch {
        return 400
    }
}

private func observed() throws -> Blooio {
    let options = ClientOptions(observer: { event in
        print(event)  // blooio.v2.messages.send attempt: 503 after 0.01 seconds, again in 2.0 seconds
        if event.scope == .call, event.attributes["error.type"] != nil {
            print(event.operation, event.attributes["bloomchats.attempts"]?.int ?? 0, event.duration)
        }
    })
    let blooio = try Blooio(options: options)
    return blooio
}

private func greet(_ person: String, through blooio: Blooio) async throws {
    try await blooio.v2.messages.send(to: person, text: "Hello")
}

@Suite(.enabled(if: sandboxBinary != nil)) struct ReadmeSandboxTests {
    @Test func greets() async throws {
        let sandbox = try await Sandbox()
        try await greet("+15551234567", through: sandbox.blooio())
        #expect(try await sandbox.phone("+15551234567").inbox.map(\.text) == ["Hello"])
    }
}

@Suite struct ReadmeScriptedTests {
    @Test func greets() async throws {
        let (blooio, script) = try Blooio.scripted([
            .answer(503, headers: ["retry-after": "2"]),
            .answer(202, ["message_id": "m1", "status": "queued"]),
        ])
        try await greet("+15551234567", through: blooio)
        #expect(try script.requests.count == 2)  // with the same key
        #expect(try script.waits == [.seconds(2)])  // virtual time: nobody waited
    }
}
