// The main job in Swift. Keys come from BLOOIO_API_KEY and BLOOMCHATS_API_KEY; BLOOIO_BASE_URL and BLOOMCHATS_BASE_URL
// point it at a sandbox. Put it into a package as Sources/<name>/main.swift; tests/install/swift shows the manifest.

import BloomChats

let person = "+15551234567"

let contacts = try await BloomChats().contacts.list().all()
print("BloomChats: \(contacts.count) contacts")

let blooio = try Blooio()
let sent = try await blooio.v2.messages.send(to: person, text: "Hello")
let final = try await blooio.v2.messages.wait(sent, in: person, until: "delivered", timeout: .seconds(30))
print("Blooio v2: \(sent.messageIDs) is \(final.status ?? "unknown")")

try await blooio.v4.messages.send(to: person, text: "Hello", dryRun: true)
let routed = try await blooio.v4.messages.send(to: person, text: "Hello")
print("Blooio v4: a dry run, then \(routed.messageIDs)")

do {
    _ = try await blooio.v2.messages.get("no-such-message", in: person)
    print("there is a message by that id after all")
} catch BloomChatsError.Kind.notFound {
    print("as expected: not found")
}
