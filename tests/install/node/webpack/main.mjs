import { Blooio, NotFoundError } from "@bloomchats/sdk";

const blooio = new Blooio();
blooio.v2.messages.send("+15551234567", { text: "Hello from webpack" }).then((sent) => {
  if (!sent.message_id || NotFoundError.prototype.name !== "NotFoundError") throw new Error("wrong");
  console.log("sent", sent.message_id);
});
