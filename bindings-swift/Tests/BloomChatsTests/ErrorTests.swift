import BloomChatsTesting
import Foundation
import Testing

@Suite struct ErrorTests {
    @Test func tellsEverything() async throws {
        let (blooio, _) = try Blooio.scripted([
            .answer(429, ["error": ["code": "outbound_limit_reached", "message": "No more to +15551234567"]],
                headers: ["x-request-id": "r1", "retry-after": "60"])
        ])
        do {
            try await blooio.v4.messages.sendToChat("ch_1", text: "Hi")
            throw Unexpected()
        } catch let error as BloomChatsError {
            #expect(error.kind == .quotaExceeded && error.kind.isA(.rateLimit) && error.kind.isA(.api))
            #expect(!error.kind.isA(.connection))
            #expect(error.status == 429 && error.code == "outbound_limit_reached" && error.requestID == "r1")
            #expect(error.retryAfter == .seconds(60) && error.attempts == 1 && !error.maybeSent)
            #expect(error.idempotencyKey != nil && error.body?["error"]["code"] == "outbound_limit_reached")
            for told in ["\(error)", String(reflecting: error), error.localizedDescription, dumped(error)] {
                #expect(told.contains("quota_exceeded") && !told.contains("5551234567"), "\(told)")
            }
        }
    }

    @Test(arguments: ["9007199254740993", "1e19", "18446744073709549568"]) func aWaitOfAgesCanBeReadAndWaited(_ wait: String) async throws {
        let (blooio, _) = try Blooio.scripted([.answer(429, headers: ["retry-after": wait])])
        do {
            _ = try await blooio.v2.me.get()
            throw Unexpected()
        } catch let error as BloomChatsError {
            let wait = try #require(error.retryAfter)
            #expect(wait.components.seconds >= 9_007_199_254_740_992)
            let waiting = Task { try await Task.sleep(for: wait) }
            waiting.cancel()
            await #expect(throws: CancellationError.self) { try await waiting.value }
        }
    }

    @Test func isCaughtByKind() async throws {
        let (blooio, _) = try Blooio.scripted([.answer(429, ["code": "safety_paused"]), .answer(404), .reset])
        func caught() async -> String {
            do {
                try await blooio.v2.contacts.create(identifier: "+15551234567")
                return "nothing"
            } catch BloomChatsError.Kind.rateLimit {
                return "rate limit"
            } catch BloomChatsError.Kind.api {
                return "api"
            } catch let error as BloomChatsError where error.maybeSent {
                return "maybe sent"
            } catch {
                return "\(error)"
            }
        }
        #expect(await caught() == "rate limit")
        #expect(await caught() == "api")
        #expect(await caught() == "maybe sent")
    }

    @Test func setupIsChecked() throws {
        func message(_ open: () throws -> Blooio) -> String {
            do { _ = try open(); return "" } catch let error as BloomChatsError { return error.kind == .config ? error.message : "" } catch { return "" }
        }
        #expect(message { try Blooio() }.contains("BLOOIO_API_KEY"))
        #expect(!message { try Blooio(apiKey: "bl_secret\n") }.contains("secret"))
        #expect(message { try Blooio(apiKey: "bl_x", baseURL: "http://blooio.example") } != "")
        #expect(message { try Blooio(apiKey: "bl_x", options: ClientOptions(maxRetries: 11)) }.contains("max_retries"))
        #expect(message { try Blooio(apiKey: "bl_x", options: ClientOptions(timeout: .seconds(-1))) }.contains("timeout"))
        let all = ClientOptions(
            organizationID: "org_1", timeout: .seconds(9), attemptTimeout: .seconds(3), connectTimeout: .seconds(1),
            maxRetries: 3, userAgent: "app/1", proxy: "", allowHTTP: true, v4SendBody: .content,
            plan: .init(perMinute: 60))
        #expect(message { try Blooio(apiKey: "bl_x", baseURL: "http://blooio.example", options: all) } == "")
        #expect(message { try Blooio(apiKey: "bl_x", options: ClientOptions(plan: .init(perMinute: 0))) }.contains("plan"))
    }

    @Test func showsNobodysData() async throws {
        let (blooio, _) = try Blooio.scripted([
            .answer(200, ["message_id": "m1", "text": "Meet at noon", "sender": "+15551234567", "status": "sent", "direction": "inbound"])
        ])
        let message = try await blooio.v2.messages.get("m1", in: "+15551234567")
        #expect(message.text == "Meet at noon")
        let event = try Webhooks.parse(#"{"event":"message.received","text":"Meet at noon","sender":"+15551234567"}"#)
        for told in ["\(message)", String(reflecting: message), dumped(message), "\(event)", dumped(event), "\(event.content)"] {
            #expect(!told.contains("noon") && !told.contains("555"), "\(told)")
        }
        #expect("\(message)".contains("status: sent"))
    }

    /// Whoever prints more than a model: what holds one, what is on its way, what no model is for.
    @Test func holdersShowNobodysDataEither() async throws {
        let chat: JSONValue = ["id": "ch_1", "name": "noon", "text": "noon"]
        let (blooio, _) = try Blooio.scripted([
            .answer(200, ["text": "noon"], headers: ["x-a": "noon"]), .answer(200, ["message_id": "m1", "text": "noon"]),
            .answer(200, ["data": [chat], "noon": "noon", "next_cursor": "noon", "has_more": true]),
        ])
        let plain = try await withResponse { try await blooio.v2.request("GET", "/x", options: $0) }
        let record = CallRecord()
        let options = CallOptions(
            idempotencyKey: "noon", headers: ["x-a": "noon"], query: ["q": "noon"], extraBody: ["noon": "noon"])
        let typed = try await withResponse { try await blooio.v2.messages.get("m1", in: "+1", options: $0) }
        let list = blooio.v4.chats.list(options: CallOptions(record: record))
        var pages = list.pages.makeAsyncIterator()
        let page = try #require(try await pages.next())
        let unknown = try Webhooks.parse(#"{"id":"evt_1","type":"chat.sneezed","data":{"text":"noon"}}"#)
        let shown: [Any] = [
            plain, typed, page, record, options, ClientOptions(userAgent: "noon", proxy: "http://me:noon@proxy.example"),
            Upload(Data("noon".utf8), filename: "noon.png", contentType: "image/png"), unknown, unknown.content, blooio,
        ]
        for value in shown {
            for told in ["\(value)", String(reflecting: value), dumped(value)] {
                // `dump` writes bytes as numbers: 110 is an n.
                #expect(!told.contains("noon") && !told.contains("- 110"), "\(told)")
            }
        }
        #expect("\(typed)" == "Response(MessageDetail(message_id: m1), status: 200, attempts: 1)")
        #expect("\(plain)" == "Response(JSONValue, status: 200, attempts: 1)")
        #expect("\(page)" == "Page(1 items, hasNext: true)")
    }
}

func dumped(_ value: some Any) -> String {
    var text = ""
    dump(value, to: &text)
    return text
}
