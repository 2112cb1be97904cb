/** Options of a call, and the promise of its value. */

import { type InspectOptions, inspect } from "node:util";

import type { Completion } from "./bridge";
import { show } from "./show";

/** Settings of one call. What is left out falls back to the client's. */
export interface CallOptions {
  /** Aborts the request itself: its socket closes, its waits end, and the call rejects with `AbortError`. */
  signal?: AbortSignal | undefined;
  /** The whole call, waits included, in ms. Default: the client's, 60 000. */
  timeout?: number | undefined;
  /** One attempt, in ms. Default: the client's, 30 000. */
  attemptTimeout?: number | undefined;
  /** Retries after the first attempt, 0 to 10. Default: the client's, 2. */
  maxRetries?: number | undefined;
  /** Your own idempotency key; a repeated send with the same key sends nothing again. */
  idempotencyKey?: string | undefined;
  /** Headers beside the client's. */
  headers?: Headers | Readonly<Record<string, string | undefined>> | undefined;
  /** Query parameters beside the operation's. */
  query?: Readonly<Record<string, string | number | bigint | boolean | undefined>> | undefined;
  /** Fields of the body beside the operation's: what the service takes and this version does not know. */
  extraBody?: Readonly<Record<string, unknown>> | undefined;
}

type Head = readonly [status: number, headers: [string, string][], requestId: string | null, attempts: number, idempotencyKey: string | null];

/** A value and what the service said around it. */
export class APIResponse<T> {
  readonly #completion: Completion;
  #head: Head | undefined;
  #headers: Headers | undefined;
  /** The value. */
  readonly value: T;

  /** @internal */
  constructor(completion: Completion, value: T) {
    this.#completion = completion;
    this.value = value;
  }

  #read(): Head {
    return (this.#head ??= JSON.parse(this.#completion.head) as Head);
  }

  /** HTTP status of the last attempt. */
  get status(): number {
    return this.#read()[0];
  }

  /** Its headers. */
  get headers(): Headers {
    return (this.#headers ??= new Headers(this.#read()[1]));
  }

  /** The service's id of the request, for its support. */
  get requestId(): string | undefined {
    return this.#read()[2] ?? undefined;
  }

  /** Attempts made. */
  get attempts(): number {
    return this.#read()[3];
  }

  /** The key that last went on the wire. */
  get idempotencyKey(): string | undefined {
    return this.#read()[4] ?? undefined;
  }

  /** Name of the value's type (of one item's, on a page): tells the alternatives of a union apart. Empty for plain JSON. */
  get model(): string {
    return this.#completion.model;
  }

  /** The value as JSON (on a page: the whole body), with every digit of numbers beyond 2^53, which `value` rounds. */
  get json(): string {
    return this.#completion.body;
  }

  /** @internal */
  [inspect.custom](depth: number | null, options: InspectOptions): string {
    const { value, status, requestId, attempts, idempotencyKey } = this;
    return show(this, { value, status, requestId, attempts, idempotencyKey }, depth, options);
  }
}

/** The promise of a call's value. The call has begun; `withResponse()` tells what the service said around the value. */
export class APIPromise<T> extends Promise<T> {
  #completion: Completion | undefined;
  #response: APIResponse<T> | undefined;

  /** @internal */
  constructor(begin: (done: (completion: Completion) => void, failed: (failing: Promise<never>) => void) => void, read: (completion: Completion) => T) {
    let settle!: (value: T | Promise<never>) => void;
    super((resolve) => (settle = resolve));
    begin((completion) => {
      this.#completion = completion;
      try {
        settle(read(completion));
      } catch (error) {
        settle(Promise.reject(error));
      }
    }, settle);
  }

  /** The value together with status, headers, request id, attempts and idempotency key. */
  withResponse(): Promise<APIResponse<T>> {
    return this.then((value) => (this.#response ??= new APIResponse(this.#completion as Completion, value)));
  }
}
// What is derived from it is an ordinary promise; and `await` takes it as it is, where it would wrap any other class of promise.
Object.defineProperty(APIPromise.prototype, "constructor", { value: Promise, configurable: true, writable: true });
