/** What every API has beside its resources. */

import type { APIPromise, CallOptions } from "./call";
import { type Core, Resource } from "./client";
import { conceal } from "./show";

/** An HTTP method. */
export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** What `request` sends. */
export interface RequestParams {
  /** Query parameters. */
  query?: Readonly<Record<string, string | number | bigint | boolean | undefined>> | undefined;
  /** Anything JSON can express; `null` sends null. */
  body?: unknown;
}

/** An API with its resources. */
export class Api extends Resource {
  private declare readonly called: string;

  /** @internal */
  constructor(core: Core, called: string) {
    super(core);
    conceal(this, "called", called);
  }

  /**
   * Calls any path below the API's prefix and gives plain JSON, with the credentials, checks, retries and errors of every other call.
   *
   * @param path relative to the API's prefix, as `/contacts`.
   */
  request<T = unknown>(method: Method, path: string, params?: RequestParams, options?: CallOptions): APIPromise<T> {
    return this.core.call<T>(`${this.called}.request`, { method, path }, params, options, { shapes: () => ({}) });
  }
}
