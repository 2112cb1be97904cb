import BloomChats
import Foundation

extension Sandbox {
    /// A namespace's time: of messages, webhooks, timers and limits. Clients keep their own.
    public struct Clock: Sendable {
        let control: Control

        /// What it shows.
        public var now: Date {
            get async throws {
                Date(milliseconds: try await control.ask("GET", "/clock")["now"].int ?? 0)
            }
        }

        /// Whether time stands still between calls.
        public var isFrozen: Bool {
            get async throws { try await control.ask("GET", "/clock")["frozen"].bool ?? false }
        }

        /// Stops it; ``set(_:)`` and ``advance(by:)`` move it on.
        public func freeze() async throws {
            try await control.ask("PUT", "/clock", ["frozen": true])
        }

        /// Lets it run with real time again.
        public func run() async throws {
            try await control.ask("PUT", "/clock", ["frozen": false])
        }

        /// Jumps; what is due then happens at once.
        public func set(_ now: Date) async throws {
            try await control.ask("PUT", "/clock", ["now": .integer(now.milliseconds)])
        }

        /// Lives through that much time: timers fire in order, and each webhook attempt has its answer before it goes on.
        public func advance(by time: Duration) async throws {
            try await control.ask("POST", "/clock/advance", ["ms": .integer(time.milliseconds)])
        }
    }
}
