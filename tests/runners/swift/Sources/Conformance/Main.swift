import BloomChatsTesting
import Foundation

/// Runs `tests/conformance/*.json` and writes the ids that passed: `Conformance ROOT OUT`.
@main struct Main {
    static func main() async throws {
        let arguments = CommandLine.arguments
        let folder = URL(fileURLWithPath: arguments[1]).appendingPathComponent("tests/conformance")
        for name in ["BLOOIO_API_KEY", "BLOOIO_BASE_URL", "BLOOMCHATS_API_KEY", "BLOOMCHATS_BASE_URL"] { unsetenv(name) }
        var passed: Set<String> = [], failed: [String] = [], typed = 0, untyped = 0
        for file in try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        where file.pathExtension == "json" {
            for one in try JSONValue(parsing: Data(contentsOf: file))["cases"].array ?? [] {
                var run = Run(given: one)
                var found = differences(one["expect"], try await run.happened(), "")
                let id = one["id"].string ?? ""
                (typed, untyped) = (typed + run.typed, untyped + run.untyped)
                if found.isEmpty && !passed.insert(id).inserted { found = ["stands twice"] }
                if !found.isEmpty { failed.append("\(id) (\(one["about"].string ?? ""))\n" + found.joined(separator: "\n")) }
            }
        }
        try passed.sorted().map { "\($0)\n" }.joined().write(toFile: arguments[2], atomically: true, encoding: .utf8)
        print(failed.joined(separator: "\n\n"))
        print("\(passed.count) cases passed, \(failed.count) failed; \(typed) calls through typed methods, \(untyped) that types cannot say")
        exit(failed.isEmpty && !passed.isEmpty ? 0 : 1)
    }
}

/// Every key of `expected` must hold in `actual`; what else happened is not compared, but for an error nobody expected.
func differences(_ expected: JSONValue, _ actual: JSONValue, _ at: String) -> [String] {
    var found: [String] = []
    if !actual["error"].isNull && expected["error"].isNull { found.append("  \(at): an error: \(actual["error"])") }
    let message = actual["message"].string ?? ""
    for (key, wanted) in expected.object ?? [:] {
        let (at, got) = ("\(at) \(key)", actual[key])
        switch (key, wanted) {
        case ("error", .object), ("cause", .object), ("event", .object): found += differences(wanted, got, at)
        case ("read", .object(let paths)):
            for (path, value) in paths where !same(value, got[path]) { found.append("  \(at) \(path): \(value) expected, got \(got[path])") }
        case ("requests", .array(let list)), ("results", .array(let list)):
            if list.count != got.array?.count { found.append("  \(at): \(list.count) expected, got \(got)") }
            for (index, one) in list.enumerated() { found += differences(one, got[index], "\(at)[\(index)]") }
        case ("message_contains", .string(let word)) where message.contains(word): break
        case ("message_excludes", .string(let word)) where !message.contains(word): break
        case _ where same(wanted, got): break
        default: found.append("  \(at)\n    expected \(wanted)\n    got      \(got.isNull ? .string(message) : got)")
        }
    }
    return found
}

/// JSON equality in which 2 equals 2.0.
func same(_ one: JSONValue, _ other: JSONValue) -> Bool {
    switch (one, other) {
    case (.array(let items), .array(let others)): items.count == others.count && zip(items, others).allSatisfy(same)
    case (.object(let fields), .object(let others)):
        fields.count == others.count && fields.allSatisfy { name, value in others[name].map { same(value, $0) } ?? false }
    default: one == other || (one.double != nil && one.double == other.double)
    }
}
