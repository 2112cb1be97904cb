import BloomChatsTesting
import Foundation

/// Makes one case happen.
struct Run {
    let given: JSONValue
    var typed = 0, untyped = 0

    /// What happened, in the form of `expect`.
    mutating func happened() async throws -> JSONValue {
        if given["webhook"].object != nil {
            do { return try webhook(given["webhook"]) } catch let error as BloomChatsError { return failure(error) }
        }
        var settings = given["client"].object ?? [:]
        settings["language"] = "swift"
        // The scripted client would bring a key of its own.
        let transcript = settings["api_key"] == .null ? nil : given["transcript"]
        let (events, noted) = AsyncStream.makeStream(of: CallEvent.self)
        let client: UntypedClient
        do {
            client = try UntypedClient(settings: .object(settings), transcript: transcript, observer: { noted.yield($0) })
        } catch let error as BloomChatsError {
            return object(["requests": [JSONValue](), "request_count": 0, "waits_ms": [JSONValue](), "results": [failure(error)]])
        }
        var results: [JSONValue] = []
        for call in given["calls"].array ?? [] {
            do { results.append(try await perform(Given(call), client)) } catch let error as BloomChatsError { results.append(failure(error)) }
        }
        noted.finish()
        let requests = try client.script.requests
        let happened = object([
            "requests": requests.map(shown), "request_count": requests.count, "results": results,
            "waits_ms": try client.script.waits.map { $0 / .milliseconds(1) }, "events": await events.reduce(into: []) { $0.append(told($1)) },
        ])
        return try named(happened, requests.compactMap { $0.headers["idempotency-key"] })
    }

    private mutating func perform(_ given: Given, _ client: UntypedClient) async throws -> JSONValue {
        let name = given.call["operation"].string ?? ""
        do {
            typed += 1
            if let outcome = try await dispatch(name, client, given) { return outcome.told }
        } catch is Inexpressible {}
        (typed, untyped) = (typed - 1, untyped + 1)
        let arguments = try given.call["arguments_json"].string.map { Data($0.utf8) } ?? given.call["arguments"].data()
        let options = given.call["options"].isNull ? Data() : try given.call["options"].data()
        let answer = try await client.call(name, arguments: arguments, files: given.files, options: options, record: given.record)
        precondition(answer.items == nil, "\(name): a list that types cannot say")
        return Outcome(answer.value, answer.model, given.record).told
    }
}

private func shown(_ request: Script.Request) -> JSONValue {
    var raw = request.raw.object ?? [:]
    raw["headers"] = .object(request.headers.filter { $0.key != "user-agent" }.mapValues(JSONValue.string))
    return .object(raw)
}

private func webhook(_ given: JSONValue) throws -> JSONValue {
    func text(_ value: JSONValue) -> String { value.string ?? "" }
    func date(_ value: JSONValue) -> Date { Date(timeIntervalSince1970: value.double ?? 0) }
    let (sign, verify) = (given["sign"], given["verify"])
    if !sign.isNull { return object(["header": try Webhooks.sign(text(sign["body"]), secret: text(sign["secret"]), now: date(sign["at_s"]))]) }
    let event = verify.isNull ? try Webhooks.parse(text(given["parse"]["body"])) : try Webhooks.verify(
        text(verify["body"]), header: verify["header"].string, secrets: (verify["secrets"].array ?? []).map(text),
        now: date(verify["now_s"]), tolerance: .seconds(verify["tolerance_s"].int ?? 300))
    let (version, model, data): (String, (any Model)?, JSONValue) = switch event.content {
    case .v2(let content): ("v2", content.model, content.json)
    case .v4(let content): ("v4", content.model, content.json)
    }
    return object(["event": object([
        "type": event.type, "version": version, "id": event.id, "model": model.map { "\(type(of: $0))" } ?? "", "data": data, "raw": event.raw,
    ])])
}

/// Puts `{{key}}`, `{{key2}}`, … in place of generated keys, in the order in which they went out.
private func named(_ happened: JSONValue, _ keys: [String]) throws -> JSONValue {
    let uuid4 = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/
    var text = "\(happened)", names = 0
    for key in keys.compactMap({ $0.firstMatch(of: uuid4) }) where text.contains(key.output) {
        names += 1
        text = text.replacing(key.output, with: "{{key\(names == 1 ? "" : "\(names)")}}")
    }
    return try JSONValue(parsing: Data(text.utf8))
}
