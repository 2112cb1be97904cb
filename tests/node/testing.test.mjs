import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";

import { dist, rejection, sdk, testing } from "./support.mjs";

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
  assert.deepEqual(await scripted(BloomChats, [{ status: 200, json: [] }]).contacts.list().all(), []);
});

test("a transcript that cannot be read, and a wrong setting, leave the next client alone", () => {
  assert.throws(() => scripted(Blooio, "{"), ConfigError);
  assert.throws(() => scripted(Blooio, { exchanges: [{ nonsense: 1 }] }), ConfigError);
  assert.throws(() => scripted(Blooio), (error) => error instanceof ConfigError && /transcript/.test(error.message));
  assert.throws(() => scripted(new Blooio({ apiKey: "k" }), []), (error) => error instanceof ConfigError && /a class/.test(error.message));
  assert.throws(() => scripted(Blooio, { exchanges: [] }, { timeout: NaN }), ConfigError);
  assert.throws(() => scripted(class { constructor() { throw new RangeError(); } }, { exchanges: [] }), RangeError);
  real();
});

/** No transcript is left over for it: it would refuse a setting that only a scripted client makes up for. */
function real() {
  assert.equal("requests" in new Blooio({ apiKey: "k" }), false);
  assert.throws(() => new Blooio({ apiKey: "" }), ConfigError);
}

test("a class of another copy of the package, or that opens no client, is refused: it would reach the service", () => {
  const require = createRequire(import.meta.url);
  const ours = Object.keys(require.cache).filter((path) => path.startsWith(dist) && !path.endsWith(".node"));
  const kept = ours.map((path) => [path, require.cache[path]]);
  for (const path of ours) delete require.cache[path];
  const other = require(`${dist}index.js`).Blooio;
  Object.assign(require.cache, Object.fromEntries(kept));
  assert.notEqual(other, Blooio);
  for (const type of [other, class {}]) {
    assert.throws(() => scripted(type, { exchanges: [] }, { apiKey: "k" }), (error) => error instanceof ConfigError && /is it loaded twice/.test(error.message));
    real();
  }
});

test("a class that opens one client is scripted, one that opens more is refused", async () => {
  class Notifier {
    blooio = new Blooio({ apiKey: "k" });
  }
  const one = scripted(Notifier, { exchanges: [{ status: 200, json: {} }] });
  await one.blooio.v2.me.get();
  assert.equal(one.requests.length, 1);
  class Both extends Notifier {
    bloomchats = new BloomChats({ apiKey: "k" });
  }
  assert.throws(() => scripted(Both, { exchanges: [] }), /several clients/);
  real();
});
