import BloomChatsTesting
import Foundation
import Testing

@Suite struct JSONTests {
    @Test(arguments: [
        ("null", JSONValue.null), (" [1 , -0.5e1, true] ", [1, .number(-5), true]), ("{\"a\":{}}", ["a": [:]]),
        ("9007199254740993", .integer(9_007_199_254_740_993)), ("18446744073709551615", .digits("18446744073709551615")),
        (#""\u00e9\ud83d\udc4b\n\/""#, "\u{e9}\u{1F44B}\n/"), (#""\ud800""#, "\u{FFFD}"), (#""\ud800\u0041""#, "\u{FFFD}A"), ("\"é👋\"", "é👋"),
    ] as [(String, JSONValue)])
    func reads(_ text: String, _ value: JSONValue) throws {
        #expect(try JSONValue(parsing: text) == value)
    }

    @Test(arguments: [
        "", "nul", "01", "1.", "-", "+1", "[1,]", "[1 2]", "{\"a\"}", "{a:1}", "\"", "\"\\x\"", "\"\\u12\"", "\"\n\"", "1 1", "NaN", "[", "tru", "-a",
    ])
    func refuses(_ text: String) {
        #expect(throws: BloomChatsError.self) { try JSONValue(parsing: text) }
    }

    @Test func refusesEndlessNesting() {
        #expect(throws: BloomChatsError.self) { try JSONValue(parsing: String(repeating: "[", count: 100_000)) }
    }

    /// Neither reading nor writing may end on a stack that is too small.
    @Test func writesAsDeepAsCoreReads() async throws {
        func nested(_ depth: Int) -> JSONValue { (1..<depth).reduce([]) { value, _ in [value] } }
        #expect(try JSONValue(parsing: nested(127).data()) == nested(127))
        for depth in [128, 5000] {
            #expect(throws: BloomChatsError.self) { try nested(depth).data() }
            #expect("\(nested(depth))".contains("too deeply"))
        }
        let (blooio, script) = try Blooio.scripted([.answer(200), .answer(200)])
        try await blooio.v2.request("POST", "/x", body: nested(126))
        for options in [CallOptions(), CallOptions(extraBody: ["a": nested(5000)])] {
            await #expect { try await blooio.v2.request("POST", "/x", body: nested(127), options: options) } throws: { error in
                BloomChatsError.Kind.invalidArgument ~= error && "\(error)".contains("nested too deeply")
            }
        }
        #expect(try script.requests.count == 1)
    }

    @Test func refusesInvalidUTF8() {
        #expect(throws: BloomChatsError.self) { try JSONValue(parsing: Data([0x22, 0xFF, 0x22])) }
    }

    @Test func writesWhatItReads() throws {
        let text = #"{"a":[1,-2.5,18446744073709551615,true,null],"b":"\u0001\"\\é👋"}"#
        let value = try JSONValue(parsing: text)
        #expect("\(value)" == text)
        #expect(try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(value)) == value)
    }

    @Test func readsByPath() {
        let value: JSONValue = ["a": [["b": "c"]], "n": 1.5]
        #expect(value["a"][0]["b"].string == "c" && value["a"][1].isNull && value["x"]["y"].isNull && value["n"].double == 1.5)
    }

    @Test func readsSmallOpenTypes() throws {
        let attachment = try JSONDecoder().decode([Blooio.V2.MessageAttachment].self, from: Data(#"["u",{"url":"v"},{"x":1}]"#.utf8))
        #expect(attachment[0] == .url("u") && attachment[1].json["url"] == "v")
    }
}
