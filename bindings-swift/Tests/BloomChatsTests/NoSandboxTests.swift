import Foundation
import Testing

@testable import BloomChatsTesting

/// What is started in place of a sandbox: it is told, killed and waited for.
@Suite struct NoSandboxTests {
    @Test(arguments: [
        ("sleep 60", "bloomchats sandbox --port 0 --json --stop-on-stdin-close` said nothing for 1.0 seconds and was killed"),
        ("printf half; sleep 60", "said nothing"),
        ("exit 3", "is no sandbox"),
        ("echo '[]'; sleep 60", "is no sandbox"),
        ("echo '{\"url\": \"http://127.0.0.1:9\"}'", "is no sandbox"),
        ("exec tr '\\0' x </dev/zero 2>/dev/null", "is no sandbox"),
    ])
    func isTold(does: String, problem: String) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (program, number) = (folder.appendingPathComponent("bloomchats"), folder.appendingPathComponent("number"))
        try Data("#!/bin/sh\necho $$ > \(number.path)\n\(does)\n".utf8).write(to: program)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program.path)
        let patience: Duration = does.hasPrefix("echo") || !does.hasSuffix("60") ? .seconds(10) : .seconds(1)
        await #expect {
            _ = try await SandboxProcess.start(program.path, within: patience)
        } throws: { error in
            let message = (error as? SandboxError)?.message ?? ""
            return message.contains(problem) && message.contains("BLOOMCHATS_BIN")
        }
        let started = try #require(pid_t(String(decoding: try Data(contentsOf: number), as: UTF8.self).trimmingCharacters(in: .newlines)))
        // A child that nobody waited for would still have its number.
        #expect(kill(started, 0) == -1 && errno == ESRCH)
    }
}
