import BloomChats
import Foundation
import Testing

@Suite struct WebhookTests {
    let body = #"{"event":"message.received","message_id":"m1","text":"Hi","external_id":"+15551234567"}"#
    let secret = "whsec_test", now = Date(timeIntervalSince1970: 1_790_000_000)

    @Test func verifiesAndReads() throws {
        let header = try Webhooks.sign(body, secret: secret, now: now)
        let event = try Webhooks.verify(Data(body.utf8), header: header, secrets: ["whsec_old", secret], now: now)
        guard case .v2(.messageReceived(let message)) = event.content else { throw Unexpected() }
        #expect(message.text == "Hi" && event.type == "message.received" && event.id == nil && event.raw["message_id"] == "m1")
    }

    @Test func saysWhyNot() throws {
        let header = try Webhooks.sign(body, secret: secret, now: now)
        func reason(_ body: String, _ header: String?, secret: String = "whsec_test", after seconds: Double = 0) -> String? {
            do {
                _ = try Webhooks.verify(body, header: header, secrets: [secret], now: now.addingTimeInterval(seconds))
                return nil
            } catch { return (error as? BloomChatsError)?.reason }
        }
        #expect(reason(body, header, after: 300) == nil)
        #expect(reason(body, header, after: 301) == "stale")
        #expect(reason(body, header, after: -301) == "future")
        #expect(reason(body, header, after: .infinity) == "stale")
        #expect(reason(body, header, after: -.infinity) == "future")
        #expect(reason(body, nil) == "missing_header")
        #expect(reason(body, "v1=00") == "bad_form")
        #expect(reason(body, header, secret: "whsec_other") == "wrong_secret")
        #expect(reason(body.replacingOccurrences(of: ",", with: ", "), header) == "parsed_body")
    }

    @Test func keepsUnknownEvents() throws {
        let event = try Webhooks.parse(#"{"id":"evt_1","type":"chat.sneezed","data":{"x":1}}"#)
        #expect(event.content == .v4(.unknown(["x": 1])) && event.id == "evt_1")
        #expect(throws: BloomChatsError.self) { try Webhooks.parse("[]") }
    }
}
