import BloomChats
import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// The sandbox cannot be found, started or reached, or refuses what it is asked.
public struct SandboxError: Error, Sendable, CustomStringConvertible {
    /// What is wrong.
    public let message: String
    /// The HTTP status of a refusal; `nil` when it was never asked.
    public let status: Int?

    init(_ message: String, status: Int? = nil) {
        (self.message, self.status) = (message, status)
    }

    /// What is wrong.
    public var description: String { message }
}

/// The control API of one namespace, through Foundation: the clients under test are not asked about themselves.
struct Control: Sendable {
    let url: String
    var key: String?

    private static let session = URLSession(configuration: .ephemeral)
    /// Advancing the clock waits for real receivers, each of which may take 15 s an attempt.
    private static let seconds: TimeInterval = 300

    /// The answer's JSON.
    @discardableResult
    func ask(_ method: String, _ path: String, _ body: JSONValue? = nil) async throws -> JSONValue {
        guard let target = URL(string: "\(url)/_sandbox\(path)") else { throw SandboxError("\(url) is no URL") }
        var request = URLRequest(url: target, timeoutInterval: Self.seconds)
        request.httpMethod = method
        request.httpBody = try body?.data()
        request.setValue("application/json", forHTTPHeaderField: "content-type")
        if let key { request.setValue("Bearer \(key)", forHTTPHeaderField: "authorization") }
        let (data, status) = try await exchange(request)
        guard let answer = try? JSONValue(parsing: data) else {
            throw SandboxError("what answers at \(url) is no sandbox", status: status)
        }
        guard status < 300 else { throw SandboxError(answer["message"].string ?? "status \(status)", status: status) }
        return answer
    }

    private func exchange(_ request: URLRequest) async throws -> (Data, Int) {
        do {
            let (data, response) = try await Self.session.data(for: request)
            return (data, (response as? HTTPURLResponse)?.statusCode ?? 0)
        } catch is URLError {
            throw SandboxError("no sandbox answers at \(url)")
        }
    }

    /// One path segment.
    static func segment(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? text
    }

    /// Those that are there.
    static func fields(_ fields: [String: JSONValue?]) -> JSONValue {
        .object(fields.compactMapValues { $0 })
    }
}
