/// <reference lib="esnext.disposable" preserve="true" />
/**
 * Clients for BloomChats (Instagram DM automation) and Blooio v2 and v4 (iMessage and more) that never send a message twice.
 *
 * ```ts
 * import { Blooio } from "@bloomchats/sdk";
 *
 * const blooio = new Blooio(); // BLOOIO_API_KEY
 * const sent = await blooio.v2.messages.send("+15551234567", { text: "Hello" });
 * ```
 *
 * Arguments are camelCase; models keep the names of the wire. `undefined` is left out, `null` is null.
 */

import { type InspectOptions, inspect } from "node:util";

import { type ClientOptions, Core } from "./client";
import { toError } from "./error";
import { BlooioV2Api } from "./generated/blooio_v2/resources";
import { BlooioV4Api } from "./generated/blooio_v4/resources";
import { BloomChatsApi } from "./generated/bloomchats/resources";
import { native } from "./native";
import { conceal, showBriefly } from "./show";

/** Blooio: iMessage, SMS, RCS and more. */
export class Blooio {
  /** The stable API. */
  readonly v2: BlooioV2Api;
  /** The beta API: many channels behind one set of calls. */
  readonly v4: BlooioV4Api;
  private declare readonly core: Core;

  /** @throws ConfigError when a setting or the key (`BLOOIO_API_KEY`) is missing or malformed. */
  constructor(options: ClientOptions = {}) {
    conceal(this, "core", new Core("blooio", options));
    this.v2 = new BlooioV2Api(this.core);
    this.v4 = new BlooioV4Api(this.core);
  }

  /** Lets go of the connections. Calls under way come to their end; later ones raise `ConfigError`. */
  close(): void {
    this.core.close();
  }

  /** As `close`, for `using`. */
  [Symbol.dispose](): void {
    this.core.close();
  }

  /** @internal */
  [inspect.custom](depth: number | null, options: InspectOptions): string {
    return showBriefly(this, depth, options);
  }
}

/** BloomChats: Instagram DM automation. */
export class BloomChats extends BloomChatsApi {
  /** @throws ConfigError when a setting or the key (`BLOOMCHATS_API_KEY`) is missing or malformed. */
  constructor(options: ClientOptions = {}) {
    super(new Core("bloomchats", options));
  }

  /** Lets go of the connections. Calls under way come to their end; later ones raise `ConfigError`. */
  close(): void {
    this.core.close();
  }

  /** As `close`, for `using`. */
  [Symbol.dispose](): void {
    this.core.close();
  }
}

/** A fresh idempotency key: a version 4 UUID from the operating system. */
export function newIdempotencyKey(): string {
  const key = native.newIdempotencyKey();
  if (key.startsWith("{")) throw toError(key);
  return key;
}

export type { Method, RequestParams } from "./api";
export type { Provider } from "./bridge";
export { APIPromise, APIResponse, type CallOptions } from "./call";
export type { ClientOptions, Plan } from "./client";
export { AbortError, BloomChatsError } from "./error";
export type * as bloomchats from "./generated/bloomchats/models";
export type * as v2 from "./generated/blooio_v2/models";
export type * as v4 from "./generated/blooio_v4/models";
export * from "./generated/errors";
export type * from "./generated/events";
export type { CallEvent, Observer } from "./observe";
export { List, Page } from "./page";
export { raw } from "./shape";
export { toDate } from "./time";
export type { SentMessage, UnknownEvent, UnknownEventType, Unrecognized } from "./types";
export type { Upload } from "./upload";
export { version } from "./version";
export * as webhooks from "./webhooks";
