import { Blooio, NotFoundError } from "@bloomchats/sdk";
import { scripted } from "@bloomchats/sdk/testing";

const sent = await new Blooio().v2.messages.send("+15551234567", { text: "Hello from ESM" });
if (!sent.message_id) throw new Error("no message id");
const client = scripted(Blooio, { exchanges: [{ status: 404, json: { error: "not_found", message: "no" } }] });
const error = await client.v2.chats.get("+15551234567").catch((error) => error);
if (!(error instanceof NotFoundError)) throw error;
console.log("sent", sent.message_id);
