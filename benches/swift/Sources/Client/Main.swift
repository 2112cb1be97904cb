// Runs one Swift client: so many calls, so many at a time, and what they cost.
//
//   Client CLIENT URL send|list CONCURRENCY CALLS
//
// Prints one line of JSON: CPU time of the process, user and system, and wall time, both without start and warm-up, and the
// latencies' median and 99th percentile. Every number that standard input then has is that of the calls of another part, which prints
// another line. As many tasks run at once; each client is opened once and keeps its connections. Both give structs.

import Dispatch
import Foundation

/// One of the clients that are compared.
protocol Caller: Sendable {
    init(url: String, concurrency: Int) throws
    /// Sends a text and gives the message's id.
    func send() async throws -> String?
    /// Lists contacts and gives their number and the last one's identifier.
    func list() async throws -> (rows: Int, last: String?)
}

struct Wrong: Error, CustomStringConvertible {
    let description: String
}

@main
struct Program {
    static let clients: [String: any Caller.Type] = ["ours": Ours.self, "urlsession": PlainSession.self]

    /// The main thread waits for good: valgrind does not survive how an asynchronous `main` leaves it.
    static func main() {
        Task.detached {
            do {
                try await measure()
                exit(0)
            } catch {
                FileHandle.standardError.write(Data("\(error)\n".utf8))
                exit(1)
            }
        }
        DispatchSemaphore(value: 0).wait()
    }

    static func measure() async throws {
        let given = CommandLine.arguments.dropFirst()
        guard given.count == 5, let client = clients[given[1]], let concurrency = Int(given[4]), let calls = Int(given[5]) else {
            throw Wrong(description: "usage: Client \(clients.keys.sorted().joined(separator: "|")) URL send|list CONCURRENCY CALLS")
        }
        let call = Self.call(try client.init(url: given[2], concurrency: concurrency), lists: given[3] == "list")
        var part: Int? = calls
        while let calls = part {
            // First calls open connections, and before a later part what a call needs has left the processor's caches.
            _ = try await run(call, concurrency, concurrency * 2)
            let (cpu, begun) = (clock(CLOCK_PROCESS_CPUTIME_ID), clock(CLOCK_MONOTONIC))
            let latencies = try await run(call, concurrency, calls).sorted()
            let (spent, passed) = (clock(CLOCK_PROCESS_CPUTIME_ID) - cpu, clock(CLOCK_MONOTONIC) - begun)
            let at = { latencies[(latencies.count - 1) * $0 / 100] }
            print(#"{"calls":\#(latencies.count),"cpu_us":\#(spent),"wall_us":\#(passed),"p50_us":\#(at(50)),"p99_us":\#(at(99))}"#)
            fflush(nil)
            part = readLine().flatMap { Int($0) }
        }
    }

    /// One call, whose answer must be the fixture's.
    static func call(_ client: some Caller, lists: Bool) -> @Sendable () async throws -> Void {
        guard lists else {
            return {
                guard try await client.send() == Fixture.message else { throw Wrong(description: "another message was sent") }
            }
        }
        return {
            guard try await client.list() == (Fixture.rows, Fixture.last) else { throw Wrong(description: "another list came") }
        }
    }

    static func run(_ call: @escaping @Sendable () async throws -> Void, _ concurrency: Int, _ calls: Int) async throws -> [Double] {
        try await withThrowingTaskGroup(of: [Double].self) { group in
            for place in 0..<concurrency {
                group.addTask {
                    var latencies: [Double] = []
                    for _ in 0..<calls / concurrency + (place < calls % concurrency ? 1 : 0) {
                        let begun = clock(CLOCK_MONOTONIC)
                        try await call()
                        latencies.append(clock(CLOCK_MONOTONIC) - begun)
                    }
                    return latencies
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }

    /// A clock's time in µs.
    static func clock(_ id: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(id, &time)
        return Double(time.tv_sec) * 1e6 + Double(time.tv_nsec) / 1e3
    }
}
