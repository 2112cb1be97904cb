import { Blooio } from "@bloomchats/sdk";

export const sent = await new Blooio().v2.messages.send("+15551234567", { text: "Hello from Vite" });
if (!sent.message_id) throw new Error("no message id");
console.log("sent", sent.message_id);
