// An evening at a restaurant that answers its guests by message, told against the sandbox: nobody is messaged. It wants
// the `bloomchats` command on PATH. Put it into a package as Sources/<name>/main.swift; tests/install/swift shows the
// manifest.

import BloomChats
import BloomChatsTesting
import Foundation

let anna = "+15551234567"
let ben = "+15557654321"
let nobody = "+15005550001"  // one of the sandbox's recipients with a fate: sent, then failed

let sandbox = try await Sandbox()
let blooio = try sandbox.blooio()
let (annasPhone, bensPhone) = (sandbox.phone(anna), sandbox.phone(ben))

// A new guest is welcomed.
_ = try await blooio.v2.contacts.create(identifier: anna, name: "Anna")
let welcome = try await blooio.v2.messages.send(to: anna, text: "Welcome, Anna!", effect: "confetti")
let status = try await blooio.v2.messages.wait(welcome, in: anna, until: "delivered", timeout: .seconds(30)).status
precondition(status == .delivered)

// She answers, and we read it.
try await annasPhone.write("A table for two at eight?")
let received = try await blooio.v2.messages.list(in: anna, direction: "inbound").all()
precondition(received.map(\.text) == ["A table for two at eight?"])
_ = try await blooio.v2.chats.markRead(anna)

// The answer to a send gets lost: the client repeats it under the same key, and Anna has it once.
try await sandbox.faults.add("drop_answer")
try await blooio.v2.messages.send(to: anna, text: "Booked for eight.")

// Without a retry left, the error says what to resume with.
try await sandbox.faults.add("drop_answer")
do {
    try await blooio.v2.messages.send(to: anna, text: "See you tonight.", options: CallOptions(maxRetries: 0))
    preconditionFailure("the answer was lost")
} catch let error as BloomChatsError where error.maybeSent {
    let resumed = CallOptions(idempotencyKey: error.idempotencyKey)
    try await blooio.v2.messages.send(to: anna, text: "See you tonight.", options: resumed)
}

// Some messages cannot be delivered, whoever sends them.
let lost = try await blooio.v2.messages.send(to: nobody, text: "Your table is ready.")
let fate = try await blooio.v2.messages.wait(lost, in: nobody, timeout: .seconds(30)).status
precondition(fate == .failed)

// Friends come along: a group, and a poll in it.
guard let group = try await blooio.v2.groups.create(name: "Friday", members: [anna, ben]).groupID else { fatalError() }
try await blooio.v2.messages.send(to: group, text: "The kitchen asks:")
let asked = try await blooio.v2.polls.send(to: group, choices: ["Cake", "Fruit"], title: "Dessert?")
guard let poll = asked.pollID else { fatalError() }
try await annasPhone.vote("Cake", group: group)
try await bensPhone.vote("Cake", group: group)
let votes = try await blooio.v2.polls.getResults(poll, in: group).totalVotes
precondition(votes == 2)

// Our webhook is down while Ben writes. Six attempts in a quarter of an hour, which takes no time here.
let receiver = try await sandbox.receiver(status: 503)
let hook = try await blooio.v4.webhooks.create(url: receiver.url, eventTypes: ["message.received"])
guard let id = hook.id, let secret = hook.signingSecret else { fatalError() }
try await bensPhone.write("We are running late", group: group)
try await sandbox.clock.advance(by: .seconds(16 * 60))
let missed = try await sandbox.deliveries[0]
precondition(missed.state == "failed" && missed.attempts.count == 6)

// It is back: the delivery is asked for again, and its signature holds.
try await receiver.answer(200)
_ = try await blooio.v4.webhooks.replayDelivery(id, delivery: missed.id)
try await sandbox.clock.advance(by: .seconds(1))
guard let arrived = try await receiver.received.last else { fatalError() }
let event = try Webhooks.verify(
    arrived.body, header: arrived.signature, secrets: [secret], now: try await sandbox.clock.now)
precondition(event.type == "message.received")

let inbox = try await annasPhone.inbox
precondition(
    inbox.map(\.text) == ["Welcome, Anna!", "Booked for eight.", "See you tonight.", "The kitchen asks:", "Dessert?"])
precondition(inbox[0].effect == "confetti")
let types = try await bensPhone.inbox.map(\.type)
precondition(types == ["text", "poll"])
let nothing = try await sandbox.phone(nobody).inbox
precondition(nothing.isEmpty)

await sandbox.close()
print("The story came to its end: everybody has what was meant for them, once.")
