import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { runInNewContext } from "node:vm";

import { rejection, sdk } from "./support.mjs";

const { ConfigError, DecodeError, InvalidArgumentError, WebhookVerificationError, webhooks } = sdk;
const SECRET = "whsec_test";
const NOW = 1_790_000_000_000;
const BODY = JSON.stringify({ event: "message.received", message_id: "m1", text: "Grüße 👋", timestamp: NOW });
const HEADER = webhooks.sign(BODY, SECRET, NOW);

const reason = (verify) => {
  try {
    verify();
  } catch (error) {
    assert.ok(error instanceof WebhookVerificationError, inspect(error));
    return error.reason;
  }
  throw new Error("it verified");
};

test("bytes in every form a framework has them in", () => {
  const bytes = Buffer.from(BODY);
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  const foreign = runInNewContext("const bytes = Uint8Array.from(given); [bytes, bytes.buffer]", { given: [...bytes] });
  for (const body of [BODY, bytes, new Uint8Array(bytes), new DataView(buffer), buffer, ...foreign]) {
    const event = webhooks.verify(body, HEADER, SECRET, { now: NOW });
    assert.equal(event.type, "message.received");
    assert.equal(event.version, "v2");
    assert.equal(event.data.text, "Grüße 👋");
  }
});

test("the header in every form a framework has it in", () => {
  const forms = [HEADER, new Headers({ "X-Blooio-Signature": HEADER }), { "x-blooio-signature": HEADER }, { "X-Blooio-Signature": [HEADER] }];
  for (const form of forms) assert.equal(webhooks.verify(BODY, form, [SECRET], { now: new Date(NOW) }).type, "message.received");
  for (const none of [undefined, null, "", {}, new Headers()]) {
    assert.equal(reason(() => webhooks.verify(BODY, none, SECRET, { now: NOW })), "missing_header");
  }
});

test("what is neither headers nor options is refused by name", () => {
  const refused = (call, argument) => assert.throws(call, (error) => error instanceof InvalidArgumentError && error.argument === argument && error.message.startsWith(`${argument}: `));
  for (const header of [5, [["x-blooio-signature", HEADER]], new Map([["x-blooio-signature", HEADER]])]) {
    refused(() => webhooks.verify(BODY, header, SECRET, { now: NOW }), "header");
  }
  for (const options of [300, null, "now"]) refused(() => webhooks.verify(BODY, HEADER, SECRET, options), "options");
  refused(() => webhooks.sign(BODY), "secret");
});

test("the header where the host has no Headers", (t) => {
  const { Headers } = globalThis;
  t.after(() => (globalThis.Headers = Headers));
  delete globalThis.Headers;
  for (const form of [{ "x-blooio-signature": HEADER }, new Headers({ "X-Blooio-Signature": HEADER })]) {
    assert.equal(webhooks.verify(BODY, form, SECRET, { now: NOW }).type, "message.received");
  }
});

test("every reason", () => {
  const verify = (body, header, secrets, now = NOW, rest = {}) => () => webhooks.verify(body, header, secrets, { now, ...rest });
  assert.equal(reason(verify(BODY, "v1=zz", SECRET)), "bad_form");
  assert.equal(reason(verify(BODY, HEADER, "whsec_other")), "wrong_secret");
  assert.equal(reason(verify(`${BODY} `.replace("m1", "m2"), HEADER, SECRET)), "wrong_secret");
  assert.equal(reason(verify(BODY, HEADER, SECRET, NOW + 301_000)), "stale");
  assert.equal(reason(verify(BODY, HEADER, SECRET, NOW - 301_000)), "future");
  assert.equal(reason(verify(BODY, HEADER, SECRET, NOW + 11_000, { tolerance: 10_000 })), "stale");
  assert.equal(reason(verify(JSON.stringify(JSON.parse(BODY), null, 2), HEADER, SECRET)), "parsed_body");
  for (const parsed of [JSON.parse(BODY), null, undefined, [1]]) assert.equal(reason(verify(parsed, HEADER, SECRET)), "parsed_body");
  assert.equal(webhooks.verify(BODY, HEADER, ["whsec_old", SECRET], { now: NOW }).type, "message.received");
});

test("wrong use", () => {
  assert.throws(() => webhooks.verify(BODY, HEADER, [], { now: NOW }), ConfigError);
  assert.throws(() => webhooks.verify(BODY, HEADER, "", { now: NOW }), ConfigError);
  assert.throws(() => webhooks.verify(BODY, HEADER, SECRET, { now: NaN }), InvalidArgumentError);
  assert.throws(() => webhooks.verify(BODY, HEADER, SECRET, { tolerance: -1 }), InvalidArgumentError);
  for (const secrets of [[SECRET, undefined], 5, {}, null, undefined, Symbol("x")]) assert.throws(() => webhooks.verify(BODY, HEADER, secrets, { now: NOW }), ConfigError);
  for (const value of [5, {}, true]) assert.throws(() => webhooks.verify(BODY, { "x-blooio-signature": value }, SECRET), InvalidArgumentError);
  for (const value of [null, undefined]) assert.equal(reason(() => webhooks.verify(BODY, { "x-blooio-signature": value }, SECRET)), "missing_header");
  assert.throws(() => webhooks.parse("[]"), DecodeError);
});

test("a Fetch Request, and nothing else", async () => {
  for (const other of [undefined, { headers: {}, method: "POST" }]) assert.ok(await rejection(webhooks.verifyRequest(other, SECRET)) instanceof InvalidArgumentError);
  const request = () => new Request("http://localhost/hook", { method: "POST", body: BODY, headers: { "x-blooio-signature": HEADER } });
  assert.equal((await webhooks.verifyRequest(request(), SECRET, { now: NOW })).data.message_id, "m1");
  const used = request();
  await used.json();
  assert.equal((await rejection(webhooks.verifyRequest(used, SECRET, { now: NOW }))).reason, "parsed_body");
});

test("a v4 envelope, and a type this version does not know", () => {
  const event = webhooks.parse(JSON.stringify({ id: "evt_1", type: "message.delivered", data: { message_id: "m1", status: "delivered" } }));
  assert.deepEqual([event.version, event.type, event.id], ["v4", "message.delivered", "evt_1"]);
  const unknown = webhooks.parse(JSON.stringify({ event: "comet.seen", tail: "long" }));
  assert.equal(unknown.type, "comet.seen");
  assert.equal(unknown.data.tail, "long");
});
