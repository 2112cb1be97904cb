// The imaginary operation from TypeScript: callable and typed (tsc --strict compiles this file).

import assert from "node:assert/strict";

import { Blooio } from "@bloomchats/sdk";
import { scripted } from "@bloomchats/sdk/testing";

async function main(): Promise<void> {
  const client = scripted(Blooio, { exchanges: [{ status: 200, json: { success: true } }] });
  const done = await client.v2.chats.archive("+15551234567", { reason: "quiet" });
  const success: boolean | null | undefined = done.success;
  assert.equal(success, true);
  assert.equal(client.requests[0]?.url, "https://backend.blooio.com/v2/api/chats/%2B15551234567/archive");
  assert.equal(client.requests[0]?.body, '{"reason":"quiet"}');
  console.log("node: archive is there");
}

void main();
