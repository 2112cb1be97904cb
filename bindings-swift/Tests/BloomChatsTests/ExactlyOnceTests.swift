import BloomChats
import Foundation
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// The promise over real sockets: whatever becomes of each attempt, and wherever a caller lets go, the person has the
/// message once, or not at all and the caller knows; and the same key again always ends with once.
///
/// The sandbox plays the faults and judges. Many more schedules run in core.
@Suite(.enabled(if: sandboxBinary != nil)) struct ExactlyOnceTests {
    /// What becomes of one attempt, and whether the service acts upon it.
    struct Fault: Sendable {
        let script: String
        let handled: Bool

        static let pass = Fault(script: "pass", handled: true)
        static let busy = Fault(script: "status;status=503;retry_after=0", handled: false)
        static let all = [
            Fault(script: "drop", handled: false), Fault(script: "drop_answer", handled: true),
            Fault(script: "reset", handled: false), Fault(script: "reset_answer", handled: true),
            Fault(script: "half_answer", handled: true), Fault(script: "slow_answer;bytes=20;ms=5", handled: true),
            Fault(script: "slow_answer;bytes=1;ms=300", handled: true), Fault(script: "status;status=400", handled: false),
            Fault(script: "status_answer;status=409", handled: true), Fault(script: "status_answer;status=500", handled: true),
            Fault(script: "throttle;retry_after=0", handled: false), busy,
        ]
    }

    enum Operation: CaseIterable {
        case v2Send, v4Send, v4SendToChat, v4SendToChannel, v2Reaction, v2Contact

        /// Whether the service protects it by its key.
        var isProtected: Bool { self != .v2Reaction && self != .v2Contact }

        /// What has to be there beforehand, and the call to make then.
        func prepare(_ blooio: Blooio, for person: String) async throws -> @Sendable (CallOptions) async throws -> Void {
            switch self {
            case .v2Send: return { try await blooio.v2.messages.send(to: person, text: "Hello", options: $0) }
            case .v4Send: return { try await blooio.v4.messages.send(to: person, text: "Hello", options: $0) }
            case .v2Contact: return { _ = try await blooio.v2.contacts.create(identifier: person, options: $0) }
            case .v2Reaction:
                let id = try #require(try await blooio.v2.messages.send(to: person, text: "before").messageID)
                return { try await blooio.v2.reactions.add(in: person, message: id, reaction: "+love", options: $0) }
            case .v4SendToChat, .v4SendToChannel:
                let before = try await blooio.v4.messages.send(to: person, text: "before").json
                let chat = try #require(before["chat_id"].string), channel = try #require(before["channel_id"].string)
                return { options in
                    if self == .v4SendToChat {
                        try await blooio.v4.messages.sendToChat(chat, text: "Hello", options: options)
                    } else {
                        try await blooio.v4.messages.sendToChannel(channel, to: person, text: "Hello", options: options)
                    }
                }
            }
        }

        /// How often it had its effect: for a message, what the person has; else what the service was asked and acted upon.
        func effects(_ sandbox: SandboxTests.Sandbox, _ person: String, _ script: [Fault]) async throws -> Int {
            let encoded = person.replacingOccurrences(of: "+", with: "%2B")
            if isProtected { return try await sandbox.control("/phones/\(encoded)/inbox?text=Hello")["count"].int ?? -1 }
            let asked = try await sandbox.control("/requests")["requests"].array?.filter { row in
                let (target, body) = (row["target"].string ?? "", "\(row["body"])")
                guard row["method"] == "POST" else { return false }
                return self == .v2Contact ? body.contains(person) : target.contains(encoded) && target.hasSuffix("/reactions")
            }
            return try #require(asked).indices.filter { $0 >= script.count || script[$0].handled }.count
        }
    }

    @Test(arguments: Operation.allCases) func whateverBecomesOfTwoAttempts(_ operation: Operation) async throws {
        let sandbox = try SandboxTests.Sandbox(), blooio = try sandbox.blooio
        let scripts = Fault.all.flatMap { [[$0, .pass], [.busy, $0], [$0, $0], [$0, $0, $0]] }
        let sent = try await withThrowingTaskGroup(of: Bool.self) { group in
            for (index, script) in scripts.enumerated() {
                let person = "+1555200\(1000 + index)"
                group.addTask { try await survives(operation, script, sandbox, blooio, person) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(sent) == [true, false], "a script that is not heeded would prove nothing")
    }

    /// Whether the call said that it succeeded.
    private func survives(
        _ operation: Operation, _ script: [Fault], _ sandbox: SandboxTests.Sandbox, _ blooio: Blooio, _ person: String
    ) async throws -> Bool {
        let told = Comment(rawValue: "\(operation) under \(script.map(\.script))")
        let call = try await operation.prepare(blooio, for: person)
        let faults = script.map(\.script).joined(separator: ", ")
        do {
            try await call(CallOptions(attemptTimeout: .milliseconds(700), headers: ["x-sandbox-fault": faults]))
            #expect(try await operation.effects(sandbox, person, script) == 1, told)
            return true
        } catch let error as BloomChatsError {
            let effects = try await operation.effects(sandbox, person, script)
            #expect(effects <= 1, told)
            #expect(effects == 0 || error.maybeSent, told)
            guard operation.isProtected else { return false }
            let key = try #require(error.idempotencyKey, told)
            try await call(CallOptions(idempotencyKey: key))
            #expect(try await operation.effects(sandbox, person, script) == 1, told)
            return false
        }
    }

    @Test func whereverACallerLetsGo() async throws {
        let sandbox = try SandboxTests.Sandbox(), blooio = try sandbox.blooio
        let scripts = ["delay;ms=60", "delay_answer;ms=60", "drop_answer, delay_answer;ms=60", "slow_answer;bytes=1;ms=2"]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (operation, first) in [(Operation.v2Send, 1000), (.v4Send, 2000)] {
                for (index, script) in scripts.enumerated() {
                    for (step, patience) in [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512].enumerated() {
                        let person = "+1555300\(first + index * 20 + step)"
                        group.addTask {
                            try await resumes(operation, script, after: .milliseconds(patience), sandbox, blooio, person)
                        }
                    }
                }
            }
            for try await () in group {}
        }
    }

    private func resumes(
        _ operation: Operation, _ script: String, after patience: Duration, _ sandbox: SandboxTests.Sandbox, _ blooio: Blooio,
        _ person: String
    ) async throws {
        let told = Comment(rawValue: "\(operation) under \(script), cancelled after \(patience)")
        let call = try await operation.prepare(blooio, for: person)
        let record = CallRecord()
        let calling = Task { try await call(CallOptions(headers: ["x-sandbox-fault": script], record: record)) }
        try await Task.sleep(for: patience)
        calling.cancel()
        if case .failure(let error) = await calling.result {
            #expect(error is CancellationError, told)
            let effects = try await operation.effects(sandbox, person, [])
            #expect(effects == 0 || effects == 1 && record.maybeSent, told)
            // A call that never began has no key, and nothing to resume.
            try await call(CallOptions(idempotencyKey: record.idempotencyKey))
        }
        #expect(try await operation.effects(sandbox, person, []) == 1, told)
    }
}

extension SandboxTests.Sandbox {
    /// Asks the sandbox about itself.
    fileprivate func control(_ path: String) async throws -> JSONValue {
        var request = URLRequest(url: try #require(URL(string: "\(url)/_sandbox\(path)")))
        request.setValue("Bearer \(told["blooio_api_key"].string ?? "")", forHTTPHeaderField: "authorization")
        return try JSONValue(parsing: await URLSession.shared.data(for: request).0)
    }
}
