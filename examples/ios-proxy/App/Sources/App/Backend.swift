import BloomChats
import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// The app's own backend: it knows the user, holds the Blooio key, and gives out sessions that end by themselves.
actor Backend {
    private let url: URL
    private let password: String
    private var session: (token: String, end: ContinuousClock.Instant)?

    init(url: URL, password: String) {
        self.url = url
        self.password = password
    }

    /// A Blooio client that talks to the backend instead of Blooio. The app holds no key of Blooio's.
    nonisolated func blooio() throws -> Blooio {
        try Blooio(baseURL: url.absoluteString) { try await self.credential() }
    }

    /// Asked before each request, so it must be quick as long as a session lasts.
    private func credential() async throws -> String {
        if let session, session.end > .now { return session.token }
        var request = URLRequest(url: url.appendingPathComponent("session"))
        request.httpMethod = "POST"
        request.setValue("application/json", forHTTPHeaderField: "content-type")
        request.httpBody = try JSONEncoder().encode(["password": password])
        let asked = ContinuousClock.now
        let (data, response) = try await URLSession.shared.data(for: request)
        guard (response as? HTTPURLResponse)?.statusCode == 200 else { throw LoginFailed() }
        let given = try JSONDecoder().decode(Session.self, from: data)
        session = (given.session, asked + .seconds(given.seconds))
        return given.session
    }

    private struct Session: Decodable {
        let session: String
        let seconds: Double
    }
}

/// The backend does not know this user.
struct LoginFailed: Error {}
