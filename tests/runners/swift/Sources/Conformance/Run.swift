import BloomChatsTesting
import Foundation

/// Makes one case happen.
struct Run {
    let given: JSONValue
    var typed = 0
    var untyped = 0

    init(_ given: JSONValue) {
        self.given = given
    }

    /// What happened, in the form of `expect`.
    mutating func happened() async -> JSONValue {
        if let webhook = given["webhook"].object { return Self.webhook(.object(webhook)) }
        var settings = given["client"].object ?? [:]
        settings["language"] = "swift"
        // The scripted client would bring a key of its own.
        let transcript = settings["api_key"] == .null ? JSONValue?.none : given["transcript"]
        let client: UntypedClient
        do {
            client = try UntypedClient(settings: .object(settings), transcript: transcript)
        } catch let error as BloomChatsError {
            return ["requests": [], "request_count": 0, "waits_ms": [], "results": [failure(error)]]
        } catch { fatalError("\(error)") }
        var results: [JSONValue] = []
        for call in given["calls"].array ?? [] { results.append(await perform(call, client)) }
        let script = client.script
        guard let requests = try? script.requests, let waits = try? script.waits else { fatalError("no script") }
        let shown = requests.map { request in
            var raw = request.raw.object ?? [:]
            raw["headers"] = .object(request.headers.filter { $0.key != "user-agent" }.mapValues(JSONValue.string))
            return JSONValue.object(raw)
        }
        let ms = waits.map { JSONValue.integer(Int($0 / .milliseconds(1))) }
        return Self.named([
            "requests": .array(shown), "request_count": .integer(requests.count), "waits_ms": .array(ms), "results": .array(results),
        ], requests.compactMap { $0.headers["idempotency-key"] })
    }

    private mutating func perform(_ call: JSONValue, _ client: UntypedClient) async -> JSONValue {
        let given = Given(call), name = call["operation"].string ?? ""
        do {
            do {
                if let outcome = try await dispatch(name, Clients(untyped: client), given) {
                    typed += 1
                    return Self.withReads(outcome)
                }
            } catch is Inexpressible {} catch { typed += 1; throw error }
            untyped += 1
            return try await Self.untyped(name, given, client)
        } catch let error as BloomChatsError {
            return failure(error)
        } catch { fatalError("\(error)") }
    }

    private static func untyped(_ name: String, _ given: Given, _ client: UntypedClient) async throws -> JSONValue {
        let arguments = try given.call["arguments_json"].string.map { Data($0.utf8) } ?? given.call["arguments"].data()
        let options = given.call["options"].isNull ? Data() : try given.call["options"].data()
        var answer = try await client.call(name, arguments: arguments, files: given.files, options: options, record: given.record)
        guard var items = answer.items else { return Outcome(answer.value, model: answer.model, given.record).told }
        var pages: [JSONValue] = []
        do {
            while true {
                pages.append(.array(items))
                guard pages.count < given.call["pages"].int ?? .max, let next = answer.next else { break }
                answer = try await next()
                items = answer.items ?? []
            }
        } catch let error as BloomChatsError {
            return .object(["pages": .array(pages), "error": failure(error)["error"]])
        }
        return ["pages": .array(pages), "model": .string(answer.model)]
    }

    /// Adds what typed access gives for every field of the answer, and of the models in it.
    private static func withReads(_ outcome: Outcome) -> JSONValue {
        var told = outcome.told.object ?? [:]
        var reads: [String: JSONValue] = [:]
        func visit(_ value: Any?, _ raw: JSONValue, _ path: String) {
            guard let model = value as? any Readable else { return }
            for name in (raw.object ?? [:]).keys {
                let value = model.read(name)
                reads[path + name] = value?.json ?? .null
                visit(value, raw[name], "\(path)\(name).")
            }
        }
        visit(outcome.value, told["value"] ?? .null, "")
        told["read"] = .object(reads)
        return .object(told)
    }

    private static func webhook(_ given: JSONValue) -> JSONValue {
        func text(_ value: JSONValue) -> String { value.string ?? "" }
        func date(_ value: JSONValue) -> Date { Date(timeIntervalSince1970: value.double ?? 0) }
        do {
            if case let sign = given["sign"], !sign.isNull {
                return ["header": .string(try Webhooks.sign(text(sign["body"]), secret: text(sign["secret"]), now: date(sign["at_s"])))]
            }
            let verify = given["verify"]
            let event = verify.isNull ? try Webhooks.parse(text(given["parse"]["body"])) : try Webhooks.verify(
                text(verify["body"]), header: verify["header"].string, secrets: (verify["secrets"].array ?? []).compactMap(\.string),
                now: date(verify["now_s"]), tolerance: .seconds(verify["tolerance_s"].int ?? 300))
            let (version, model, data): (JSONValue, (any Model)?, JSONValue) = switch event.content {
            case .v2(let content): ("v2", content.model, content.json)
            case .v4(let content): ("v4", content.model, content.json)
            }
            return ["event": [
                "type": .string(event.type), "version": version, "id": event.id.map(JSONValue.string) ?? .null,
                "model": .string(model.map { "\(type(of: $0))" } ?? ""), "data": data, "raw": event.raw,
            ]]
        } catch let error as BloomChatsError {
            return failure(error)
        } catch { fatalError("\(error)") }
    }

    /// Puts `{{key}}`, `{{key2}}`, … in place of generated keys, in the order in which they went out.
    private static func named(_ happened: JSONValue, _ keys: [String]) -> JSONValue {
        let uuid4 = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/
        var names: [String: String] = [:]
        for match in keys.compactMap({ $0.firstMatch(of: uuid4) }) where names[String(match.output)] == nil {
            names[String(match.output)] = "{{key\(names.isEmpty ? "" : "\(names.count + 1)")}}"
        }
        func rename(_ value: JSONValue) -> JSONValue {
            switch value {
            case .string(let text): .string(text.replacing(uuid4) { names[String($0.output)] ?? String($0.output) })
            case .array(let items): .array(items.map(rename))
            case .object(let fields): .object(fields.mapValues(rename))
            default: value
            }
        }
        return rename(happened)
    }
}
