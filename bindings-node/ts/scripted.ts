/** Scripted clients: answers come from a transcript, time is virtual, no socket is opened. */

import { type ClientOptions, misconfigured, scripting } from "./client";
import type { NativeScript } from "./native";

/** One answer of the script, or one fault; used in order, one an attempt. */
export interface Exchange {
  /** HTTP status. */
  status?: number | undefined;
  /** Headers, lower-case names. */
  headers?: Record<string, string> | undefined;
  /** A JSON body. */
  json?: unknown;
  /** A text body. */
  body?: string | undefined;
  /** A body of any bytes, in base64. */
  body_base64?: string | undefined;
  /** A large body. */
  body_repeat?: { text: string; times: number } | undefined;
  /** The connection was never made; broke after the request left; the answer broke off; no answer in time. */
  fault?: "connect" | "reset" | "truncated" | "timeout" | undefined;
  /** Virtual time before the answer, in ms. */
  delay_ms?: number | undefined;
}

/** What a scripted client answers. */
export interface Transcript {
  /** Used in order, one an attempt. */
  exchanges: readonly Exchange[];
  /** Fraction of each backoff cap that a wait takes. Default: 0.5. */
  jitter?: number | undefined;
  /** Wall clock at the start, in epoch ms. */
  now_ms?: number | undefined;
}

/** A request as it would have gone out. */
export interface RecordedRequest {
  method: string;
  url: string;
  headers: Record<string, string>;
  /** The body, where it is text. */
  body?: string;
  /** The body in hex, where it is not. */
  body_base16?: string;
}

/** What a scripted client did so far. */
export interface Recording {
  /** Every request, in order. */
  readonly requests: readonly RecordedRequest[];
  /** Every wait, in ms. */
  readonly waitsMs: readonly number[];
  /** Exchanges not used yet. */
  readonly left: number;
}

/**
 * A client of `type` whose answers come from `transcript`, or from a list of its exchanges.
 *
 * ```ts
 * const client = scripted(Blooio, [{ status: 202, json: { message_id: "m1", status: "queued" } }]);
 * await client.v2.messages.send("+15551234567", { text: "Hello" });
 * client.requests[0]?.url;
 * ```
 *
 * `type` may be a class of yours whose constructor opens one client.
 *
 * @throws ConfigError when a setting is wrong, the transcript cannot be read, or `type` opens no client or several: what has no
 * transcript would reach the service.
 */
export function scripted<C extends object>(type: new (options?: ClientOptions) => C, transcript: Transcript | readonly Exchange[] | string, options: ClientOptions = {}): C & Recording {
  if (typeof type !== "function") throw misconfigured("what is scripted is a class, as Blooio");
  if (!transcript) throw misconfigured("the transcript is an object, as { exchanges }, or a list of exchanges");
  const scripts: NativeScript[] = [];
  const json = typeof transcript === "string" ? transcript : JSON.stringify(Array.isArray(transcript) ? { exchanges: transcript } : transcript);
  const client = construct(type, options, { json, opened: (script) => scripts.push(script) });
  const [script, another] = scripts;
  if (script === undefined) throw misconfigured("this class opens no client of this copy of @bloomchats/sdk; is it loaded twice?");
  if (another !== undefined) throw misconfigured("this class opens several clients; a transcript is for one");
  const read = <T>(name: string): T => (JSON.parse(script.read()) as Record<string, T>)[name] as T;
  return Object.defineProperties(client, {
    requests: { get: () => read("requests") },
    waitsMs: { get: () => read("waits_ms") },
    left: { get: () => read("left") },
  }) as C & Recording;
}

function construct<C>(type: new (options?: ClientOptions) => C, options: ClientOptions, transcript: NonNullable<typeof scripting.next>): C {
  const before = scripting.next;
  scripting.next = transcript;
  try {
    return new type(options);
  } finally {
    scripting.next = before;
  }
}
