/** Options of a call, and the promise of its value. */

import type { NativeCompletion } from "./native";

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
  readonly #completion: NativeCompletion;
  #head: Head | undefined;
  #headers: Headers | undefined;
  /** The value. */
  readonly value: T;

  /** @internal */
  constructor(completion: NativeCompletion, read: (json: unknown) => T) {
    this.#completion = completion;
    this.value = read(JSON.parse(this.json));
  }

  #read(): Head {
    return (this.#head ??= JSON.parse(this.#completion.head ?? "[]") as Head);
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
    return this.#completion.model ?? "";
  }

  /** The value as JSON (on a page: the whole body), with every digit of numbers beyond 2^53, which `value` rounds. */
  get json(): string {
    return this.#completion.body ?? "null";
  }
}

/** The promise of a call's value. The call has begun; `withResponse()` tells what the service said around the value. */
export class APIPromise<T> extends Promise<T> {
  readonly #response: Promise<APIResponse<T>>;

  /** @internal */
  constructor(response: Promise<APIResponse<T>>) {
    // The promise this object is by birth is never looked at: every reaction goes through `then`.
    super((resolve) => resolve(undefined as T));
    this.#response = response;
  }

  /** The value together with status, headers, request id, attempts and idempotency key. */
  withResponse(): Promise<APIResponse<T>> {
    return this.#response;
  }

  override then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    // Not by way of a promise of the value: every `await` comes through here.
    return this.#response.then((response) => (typeof onFulfilled === "function" ? onFulfilled(response.value) : (response.value as unknown as A)), onRejected);
  }

  override catch<B = never>(onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<T | B> {
    return this.then(undefined, onRejected);
  }

  override finally(onFinally?: (() => void) | null): Promise<T> {
    return this.#response.then((response) => response.value).finally(onFinally);
  }

  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }
}
