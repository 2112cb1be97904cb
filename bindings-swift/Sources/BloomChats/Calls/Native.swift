internal import BloomChatsFFI
import Foundation

/// Something core told, and the memory it lies in.
final class Told: @unchecked Sendable {  // nobody changes what lies there
    private let told: UnsafeMutablePointer<bloomchats_told>

    init(_ told: UnsafeMutablePointer<bloomchats_told>) {
        self.told = told
    }

    deinit {
        bloomchats_told_free(told)
    }

    var kind: bloomchats_kind { told.pointee.kind }
    var status: Int { Int(told.pointee.status) }
    var attempts: Int { Int(told.pointee.attempts) }
    var requestID: String? { String(told.pointee.request_id) }
    var idempotencyKey: String? { String(told.pointee.idempotency_key) }
    /// Model of the value, by core's name.
    var model: String { String(told.pointee.model) ?? "" }
    /// On a page, the field that holds the items; empty when the body is the array itself.
    var items: String? { String(told.pointee.items) }

    /// By lower-case names; values of repeated ones are joined by commas.
    var headers: [String: String] {
        var headers: [String: String] = [:]
        for pair in Told(bloomchats_told_headers(told)).json.value.array ?? [] {
            let (name, value) = (pair[0].string ?? "", pair[1].string ?? "")
            headers[name] = headers[name].map { "\($0), \(value)" } ?? value
        }
        return headers
    }

    var next: NextPage? {
        guard told.pointee.has_next, let page = bloomchats_told_next(told) else { return nil }
        return NextPage(page)
    }

    /// What was told, read where it lies.
    var json: JSONSource {
        guard let start = told.pointee.body.start else { return JSONSource(.null) }
        return .text(JSONText(UnsafeBufferPointer(start: start, count: told.pointee.body.count), in: self))
    }

    var text: String { String(told.pointee.body) ?? "" }

    /// The error a failure stands for. Whatever is not core's own report is a defect of this package.
    var failure: BloomChatsError {
        guard kind == bloomchats_failed, let told = try? json.parsed() else { return .defect }
        return BloomChatsError(told: told)
    }
}

extension BloomChatsError {
    static var defect: BloomChatsError { BloomChatsError(.internal, "internal error in bloomchats; please report it") }
}

extension String {
    fileprivate init?(_ text: bloomchats_text) {
        guard let start = text.start else { return nil }
        self.init(decoding: UnsafeBufferPointer(start: start, count: text.count), as: UTF8.self)
    }
}

/// Lends bytes to core, for the time of one call into it.
func lend<Result>(_ bytes: some ContiguousBytes, _ use: (bloomchats_text) throws -> Result) rethrows -> Result {
    try bytes.withUnsafeBytes { bytes in
        // No bytes are not the same as none at all.
        guard let start = bytes.baseAddress else {
            return try withUnsafePointer(to: 0) { try use(bloomchats_text(start: $0, count: 0)) }
        }
        return try use(bloomchats_text(start: start.assumingMemoryBound(to: UInt8.self), count: bytes.count))
    }
}

/// Lends text to core, for the time of one call into it.
func lend<Result>(_ text: String, _ use: (bloomchats_text) throws -> Result) rethrows -> Result {
    var text = text
    return try text.withUTF8 { try lend(UnsafeRawBufferPointer($0), use) }
}

/// The functions of core that need no client.
enum Native {
    static func newIdempotencyKey() throws -> String {
        try result(bloomchats_new_idempotency_key()).text
    }

    static func verifyWebhook(body: Data, header: String?, secrets: [String], now: Int64, tolerance: UInt64) throws -> JSONValue {
        let secrets = try JSONValue.array(secrets.map(JSONValue.string)).data()
        let verify = { (header: bloomchats_text) in
            lend(body) { body in lend(secrets) { bloomchats_verify_webhook(body, header, $0, now, tolerance) } }
        }
        return try result(header.map { lend($0, verify) } ?? verify(bloomchats_text())).json.parsed()
    }

    static func signWebhook(body: Data, secret: String, at: Int64) throws -> String {
        try result(lend(body) { body in lend(secret) { bloomchats_sign_webhook(body, $0, at) } }).text
    }

    static func parseEvent(body: Data) throws -> JSONValue {
        try result(lend(body) { bloomchats_parse_event($0) }).json.parsed()
    }

    static func result(_ told: UnsafeMutablePointer<bloomchats_told>) throws -> Told {
        let told = Told(told)
        guard told.kind == bloomchats_done else { throw told.failure }
        return told
    }

    /// What core made, or the reason why not.
    static func made(_ make: (UnsafeMutablePointer<UnsafeMutablePointer<bloomchats_told>?>) -> OpaquePointer?) throws -> OpaquePointer {
        var failure: UnsafeMutablePointer<bloomchats_told>?
        if let made = make(&failure) { return made }
        throw failure.map { Told($0).failure } ?? .defect
    }
}
