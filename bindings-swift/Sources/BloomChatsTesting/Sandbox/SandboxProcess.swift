#if os(macOS) || os(Linux)
    import BloomChats
    import Foundation

    /// A `bloomchats sandbox` that lives until it is closed, forgotten, or this process ends, however that ends.
    final class SandboxProcess: Sendable {
        let facts: JSONValue
        // The sandbox ends when its standard input does.
        private let input: FileHandle
        private let ends: AsyncStream<Never>

        /// Starts one, on a thread that may wait.
        static func start() async throws -> SandboxProcess {
            let program = try findProgram()
            return try await withCheckedThrowingContinuation { continuation in
                DispatchQueue.global().async {
                    continuation.resume(with: Result { try SandboxProcess(program) })
                }
            }
        }

        private init(_ program: String) throws {
            let process = Process()
            let (input, output) = (Pipe(), Pipe())
            let (ends, end) = AsyncStream.makeStream(of: Never.self)
            process.executableURL = URL(fileURLWithPath: program)
            process.arguments = ["sandbox", "--port", "0", "--json", "--stop-on-stdin-close"]
            process.standardInput = input
            process.standardOutput = output
            process.terminationHandler = { _ in end.finish() }
            // A child of ours must not keep it alive.
            _ = fcntl(input.fileHandleForWriting.fileDescriptor, F_SETFD, FD_CLOEXEC)
            do {
                try process.run()
            } catch {
                throw SandboxError("\(program) cannot be started: \(error.localizedDescription)")
            }
            (self.input, self.ends) = (input.fileHandleForWriting, ends)
            let line = Self.firstLine(output.fileHandleForReading)
            guard let facts = try? JSONValue(parsing: line) else {
                throw SandboxError("\(program) is no sandbox, or cannot start one")
            }
            self.facts = facts
        }

        deinit { try? input.close() }

        /// Stops it and waits until it has ended.
        func close() async {
            try? input.close()
            for await _ in ends {}
        }

        private static func firstLine(_ output: FileHandle) -> Data {
            var line = Data()
            while let byte = output.readData(ofLength: 1).first, byte != 0x0A { line.append(byte) }
            return line
        }

        /// `BLOOMCHATS_BIN`, else `bloomchats` on PATH.
        private static func findProgram() throws -> String {
            let environment = ProcessInfo.processInfo.environment
            if let named = environment["BLOOMCHATS_BIN"], !named.isEmpty { return named }
            let folders = (environment["PATH"] ?? "").split(separator: ":")
            let programs = folders.lazy.map { "\($0)/bloomchats" }
            if let program = programs.first(where: FileManager.default.isExecutableFile) { return program }
            throw SandboxError(
                "there is no sandbox: put the `bloomchats` command on PATH (`cargo install bloomchats-cli`, or "
                    + "`pip install bloomchats-sandbox`), or name it in BLOOMCHATS_BIN, or name a running one in "
                    + "BLOOMCHATS_SANDBOX_URL")
        }
    }
#else
    import BloomChats

    /// Here no process can start another; the sandbox runs on the developer's machine, and a simulator reaches it there.
    final class SandboxProcess: Sendable {
        let facts: JSONValue

        static func start() async throws -> SandboxProcess {
            throw SandboxError("start `bloomchats sandbox` on your machine and name its URL in BLOOMCHATS_SANDBOX_URL")
        }

        private init(facts: JSONValue) { self.facts = facts }

        func close() async {}
    }
#endif
