import BloomChats
import Foundation

/// A stand-in for the three services on this machine: the same answers, with state, and nobody gets a message.
///
/// It is found in `BLOOMCHATS_SANDBOX_URL`, where it becomes a namespace of its own; else started from the command that
/// `BLOOMCHATS_BIN` names or `PATH` has. One that was started ends when the last copy of this value is gone, with
/// ``close()``, or with this process, even when that is killed.
///
/// ```swift
/// let sandbox = try await Sandbox()
/// try await greet("+15551234567", through: sandbox.blooio())
/// #expect(try await sandbox.phone("+15551234567").inbox.first?.text == "Hello")
/// ```
///
/// iOS and its siblings start no processes: run `bloomchats sandbox` on the Mac and set `BLOOMCHATS_SANDBOX_URL` for the
/// simulator.
public struct Sandbox: Sendable {
    /// What clients take as `baseURL`.
    public let url: String
    /// The key of Blooio v2 and v4.
    public let blooioAPIKey: String
    /// The key of BloomChats.
    public let bloomchatsAPIKey: String
    let control: Control
    private let process: SandboxProcess?
    private let owns: Bool

    /// Finds or starts a sandbox.
    ///
    /// - Parameters:
    ///   - seed: Decides the data: the same seed gives the same people, chats and contacts. 1 by default.
    ///   - switches: Vendor switches by name.
    ///   - now: Where its clock begins; the machine's time by default.
    ///   - frozen: Whether its clock begins frozen.
    /// - Throws: ``SandboxError`` when there is none, with how to install it; when what was started is none, or has not said
    ///   within 10 s where it is; or when a switch does not exist.
    public init(
        seed: Int? = nil, switches: [String: JSONValue]? = nil, now: Date? = nil, frozen: Bool? = nil
    ) async throws {
        let options = Self.options(seed, switches, now, frozen)
        if let running = ProcessInfo.processInfo.environment["BLOOMCHATS_SANDBOX_URL"], !running.isEmpty {
            let control = Control(url: running.hasSuffix("/") ? String(running.dropLast()) : running)
            self.init(try await control.ask("POST", "/namespaces", options), process: nil, owns: false)
            return
        }
        let process = try await SandboxProcess.start()
        var facts = process.facts
        if options != [:] { facts = try await Control(url: facts["url"].string ?? "").ask("POST", "/namespaces", options) }
        self.init(facts, process: process, owns: true)
    }

    private init(_ facts: JSONValue, process: SandboxProcess?, owns: Bool) {
        url = facts["url"].string ?? ""
        blooioAPIKey = facts["blooio_api_key"].string ?? ""
        bloomchatsAPIKey = facts["bloomchats_api_key"].string ?? ""
        control = Control(url: url, key: blooioAPIKey)
        (self.process, self.owns) = (process, owns)
    }

    private static func options(
        _ seed: Int?, _ switches: [String: JSONValue]?, _ now: Date?, _ frozen: Bool?
    ) -> JSONValue {
        Control.fields([
            "seed": seed.map(JSONValue.integer), "switches": switches.map(JSONValue.object),
            "now": now.map { .integer($0.milliseconds) }, "frozen": frozen.map(JSONValue.bool),
        ])
    }

    /// New keys and a world of their own in the same process: parallel tests do not see each other. It ends with it.
    ///
    /// - Parameters:
    ///   - seed: Decides the data; this sandbox's by default. So are the others.
    ///   - switches: Vendor switches by name.
    ///   - now: Where its clock begins.
    ///   - frozen: Whether its clock begins frozen.
    public func namespace(
        seed: Int? = nil, switches: [String: JSONValue]? = nil, now: Date? = nil, frozen: Bool? = nil
    ) async throws -> Sandbox {
        let made = try await control.ask("POST", "/namespaces", Self.options(seed, switches, now, frozen))
        return Sandbox(made, process: process, owns: false)
    }

