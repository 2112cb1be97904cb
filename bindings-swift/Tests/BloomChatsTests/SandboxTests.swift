import BloomChats
import Foundation
import Testing

/// The real binary on loopback; `BLOOMCHATS_BIN` says where it is.
let sandboxBinary = ProcessInfo.processInfo.environment["BLOOMCHATS_BIN"].flatMap { $0.isEmpty ? nil : $0 }

@Suite(.enabled(if: sandboxBinary != nil), .serialized) struct SandboxTests {
    /// A sandbox of its own for each test.
    final class Sandbox: Sendable {
        let process = Process(), input = Pipe()
        let told: JSONValue

        init(_ flags: String...) throws {
            process.executableURL = URL(fileURLWithPath: sandboxBinary ?? "")
            process.arguments = ["sandbox", "--port", "0", "--json", "--stop-on-stdin-close"] + flags
            let output = Pipe()
            process.standardInput = input
            process.standardOutput = output
            process.standardError = FileHandle.nullDevice
            try process.run()
            var line = Data()
            while case let byte = output.fileHandleForReading.readData(ofLength: 1), let first = byte.first, first != 0x0A { line.append(byte) }
            told = try JSONValue(parsing: line)
        }

        deinit { process.terminate() }

        var url: String { told["url"].string ?? "" }
        var blooio: Blooio { get throws { try Blooio(apiKey: told["blooio_api_key"].string, baseURL: url) } }
        var bloomchats: BloomChats { get throws { try BloomChats(apiKey: told["bloomchats_api_key"].string, baseURL: url) } }
    }

    @Test func doesTheMainJob() async throws {
        let sandbox = try Sandbox()
        let blooio = try sandbox.blooio
        let sent = try await blooio.v2.messages.send(to: "+15551234567", text: "Hello")
        #expect(sent.messageIDs.count == 1)
        let final = try await blooio.v2.messages.wait(sent, in: "+15551234567", timeout: .seconds(30))
        #expect(final.status == .delivered || final.status == .read)
        var count = 0
        for try await _ in try sandbox.bloomchats.contacts.list() { count += 1 }
        #expect(count > 100)
    }

    @Test func refusesAReusedKeyWithAnotherBody() async throws {
        let sandbox = try Sandbox()
        let blooio = try sandbox.blooio
        let dry = try await blooio.v4.messages.send(to: "+15551234567", text: "Hello", dryRun: true)
        guard case .message(let preview) = dry else { throw Unexpected() }
        #expect(preview.dryRun == true)
        let options = CallOptions(idempotencyKey: try IdempotencyKey.new())
        let first = try await blooio.v4.messages.send(to: "+15551234567", text: "Hello", options: options)
        let again = try await blooio.v4.messages.send(to: "+15551234567", text: "Hello", options: options)
        #expect(first.messageIDs == again.messageIDs && first.messageIDs.count == 1)
        do {
            try await blooio.v4.messages.send(to: "+15551234567", text: "Other", options: options)
            throw Unexpected()
        } catch let error as BloomChatsError {
            #expect(error.kind == .conflict)
        }
    }

    @Test func trustsWhomItIsToldTo() async throws {
        let sandbox = try Sandbox("--tls")
        let authority = try Data(contentsOf: URL(fileURLWithPath: try #require(sandbox.told["ca_path"].string)))
        let key = sandbox.told["blooio_api_key"].string
        let trusting = try Blooio(apiKey: key, baseURL: sandbox.url, options: ClientOptions(caCertificates: authority))
        #expect(try await trusting.v2.me.get().valid == true)
        // By HTTP/2, which the sandbox speaks under TLS: many calls share a connection.
        try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<100 {
                group.addTask {
                    let person = "+1555\(2_000_000 + number)"
                    try await trusting.v2.messages.send(to: person, text: "Hello")
                    return try await trusting.v2.messages.list(in: person).all().count
                }
            }
            for try await received in group { #expect(received == 1) }
        }
        do {
            _ = try await Blooio(apiKey: key, baseURL: sandbox.url, options: ClientOptions(maxRetries: 0)).v2.me.get()
            throw Unexpected()
        } catch let error as BloomChatsError {
            #expect(error.kind == .connection && !error.maybeSent)
        }
    }

    @Test func refusesAWrongKey() async throws {
        let sandbox = try Sandbox()
        await #expect(throws: BloomChatsError.self) {
            try await Blooio(apiKey: "bl_wrong", baseURL: sandbox.url).v2.me.get()
        }
    }
}
