import Foundation

#if os(Linux)
    private let noSignal = Int32(MSG_NOSIGNAL)
#else
    private let noSignal: Int32 = 0
#endif

/// A tiny HTTP/1.1 server on loopback that a test can watch: what came, and when a client hung up.
final class LoopbackServer: @unchecked Sendable {  // every access to the lists holds `lock`
    /// A request as it came.
    struct Request: Sendable {
        let head: String
        let body: String
        var line: String { head.components(separatedBy: "\r\n")[0] }
        func header(_ name: String) -> String? {
            let line = head.components(separatedBy: "\r\n").first { $0.lowercased().hasPrefix(name + ":") }
            return line.map { $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces) }
        }
    }

    let url: String
    private let listener: Int32
    private let patience: Int
    private let answer: @Sendable (Request) -> String?
    private let lock = NSLock()
    private var received: [Request] = []
    private var hungUp = 0

    /// `answer` gives the raw response, or `nil` to leave the request without one. One that is not `accepting` lets nobody
    /// connect: who tries waits. One without `patience` hangs up on a request of that many bytes, goodbye first.
    init(accepting: Bool = true, patience: Int = .max, _ answer: @escaping @Sendable (Request) -> String?) {
        (self.patience, self.answer) = (patience, answer)
        #if os(Linux)
            let stream = Int32(SOCK_STREAM.rawValue)
        #else
            let stream = SOCK_STREAM
        #endif
        listener = socket(AF_INET, stream, 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = self.listener
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                precondition(bind(listener, raw, length) == 0 && listen(listener, accepting ? 4096 : 0) == 0)
                precondition(getsockname(listener, raw, &length) == 0)
            }
        }
        url = "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
        guard accepting else {
            // The kernel's queue holds one; whoever comes after these two is not answered.
            for _ in 0..<2 {
                let filler = socket(AF_INET, stream, 0)
                _ = fcntl(filler, F_SETFL, fcntl(filler, F_GETFL) | O_NONBLOCK)
                withUnsafePointer(to: &address) { pointer in
                    _ = pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(filler, $0, length) }
                }
            }
            return
        }
        Thread.detachNewThread { [self] in
            while case let connection = accept(listener, nil, nil), connection >= 0 {
                Thread.detachNewThread { [self] in serve(connection) }
            }
        }
    }

    deinit { close(listener) }

    var requests: [Request] { lock.withLock { received } }
    var hangUps: Int { lock.withLock { hungUp } }

    /// A JSON answer.
    static func json(_ status: Int, _ body: String, headers: String = "") -> String {
        "HTTP/1.1 \(status) X\r\ncontent-type: application/json\r\ncontent-length: \(body.utf8.count)\r\n\(headers)\r\n\(body)"
    }

    private func serve(_ connection: Int32) {
        var buffer = Data(), asked = false
        while true {
            if let request = take(from: &buffer) {
                asked = true
                lock.withLock { received.append(request) }
                if let response = answer(request) {
                    let bytes = Array(response.utf8)
                    _ = send(connection, bytes, bytes.count, noSignal)
                }
                continue
            }
            var chunk = [UInt8](repeating: 0, count: 65536)
            let count = recv(connection, &chunk, chunk.count, 0)
            guard count > 0 else { break }
            buffer.append(contentsOf: chunk[..<count])
            guard buffer.count < patience else {
                shutdown(connection, Int32(SHUT_WR))
                break
            }
        }
        // One that never asked is a pool's own affair.
        if asked { lock.withLock { hungUp += 1 } }
        close(connection)
    }

    private func take(from buffer: inout Data) -> Request? {
        guard let end = buffer.range(of: Data("\r\n\r\n".utf8)) else { return nil }
        let request = Request(head: String(decoding: buffer[..<end.lowerBound], as: UTF8.self), body: "")
        let length = request.header("content-length").flatMap { Int($0) } ?? 0
        guard buffer.count - end.upperBound >= length else { return nil }
        let body = buffer[end.upperBound..<end.upperBound + length]
        buffer = Data(buffer[(end.upperBound + length)...])
        return Request(head: request.head, body: String(decoding: body, as: UTF8.self))
    }
}

/// Waits until something holds, at most half a minute.
func eventually(_ holds: () -> Bool) async -> Bool {
    for _ in 0..<3000 {
        if holds() { return true }
        try? await Task.sleep(for: .milliseconds(10))
    }
    return holds()
}
