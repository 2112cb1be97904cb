// An evening at a restaurant that answers its guests by message, told against the sandbox: nobody is messaged.
//
//   npm install @bloomchats/sdk @bloomchats/sandbox && node story.mjs

import assert from "node:assert/strict";

import { APIConnectionError, webhooks } from "@bloomchats/sdk";
import { startSandbox } from "@bloomchats/sdk/testing";

const ANNA = "+15551234567";
const BEN = "+15557654321";
const NOBODY = "+15005550001"; // one of the sandbox's recipients with a fate: sent, then failed

const sandbox = await startSandbox();
const { v2, v4 } = sandbox.blooio();
const anna = sandbox.phone(ANNA);
const ben = sandbox.phone(BEN);

// A new guest is welcomed.
await v2.contacts.create(ANNA, { name: "Anna" });
const welcome = await v2.messages.send(ANNA, { text: "Welcome, Anna!", effect: "confetti" });
assert.equal((await v2.messages.wait(ANNA, welcome, { until: "delivered" }, { timeout: 30_000 })).status, "delivered");

// She answers, and we read it.
await anna.write("A table for two at eight?");
const [question] = await v2.messages.list(ANNA, { direction: "inbound" }).all();
assert.equal(question?.text, "A table for two at eight?");
await v2.chats.markRead(ANNA);

// The answer to a send gets lost: the client repeats it under the same key, and Anna has it once.
await sandbox.faults.add("drop_answer");
await v2.messages.send(ANNA, { text: "Booked for eight." });

// Without a retry left, the error says what to resume with.
await sandbox.faults.add("drop_answer");
try {
  await v2.messages.send(ANNA, { text: "See you tonight." }, { maxRetries: 0 });
  assert.fail("the answer was lost");
} catch (error) {
  if (!(error instanceof APIConnectionError)) throw error;
  assert.ok(error.maybeSent);
  await v2.messages.send(ANNA, { text: "See you tonight." }, { idempotencyKey: error.idempotencyKey });
}

// Some messages cannot be delivered, whoever sends them.
const lost = await v2.messages.send(NOBODY, { text: "Your table is ready." });
assert.equal((await v2.messages.wait(NOBODY, lost, {}, { timeout: 30_000 })).status, "failed");

// Friends come along: a group, and a poll in it.
const { group_id: group } = await v2.groups.create("Friday", { members: [ANNA, BEN] });
assert.ok(group);
await v2.messages.send(group, { text: "The kitchen asks:" });
const { poll_id: poll } = await v2.polls.send(group, ["Cake", "Fruit"], { title: "Dessert?" });
assert.ok(poll);
await anna.vote("Cake", { group });
await ben.vote("Cake", { group });
assert.equal((await v2.polls.getResults(group, poll)).total_votes, 2);

// Our webhook is down while Ben writes. Six attempts in a quarter of an hour, which takes no time here.
const receiver = await sandbox.receiver({ status: 503 });
const hook = await v4.webhooks.create(receiver.url, { eventTypes: ["message.received"] });
assert.ok(hook.id && hook.signing_secret);
await ben.write("We are running late", { group });
await sandbox.clock.advance(16 * 60_000);
const [missed] = await sandbox.deliveries();
assert.ok(missed?.state === "failed" && missed.attempts.length === 6);

// It is back: the delivery is asked for again, and its signature holds.
await receiver.answer(200);
await v4.webhooks.replayDelivery(hook.id, missed.id);
await sandbox.clock.advance(1000);
const arrived = (await receiver.received()).at(-1);
assert.ok(arrived);
const event = webhooks.verify(arrived.body, arrived.headers, hook.signing_secret, { now: await sandbox.clock.now() });
assert.equal(event.type, "message.received");

const inbox = await anna.inbox();
assert.deepEqual(inbox.map((message) => message.text), ["Welcome, Anna!", "Booked for eight.", "See you tonight.", "The kitchen asks:", "Dessert?"]);
assert.equal(inbox[0]?.effect, "confetti");
assert.deepEqual((await ben.inbox()).map((message) => message.type), ["text", "poll"]);
assert.deepEqual(await sandbox.phone(NOBODY).inbox(), []);

await sandbox.close();
console.log("The story came to its end: everybody has what was meant for them, once.");
