import { AbortError, APIPromise, Blooio, BloomChats, type CallEvent, type ClientOptions, NotFoundError, type SentMessage, type Upload, type WebhookEvent, raw, type v2, type v4, webhooks } from "@bloomchats/sdk";
import { type Exchange, type Fault, type Transcript, scripted } from "@bloomchats/sdk/testing";

const slow = ({ scope, durationMs, attributes }: CallEvent): boolean => scope === "call" && durationMs > 1000 && attributes["error.type"] !== "cancelled";
const options: ClientOptions = { timeout: 10_000, observer: (event) => void slow(event), apiKey: async () => process.env["BLOOIO_API_KEY"] ?? "" };
const blooio = new Blooio(options);

const call: APIPromise<v2.SendMessageResponse> = blooio.v2.messages.send("+15551234567", { text: "Hello from TypeScript", effect: "confetti" }, { signal: AbortSignal.timeout(10_000) });
const { value, status, requestId } = await call.withResponse();
const id: string | null | undefined = value.message_id;
if (!id || status < 200) throw new Error(`no message id (${requestId})`);

// A known value completes, an unknown one is accepted.
const params: v2.MessagesSendParams = { text: ["one", "two"], effect: "some-day", replyTo: { message_id: id }, fromNumber: undefined, linkPreview: null };
// @ts-expect-error arguments are camelCase
const wrong: v2.MessagesSendParams = { reply_to: { message_id: id } };
// @ts-expect-error a recipient is needed
void (() => blooio.v4.messages.send());
// What may be undefined is passed on as it is.
const unknown: { filename?: string; status?: number; id?: string } = {};
const upload: Upload = { content: new Uint8Array(1), filename: unknown.filename, contentType: unknown.filename };
const fault: Fault = { action: "status", status: unknown.status, code: unknown.id };
const exchange: Exchange = { status: unknown.status, delay_ms: unknown.status };
const transcript: Transcript = { exchanges: [exchange], jitter: unknown.status };
const before: SentMessage = { message_id: unknown.id, message_ids: undefined, id: unknown.id };
void [params, wrong, upload, fault, transcript, before];

const scriptedV4 = scripted(Blooio, { exchanges: [{ status: 201, json: { id: "msg_1", status: "queued" } }, { status: 404, json: { error: "not_found" } }] });
const result: v4.SendResult = await scriptedV4.v4.messages.send("+15551234567", { text: "Hello" });
const ids: string[] = result.message_ids;
if ("data" in result) console.log(result.data.length);
else console.log(ids, result.id, scriptedV4.requests[0]?.method, raw(result));

try {
  await scriptedV4.v4.chats.get("chat_1");
} catch (error) {
  if (error instanceof NotFoundError) console.log(error.status, error.maybeSent);
  else if (error instanceof AbortError) console.log(error.cause);
  else throw error;
}

async function lists(bloomchats: BloomChats): Promise<void> {
  for await (const contact of bloomchats.contacts.list()) console.log(contact["name"]);
  for await (const page of blooio.v2.chats.list({ limit: 10 }).pages()) {
    const chats: v2.Chat[] = page.items;
    console.log(chats.length, page.hasNext);
  }
  const plain: { ok?: boolean } = await blooio.v2.request<{ ok?: boolean }>("GET", "/me", { query: { a: 1 } });
  using brief = new Blooio({ caCerts: new Uint8Array(1) });
  await brief.v2.groups.setIcon("grp_1", new Blob(["x"]));
  const goal: v2.AwaitedStatus = "delivered";
  await blooio.v2.messages.wait("+1", value, { until: goal }, { timeout: 1000 });
  void plain;
}
void lists;

export function handle(event: WebhookEvent): string | undefined {
  switch (event.type) {
    case "message.received":
      return event.version === "v2" ? event.data.message_id : event.data.chat_id;
    case "poll.voted":
      return event.version;
    default:
      return event.raw["anything"] as string | undefined;
  }
}
export const verify = (request: Request): Promise<WebhookEvent> => webhooks.verifyRequest(request, "whsec_1");
console.log("sent", id);
