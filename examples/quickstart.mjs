// The main job in Node. Keys come from BLOOIO_API_KEY and BLOOMCHATS_API_KEY; BLOOIO_BASE_URL and BLOOMCHATS_BASE_URL
// point it at a sandbox.
//
//   npm install @bloomchats/sdk && node quickstart.mjs

import { BloomChats, Blooio, NotFoundError } from "@bloomchats/sdk";

const PERSON = "+15551234567";

const contacts = await new BloomChats().contacts.list().all();
console.log(`BloomChats: ${contacts.length} contacts`);

const blooio = new Blooio();
const sent = await blooio.v2.messages.send(PERSON, { text: "Hello" });
const final = await blooio.v2.messages.wait(PERSON, sent, { until: "delivered" }, { timeout: 30_000 });
console.log(`Blooio v2: ${sent.message_ids} is ${final.status}`);

const preview = await blooio.v4.messages.send(PERSON, { text: "Hello", dryRun: true });
const routed = await blooio.v4.messages.send(PERSON, { text: "Hello" });
console.log(`Blooio v4: dry run ${preview.would_send ? "would send" : "would not send"}, then ${routed.message_ids} was sent`);

try {
  await blooio.v2.messages.get(PERSON, "no-such-message");
} catch (error) {
  if (!(error instanceof NotFoundError)) throw error;
  console.log(`as expected: ${error.name} (${error.status}): ${error.message}`);
}
