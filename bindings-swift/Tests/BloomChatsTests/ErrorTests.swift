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
}

func dumped(_ value: some Any) -> String {
    var text = ""
    dump(value, to: &text)
    return text
}
