/** Scripted clients: answers come from a transcript, time is virtual, no socket is opened. */

import { type ClientOptions, scripting } from "./client";
import type { NativeScript } from "./native";

/** One answer of the script, or one fault; used in order, one an attempt. */
export interface Exchange {
  /** HTTP status. */
  status?: number;
  /** Headers, lower-case names. */
  headers?: Record<string, string>;
  /** A JSON body. */
  json?: unknown;
  /** A text body. */
  body?: string;
  /** A body of any bytes, in base64. */
  body_base64?: string;
  /** A large body. */
  body_repeat?: { text: string; times: number };
  /** The connection was never made; broke after the request left; the answer broke off; no answer in time. */
  fault?: "connect" | "reset" | "truncated" | "timeout";
  /** Virtual time before the answer, in ms. */
  delay_ms?: number;
}

/** What a scripted client answers. */
export interface Transcript {
  /** Used in order, one an attempt. */
  exchanges: readonly Exchange[];
  /** Fraction of each backoff cap that a wait takes. Default: 0.5. */
  jitter?: number;
  /** Wall clock at the start, in epoch ms. */
  now_ms?: number;
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
 * A client of `type` whose answers come from `transcript`.
 *
 * ```ts
 * const client = scripted(Blooio, { exchanges: [{ status: 202, json: { message_id: "m1", status: "queued" } }] });
 * await client.v2.messages.send("+15551234567", { text: "Hello" });
 * client.requests[0]?.url;
 * ```
 *
 * @throws ConfigError when a setting is wrong or the transcript cannot be read.
 */
export function scripted<C extends object>(type: new (options?: ClientOptions) => C, transcript: Transcript | string, options: ClientOptions = {}): C & Recording {
  let script: NativeScript | undefined;
  scripting.next = { json: typeof transcript === "string" ? transcript : JSON.stringify(transcript), opened: (opened) => (script = opened) };
  const client = construct(type, options);
  const read = <T>(name: string): T => (JSON.parse(script?.read() ?? "{}") as Record<string, T>)[name] as T;
  return Object.defineProperties(client, {
    requests: { get: () => read("requests") },
    waitsMs: { get: () => read("waits_ms") },
    left: { get: () => read("left") },
  }) as C & Recording;
}

function construct<C>(type: new (options?: ClientOptions) => C, options: ClientOptions): C {
  try {
    return new type(options);
  } finally {
    scripting.next = undefined;
  }
}
