import assert from "node:assert/strict";
import { test } from "node:test";

import { rejection, sdk, testing } from "./support.mjs";

const { Blooio, BloomChats, ConfigError } = sdk;
const { scripted } = testing;

test("answers come from the transcript, time is virtual, requests and waits are read back", async () => {
  const client = scripted(Blooio, { exchanges: [{ status: 503, headers: { "retry-after": "7" } }, { status: 202, json: { message_id: "m1", status: "queued" } }] });
  const start = performance.now();
  await client.v2.messages.send("+15551234567", { text: "Hello" });
  assert.ok(performance.now() - start < 2000);
  assert.deepEqual(client.waitsMs, [7000]);
  assert.equal(client.left, 0);
  const [first, second] = client.requests;
  assert.deepEqual(first, second);
  assert.ok(client instanceof Blooio);
});

test("BloomChats too, and several at once", async () => {
  const one = scripted(BloomChats, { exchanges: [{ status: 200, json: [{ id: 1 }] }] });
  const two = scripted(BloomChats, '{"exchanges": []}');
  assert.deepEqual(await one.contacts.list().all(), [{ id: 1 }]);
  assert.equal(one.requests.length, 1);
  assert.equal(two.requests.length, 0);
  assert.match((await rejection(two.contacts.list().all())).message, /exhausted/);
});

test("a transcript that cannot be read, and a wrong setting, leave the next client alone", () => {
  assert.throws(() => scripted(Blooio, "{"), ConfigError);
  assert.throws(() => scripted(Blooio, { exchanges: [{ nonsense: 1 }] }), ConfigError);
  assert.throws(() => scripted(Blooio, { exchanges: [] }, { timeout: NaN }), ConfigError);
  assert.equal("requests" in new Blooio({ apiKey: "k" }), false);
});
