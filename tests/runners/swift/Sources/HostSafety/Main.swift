import BloomChatsTesting
import Foundation

/// What only a process of its own can show: `HostSafety WAY` ends with calls in flight, `HostSafety endure CALLS` makes that
/// many and must not grow.
@main struct Main {
    static func main() async throws {
        let arguments = CommandLine.arguments
        if arguments[1] == "endure" {
            try await endure(Int(arguments[2]) ?? 0)
        } else {
            try await leave(arguments[1])
        }
    }

    /// Ends the process while calls wait for an answer, for a retry and for a key.
    private static func leave(_ way: String) async throws {
        let server = LoopbackServer { request in
            request.body.contains("busy") ? LoopbackServer.json(503, "{}", headers: "retry-after: 30\r\n") : nil
        }
        let (places, reached) = AsyncStream.makeStream(of: Void.self)
        let options = ClientOptions(observer: { event in if event.retryIn != nil { reached.yield() } })
        let blooio = try Blooio(apiKey: "bl_x", baseURL: server.url, options: options)
        let keyless = try Blooio(baseURL: server.url) {
            reached.yield()
            try await Task.sleep(for: .seconds(3600))
            return ""
        }
        let texts = Array(repeating: "Hello", count: 20) + ["busy"]
        let calls = texts.map { text in Task { _ = try await blooio.v2.messages.send(to: "+1", text: text) } }
            + [Task { _ = try await keyless.v2.messages.send(to: "+1", text: "Hello") }]
        var place = places.makeAsyncIterator()
        for _ in 0..<2 { await place.next() }
        guard await eventually({ server.requests.count == texts.count }) else { exit(1) }
        switch way {
        case "return": break
        case "exit": exit(0)
        case "thread":
            Thread.detachNewThread { exit(0) }
            for call in calls { _ = await call.result }
        case "cancel": for call in calls { call.cancel() }
        default: exit(2)
        }
    }

    /// A client lives for a thousand calls, as its script notes each of them.
    private static func endure(_ calls: Int) async throws {
        let start = ContinuousClock.now
        var warm = 0
        for round in 0..<calls / 1000 {
            if round == calls / 10_000 { warm = try resident() }
            let (blooio, _) = try Blooio.scripted(Transcript((0..<1000).map { number in
                number % 10 == 0 ? .answer(400, ["error": "bad_request"]) : .answer(202, ["message_id": "m1"])
            }))
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<10 {
                    group.addTask { for _ in 0..<100 { _ = try? await blooio.v2.messages.send(to: "+1", text: "Hello") } }
                }
            }
        }
        let grown = try resident() - warm
        print("\(calls) calls in \(ContinuousClock.now - start): \(warm >> 20) MiB resident after a tenth of them, grown by \(grown >> 10) KiB")
        exit(grown < 16 << 20 ? 0 : 1)
    }

    /// Bytes of memory in use.
    private static func resident() throws -> Int {
        let pages = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")[1]
        return (Int(pages) ?? 0) * Int(getpagesize())
    }
}
