import BloomChatsTesting
import Foundation

/// An object of the fields that are there.
func object(_ fields: KeyValuePairs<String, (any JSONRepresentable)?>) -> JSONValue {
    .object(fields.reduce(into: [:]) { $0[$1.key] = $1.value?.json })
}

/// What a call came to, in the form of `expect`.
struct Outcome {
    let told: JSONValue

    init(_ value: some Sendable, _ given: Given) {
        let model = (value as? any AnyShape)?.model ?? (value as? any Model)
        let json = (value as? any JSONRepresentable)?.json ?? .null
        self.init(json, model.map { "\(type(of: $0))" } ?? "", given.record, reads: Self.reads(model ?? value, json))
    }

    init(_ json: JSONValue, _ model: String, _ record: CallRecord, reads: [String: JSONValue] = [:]) {
        told = object([
            "value": json, "model": model, "attempts": record.attempts, "status": record.status, "read": reads,
            "idempotency_key": record.idempotencyKey, "request_id": record.requestID,
        ])
    }

    init<Element: Sendable & JSONRepresentable>(_ list: PagedSequence<Element>, _ given: Given) async throws {
        var pages: [[Element]] = []
        do {
            for try await page in list.pages {
                pages.append(page.items)
                if pages.count == given.call["pages"].int { break }
            }
        } catch let error as BloomChatsError where !pages.isEmpty {
            told = object(["pages": pages, "error": failure(error)["error"]])
            return
        }
        told = object(["pages": pages, "model": Element.self is any Model.Type ? "\(Element.self)" : ""])
    }

    /// What typed access gives for every field of an answer, and of the models in it.
    private static func reads(_ value: Any?, _ raw: JSONValue, _ path: String = "") -> [String: JSONValue] {
        guard let model = value as? any Readable else { return [:] }
        return (raw.object ?? [:]).keys.reduce(into: [:]) { reads, name in
            let value = model.read(name)
            reads[path + name] = value?.json ?? .null
            reads.merge(Self.reads(value, raw[name], "\(path)\(name).")) { $1 }
        }
    }
}

/// What an error tells, and in `message` everything a person may come to see of it.
func failure(_ error: BloomChatsError) -> JSONValue {
    var dumped = ""
    dump(error, to: &dumped)
    return object(["error": object([
        "message": "\(error.message) \(error) \(String(reflecting: error)) \(error.localizedDescription) \(dumped)",
        "kind": error.kind.rawValue, "attempts": error.attempts, "maybe_sent": error.maybeSent, "status": error.status,
        "code": error.code, "idempotency_key": error.idempotencyKey, "request_id": error.requestID, "argument": error.argument,
        "reason": error.reason, "retry_after_s": error.retryAfter.map { $0 / .seconds(1) }, "body": error.body,
        "result": error.result?.json, "last_status": error.lastStatus, "cause": error.cause.map { failure($0)["error"] },
    ])])
}

func told(_ event: CallEvent) -> JSONValue {
    object([
        "scope": event.scope.rawValue, "operation": event.operation, "started_ms": event.started.milliseconds,
        "duration_ms": event.duration / .milliseconds(1), "retry_in_ms": event.retryIn.map { $0 / .milliseconds(1) },
        "attributes": event.attributes,
    ])
}