    /// A client of Blooio on this sandbox, with its key unless another is given.
    public func blooio(apiKey: String? = nil, options: ClientOptions = ClientOptions()) throws -> Blooio {
        try Blooio(apiKey: apiKey ?? blooioAPIKey, baseURL: url, options: options)
    }

    /// A client of BloomChats on this sandbox, with its key unless another is given.
    public func bloomchats(apiKey: String? = nil, options: ClientOptions = ClientOptions()) throws -> BloomChats {
        try BloomChats(apiKey: apiKey ?? bloomchatsAPIKey, baseURL: url, options: options)
    }

    /// Variables that point `Blooio()` and `BloomChats()` here, for another process.
    public var environment: [String: String] {
        [
            "BLOOIO_BASE_URL": url, "BLOOIO_API_KEY": blooioAPIKey,
            "BLOOMCHATS_BASE_URL": url, "BLOOMCHATS_API_KEY": bloomchatsAPIKey,
        ]
    }

    /// Its time.
    public var clock: Clock { Clock(control: control) }

    /// What goes wrong.
    public var faults: Faults { Faults(control: control) }

    /// A person, by E.164 number or email address.
    public func phone(_ number: String) -> Phone {
        Phone(control: control, number: number)
    }

    /// A URL that takes webhooks and answers them with `status`.
    public func receiver(status: Int = 200) async throws -> Receiver {
        Receiver(control: control, try await control.ask("POST", "/receivers", ["status": .integer(status)]))
    }

    /// Everything as it was made, except the keys; with another seed, other data.
    public func reset(seed: Int? = nil) async throws {
        try await control.ask("POST", "/reset", Control.fields(["seed": seed.map(JSONValue.integer)]))
    }

    /// The last 1 000 requests to the services, oldest first.
    public var requests: [LoggedRequest] {
        get async throws { try await control.ask("GET", "/requests")["requests"].array?.map(LoggedRequest.init) ?? [] }
    }

    /// The last 5 000 webhook deliveries with their attempts, oldest first.
    public var deliveries: [Delivery] {
        get async throws { try await control.ask("GET", "/deliveries")["deliveries"].array?.map(Delivery.init) ?? [] }
    }

    /// The vendor switches, by name.
    public var switches: [String: JSONValue] {
        get async throws { try await control.ask("GET", "/switches").object ?? [:] }
    }

    /// Sets vendor switches; those that are not named stay.
    public func setSwitches(_ switches: [String: JSONValue]) async throws {
        try await control.ask("PUT", "/switches", .object(switches))
    }

    /// An API that can be limited.
    public enum API: String, Sendable {
        /// BloomChats.
        case bloomchats
        /// Blooio v2.
        case v2
        /// Blooio v4.
        case v4
    }

    /// At most that many requests a minute on an API, counted from now; `nil` takes the limit off.
    public func setLimit(_ api: API, perMinute: Int?) async throws {
        let perMinute = perMinute.map(JSONValue.integer) ?? .null
        try await control.ask("PUT", "/limits", ["api": .string(api.rawValue), "per_minute": perMinute])
    }

    /// Changes what becomes of a line of ours, with the events that tell of it.
    ///
    /// - Parameters:
    ///   - number: The line's number.
    ///   - status: `active`, `pending_verification`, `suspended`, `banned` or `deprecated`.
    ///   - safety: `none`, `queue`, `slow`, `pause_new`, `reply_only` or `review`.
    public func setLine(_ number: String, status: String? = nil, safety: String? = nil) async throws {
        let body = Control.fields(["status": status.map(JSONValue.string), "safety": safety.map(JSONValue.string)])
        try await control.ask("PUT", "/lines/\(Control.segment(number))", body)
    }

    /// Stops the process, if it is this one's own, and waits until it has ended.
    public func close() async {
        if owns { await process?.close() }
    }
}

extension Sandbox: CustomStringConvertible, CustomReflectable {
    /// Where it is; its keys are not shown.
    public var description: String { "Sandbox(\(url))" }
    /// Nothing more than the description.
    public var customMirror: Mirror { Mirror(self, children: ["url": url]) }
}
