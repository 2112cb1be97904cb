internal import BloomChatsBridge
import Foundation

/// The functions of core that need no client, with its failures as ``BloomChatsError``.
enum Native {
    static func newIdempotencyKey() throws -> String {
        try translated { try BloomChatsBridge.newIdempotencyKey() }
    }

    static func verifyWebhook(body: Data, header: String?, secrets: [String], now: Int64, tolerance: UInt64) throws -> Data {
        try translated { try BloomChatsBridge.verifyWebhook(body: body, header: header, secrets: secrets, now: now, tolerance: tolerance) }
    }

    static func signWebhook(body: Data, secret: String, at: Int64) throws -> String {
        try translated { try BloomChatsBridge.signWebhook(body: body, secret: secret, at: at) }
    }

    static func parseEvent(body: Data) throws -> Data {
        try translated { try BloomChatsBridge.parseEvent(body: body) }
    }

    /// Runs a call into the bridge.
    static func translated<Value>(_ call: () throws -> Value) throws -> Value {
        do { return try call() } catch { throw translation(of: error) }
    }

    /// The error a failure of the bridge stands for. Whatever is not core's own report is a defect of this package.
    static func translation(of error: any Error) -> BloomChatsError {
        guard case Fault.Failed(let json)? = error as? Fault, let told = try? JSONValue(parsing: json) else {
            return BloomChatsError(.internal, "internal error in bloomchats; please report it")
        }
        return BloomChatsError(told: told)
    }
}
