#if os(macOS) || os(Linux)
    import BloomChats
    import Foundation

    /// A `bloomchats sandbox` that lives until it is closed, forgotten, or this process ends, however that ends.
    final class SandboxProcess: Sendable {
        let facts: JSONValue
        // The sandbox ends when its standard input does.
        private let input: FileHandle
        private let ends: AsyncStream<Never>

        /// Starts one, on a thread that may wait. It is to say within that time where it is; some 10 ms are usual.
        static func start(_ named: String? = nil, within patience: Duration = .seconds(10)) async throws -> SandboxProcess {
            let program = try named ?? findProgram()
            return try await withCheckedThrowingContinuation { continuation in
                DispatchQueue.global().async {
                    continuation.resume(with: Result { try SandboxProcess(program, within: patience) })
                }
            }
        }

        private init(_ program: String, within patience: Duration) throws {
            let process = Process()
            let (input, output) = (Pipe(), Pipe())
            let (ends, end) = AsyncStream.makeStream(of: Never.self)
            process.executableURL = URL(fileURLWithPath: program)
            let arguments = ["sandbox", "--port", "0", "--json", "--stop-on-stdin-close"]
            process.arguments = arguments
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
            guard let line = Self.firstLine(output.fileHandleForReading, within: patience) else {
                Self.end(process)
                let command = ([program] + arguments).joined(separator: " ")
                throw SandboxError("`\(command)` said nothing for \(patience) and was killed; for a sandbox, \(Self.how)")
            }
            guard let facts = try? JSONValue(parsing: line), facts["url"].string != nil,
                facts["blooio_api_key"].string != nil, facts["bloomchats_api_key"].string != nil
            else {
                Self.end(process)
                throw SandboxError("\(program) is no sandbox, or cannot start one; \(Self.how)")
            }
            self.facts = facts
        }

        /// Kills it, and what it started where it leads a group (the program may be a script around another).
        private static func end(_ process: Process) {
            let number = process.processIdentifier
            if process.isRunning { kill(getpgid(number) == number ? -number : number, SIGKILL) }
            process.waitUntilExit()
        }

        deinit { try? input.close() }

        /// Stops it and waits until it has ended.
        func close() async {
            try? input.close()
            for await _ in ends {}
        }

        /// `nil` when none comes in time. What writes without end is no sandbox either.
        private static func firstLine(_ output: FileHandle, within patience: Duration) -> Data? {
            let end = ContinuousClock.now + patience
            var line = Data()
            while line.count < 65536 {
                let left = ContinuousClock.now.duration(to: end) / .milliseconds(1)
                guard left > 0 else { return nil }
                var ready = pollfd(fd: output.fileDescriptor, events: Int16(POLLIN), revents: 0)
                guard poll(&ready, 1, Int32(left.rounded(.up))) > 0 else { continue }
                guard let byte = output.readData(ofLength: 1).first, byte != 0x0A else { break }
                line.append(byte)
            }
            return line
        }

        /// `BLOOMCHATS_BIN`, else `bloomchats` on PATH.
        private static func findProgram() throws -> String {
            let environment = ProcessInfo.processInfo.environment
            if let named = environment["BLOOMCHATS_BIN"], !named.isEmpty { return named }
            let folders = (environment["PATH"] ?? "").split(separator: ":")
            let programs = folders.lazy.map { "\($0)/bloomchats" }
            if let program = programs.first(where: FileManager.default.isExecutableFile) { return program }
            throw SandboxError("there is no sandbox: \(how)")
        }

        private static let how =
            "put the `bloomchats` command on PATH (`cargo install bloomchats-cli`, or `pip install bloomchats-sandbox`), "
            + "or name it in BLOOMCHATS_BIN, or name a running one in BLOOMCHATS_SANDBOX_URL"
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
