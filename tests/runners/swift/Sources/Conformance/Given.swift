import BloomChatsTesting
import Foundation

/// The client of a case, as both products see it.
struct Clients {
    let untyped: UntypedClient
    var blooio: Blooio { untyped.blooio }
    var bloomchats: BloomChats { untyped.bloomchats }
}

/// A typed call cannot say what this case says.
struct Inexpressible: Error {}

/// A call of a case, read into the types that the methods take.
final class Given {
    let call: JSONValue
    let record = CallRecord()
    private var unread: Set<String>

    init(_ call: JSONValue) {
        self.call = call
        unread = Set((call["arguments"].object ?? [:]).keys).union((call["files"].array ?? []).compactMap(\.["field"].string))
    }

    func required<Value: JSONRepresentable & Decodable>(_ name: String, _: Value.Type) throws -> Value {
        guard let value = try optional(name, Value.self) else { throw Inexpressible() }
        return value
    }

    func optional<Value: JSONRepresentable & Decodable>(_ name: String, _: Value.Type) throws -> Value? {
        unread.remove(name)
        guard let json = call["arguments"].object?[name] else { return nil }
        let value = try? JSONDecoder().decode(Value.self, from: json.data())
        guard let value, value.json == json, !json.isNull else { throw Inexpressible() }
        return value
    }

    func patch<Value: JSONRepresentable & Decodable>(_ name: String, _: Value.Type) throws -> Patch<Value> {
        unread.remove(name)
        if call["arguments"].object?[name] == .null { return nil }
        return try optional(name, Value.self).map(Patch.value) ?? .absent
    }

    func file(_ name: String) throws -> Upload {
        unread.remove(name)
        guard let file = files[name] else { throw Inexpressible() }
        return file
    }

    var files: [String: Upload] {
        let files = (call["files"].array ?? []).map { file in
            let data = file["base64"].string.flatMap { Data(base64Encoded: $0) } ?? Data((file["text"].string ?? "").utf8)
            let name = file["filename"].string ?? "", type = file["content_type"].string ?? ""
            return (file["field"].string ?? "", Upload(data, filename: name, contentType: type))
        }
        return Dictionary(files, uniquingKeysWith: { first, _ in first })
    }

    /// Asked for last: by then every argument must have found its parameter.
    func options() throws -> CallOptions {
        guard unread.isEmpty, call["arguments_json"].isNull else { throw Inexpressible() }
        var options = CallOptions(record: record)
        for (name, value) in call["options"].object ?? [:] {
            switch (name, value) {
            case ("timeout_ms", .integer(let ms)): options.timeout = .milliseconds(ms)
            case ("attempt_timeout_ms", .integer(let ms)): options.attemptTimeout = .milliseconds(ms)
            case ("max_retries", .integer(let retries)): options.maxRetries = retries
            case ("idempotency_key", .string(let key)): options.idempotencyKey = key
            case ("headers", .object(let headers)): options.headers = try headers.mapValues(text)
            case ("query", .object(let query)): options.query = try query.mapValues(text)
            case ("extra_body", .object(let fields)): options.extraBody = fields
            default: throw Inexpressible()
            }
        }
        return options
    }

    private func text(_ value: JSONValue) throws -> String {
        guard let text = value.string else { throw Inexpressible() }
        return text
    }
}

/// What a call came to, in the form of `expect`.
struct Outcome {
    let told: JSONValue
    /// The value itself, for `read`.
    var value: Any?

    init(_ value: some Sendable, _ given: Given) {
        let model = (value as? any AnyShape)?.model ?? (value as? any Model)
        let json = (value as? any JSONRepresentable)?.json ?? .null
        self.init(json, model: model.map { "\(type(of: $0))" } ?? "", given.record)
        self.value = model ?? value
    }

    init(_ json: JSONValue, model: String, _ record: CallRecord) {
        told = [
            "value": json, "model": .string(model), "attempts": .integer(record.attempts),
            "status": record.status.map(JSONValue.integer) ?? .null,
            "idempotency_key": record.idempotencyKey.map(JSONValue.string) ?? .null,
            "request_id": record.requestID.map(JSONValue.string) ?? .null,
        ]
    }

    init<Element: Sendable & JSONRepresentable>(_ list: PagedSequence<Element>, _ given: Given) async throws {
        let most = given.call["pages"].int ?? .max
        var pages: [JSONValue] = []
        do {
            for try await page in list.pages {
                pages.append(page.items.json)
                if pages.count >= most { break }
            }
        } catch let error as BloomChatsError where !pages.isEmpty {
            told = .object(["pages": .array(pages), "error": failure(error)["error"]])
            return
        }
        told = ["pages": .array(pages), "model": Element.self is any Model.Type ? "\(Element.self)" : ""]
    }
}

/// What an error tells, and in `message` everything a person may come to see of it.
func failure(_ error: BloomChatsError) -> JSONValue {
    var dumped = ""
    dump(error, to: &dumped)
    var told: [String: JSONValue] = [
        "kind": .string(error.kind.rawValue), "attempts": .integer(error.attempts), "maybe_sent": .bool(error.maybeSent),
        "message": "\(error.message) \(error) \(String(reflecting: error)) \(error.localizedDescription) \(dumped)",
    ]
    told["status"] = error.status.map(JSONValue.integer)
    let texts = ["code": error.code, "idempotency_key": error.idempotencyKey, "request_id": error.requestID,
                 "argument": error.argument, "reason": error.reason]
    told.merge(texts.compactMapValues { $0.map(JSONValue.string) }) { $1 }
    told["retry_after_s"] = error.retryAfter.map { .number(Double($0.components.seconds) + Double($0.components.attoseconds) / 1e18) }
    told["body"] = error.body
    told["result"] = error.result?.json
    told["last_status"] = error.lastStatus
    told["cause"] = error.cause.map { failure($0)["error"] }
    return ["error": .object(told)]
}
