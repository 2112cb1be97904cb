import BloomChatsTesting
import Foundation

/// A typed call cannot say what this case says.
struct Inexpressible: Error {}

func must<Value>(_ value: Value?) throws -> Value {
    guard let value else { throw Inexpressible() }
    return value
}

/// A call of a case, read into the types that the methods take.
final class Given {
    let call: JSONValue
    let record = CallRecord()
    let files: [String: Upload]
    private var unread: Set<String>

    init(_ call: JSONValue) {
        self.call = call
        files = (call["files"].array ?? []).reduce(into: [:]) { files, file in
            let data = file["base64"].string.flatMap { Data(base64Encoded: $0) } ?? Data((file["text"].string ?? "").utf8)
            files[file["field"].string ?? ""] =
                Upload(data, filename: file["filename"].string ?? "", contentType: file["content_type"].string ?? "")
        }
        unread = Set((call["arguments"].object ?? [:]).keys).union(files.keys)
    }

    func required<Value: JSONRepresentable & Decodable>(_ name: String, _: Value.Type) throws -> Value {
        try must(optional(name, Value.self))
    }

    func optional<Value: JSONRepresentable & Decodable>(_ name: String, _: Value.Type) throws -> Value? {
        unread.remove(name)
        guard let json = call["arguments"].object?[name] else { return nil }
        let value = try must(try? JSONDecoder().decode(Value.self, from: json.data()))
        return try must(value.json == json && !json.isNull ? value : nil)
    }

    func patch<Value: JSONRepresentable & Decodable>(_ name: String, _: Value.Type) throws -> Patch<Value> {
        unread.remove(name)
        if call["arguments"].object?[name] == .null { return nil }
        return try optional(name, Value.self).map(Patch.value) ?? .absent
    }

    func file(_ name: String) throws -> Upload {
        unread.remove(name)
        return try must(files[name])
    }

    /// Asked for last: by then every argument must have found its parameter.
    func options() throws -> CallOptions {
        guard unread.isEmpty, call["arguments_json"].isNull else { throw Inexpressible() }
        var options = CallOptions(record: record)
        for (name, value) in call["options"].object ?? [:] {
            switch name {
            case "timeout_ms": options.timeout = .milliseconds(try must(value.int))
            case "attempt_timeout_ms": options.attemptTimeout = .milliseconds(try must(value.int))
            case "max_retries": options.maxRetries = try must(value.int)
            case "idempotency_key": options.idempotencyKey = try must(value.string)
            case "headers": options.headers = try must(value.object).mapValues { try must($0.string) }
            case "query": options.query = try must(value.object).mapValues { try must($0.string) }
            case "extra_body": options.extraBody = try must(value.object)
            default: throw Inexpressible()
            }
        }
        return options
    }
}
