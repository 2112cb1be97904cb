const { Blooio, NotFoundError } = require("@bloomchats/sdk");
const { scripted } = require("@bloomchats/sdk/testing");

async function main() {
  const sent = await new Blooio().v2.messages.send("+15551234567", { text: "Hello from CommonJS" });
  if (!sent.message_id) throw new Error("no message id");
  const client = scripted(Blooio, { exchanges: [{ status: 404, json: { error: "not_found", message: "no" } }] });
  const error = await client.v2.chats.get("+15551234567").catch((error) => error);
  const { NotFoundError: imported } = await import("@bloomchats/sdk");
  if (!(error instanceof NotFoundError && error instanceof imported)) throw error;
  console.log("sent", sent.message_id);
}

main();
