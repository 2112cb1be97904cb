/** Opening clients, and the one way every operation takes. */

import { AsyncResource } from "node:async_hooks";
import { type InspectOptions, inspect, types } from "node:util";

import { type Caller, type Completion, type Provider, bridge, follow } from "./bridge";
import { APIPromise, type CallOptions } from "./call";
import { type Field, encode, encodeFields, isIterable } from "./encode";
import { AbortError, BloomChatsError, failing, refusal, toError } from "./error";
import { ConfigError, InvalidArgumentError } from "./generated/errors";
import type { NativeClient, NativePage, NativeScript, NativeUpload } from "./native";
import { snake } from "./names";
import { type Observer, Watchers } from "./observe";
import { List } from "./page";
import { bytesOf, isHeaders } from "./realm";
import { type Shapes, list, model } from "./shape";
import { conceal, showBriefly } from "./show";
import { toUpload } from "./upload";

/** How a client is set up. Durations are in ms. */
export interface ClientOptions {
  /**
   * The API key, or a function that supplies it before each call and once more after a 401, in the async context
   * (`AsyncLocalStorage`) of that call. Default: the environment's `BLOOIO_API_KEY` or `BLOOMCHATS_API_KEY`.
   */
  apiKey?: string | Provider | undefined;
  /** Origin (and path prefix) instead of the service's own. Default: `BLOOIO_BASE_URL` or `BLOOMCHATS_BASE_URL`, if set. */
  baseUrl?: string | undefined;
  /** Sent as `X-Organization-Id`, for OAuth tokens that span several organizations. */
  organizationId?: string | undefined;
  /** A whole call, waits included, in ms. Default: 60 000. */
  timeout?: number | undefined;
  /** One attempt, in ms. Default: 30 000. */
  attemptTimeout?: number | undefined;
  /** Making a connection, in ms. Default: 10 000. */
  connectTimeout?: number | undefined;
  /** Retries after the first attempt, 0 to 10. Default: 2. */
  maxRetries?: number | undefined;
  /** Appended to `User-Agent`. */
  userAgent?: string | undefined;
  /** PEM certificates that replace every trust root, as text or as a file's content. */
  caCerts?: string | Uint8Array | undefined;
  /** A proxy for every request instead of the environment's; the empty string means none. */
  proxy?: string | undefined;
  /** Permits `http://` beyond loopback. */
  allowHttp?: boolean | undefined;
  /** Form of v4 sends: `content`, `flat`, or `auto`, which finds out. Default: `auto`. */
  v4SendBody?: "auto" | "content" | "flat" | undefined;
  /**
   * Limits to keep to, shared with the process' other clients of the same key. Without one, only the service's own
   * answers slow a client down.
   */
  plan?: "pro" | "growth" | "business" | Plan | undefined;
  /**
   * Is told of every attempt and every call when it is over, in order and before the call's promise settles. One that throws, or
   * returns a promise that rejects, disturbs no call: it causes one process warning a client (`BLOOMCHATS_OBSERVER`).
   *
   * Apart from it, an application that has registered an OpenTelemetry tracer gets its spans: one a call, with one below it an attempt.
   */
  observer?: Observer | undefined;
}

/** Limits in numbers. */
export interface Plan {
  /** Requests in any 60 s. */
  perMinute?: number | undefined;
  /** Requests in a UTC day. */
  perDay?: number | undefined;
}

/** A scripted client's side of the world. */
export interface Transcript { json: string; opened(script: NativeScript): unknown }

/** Set by `@bloomchats/sdk/testing` around a constructor: constructors have no argument for it, since no program has a use for it. @internal */
export const scripting: { next: Transcript | undefined } = { next: undefined };

/** What a resource knows of an operation: shapes of its API, arguments that are files, the model of a list's items. @internal */
export interface Form { readonly shapes: () => Shapes; readonly files?: readonly string[]; readonly item?: string }

type Arguments = Readonly<Record<string, unknown>>;

/** An open client, as its resources see it. Its fields are no `#` ones: those would keep it from working behind a proxy. @internal */
export class Core {
  private client: NativeClient | undefined;
  private readonly provider: Provider | undefined;
  private readonly watchers: Watchers;

  constructor(product: "blooio" | "bloomchats", options: ClientOptions) {
    if (typeof options !== "object" || options === null) throw misconfigured("the settings of a client are an object, as { apiKey }");
    const { apiKey, caCerts, plan, observer, ...settings } = options;
    const provider = typeof apiKey === "function" ? apiKey : undefined;
    if (!["string", "function", "undefined"].includes(typeof apiKey)) throw misconfigured("apiKey: expected a string, or a function that returns one");
    if (!["function", "undefined"].includes(typeof observer)) throw misconfigured("observer: expected a function");
    this.watchers = new Watchers(observer);
    this.provider = provider;
    const variable = product.toUpperCase();
    // A worker has an environment of its own, which only JavaScript sees.
    const given: Record<string, unknown> = {
      product,
      language: "node",
      api_key: provider ? undefined : apiKey ?? (process.env[`${variable}_API_KEY`] || undefined),
      base_url: process.env[`${variable}_BASE_URL`] || undefined,
      ca_certs: textOf(caCerts),
      plan: typeof plan === "object" && plan !== null ? Object.fromEntries(Object.entries(plan).map(([name, limit]) => [snake(name), limit])) : plan,
    };
    for (const [name, value] of Object.entries(settings)) {
      if (!Object.hasOwn(SETTINGS, name)) throw misconfigured(`unknown setting \`${name}\`${nearly(name, { apiKey, caCerts, ...SETTINGS }, "; it is ")}`);
      if (value !== undefined) set(given, SETTINGS[name as keyof typeof SETTINGS], value, () => misconfigured(`${name}: expected milliseconds, 0 or more`));
    }
    this.client = this.open(encodeConfig(given), provider !== undefined);
  }

  private open(config: string, provider: boolean): NativeClient {
    const script = scripting.next;
    const opened = script ? bridge.openScripted(config, provider, script.json) : bridge.open(config, provider);
    if (typeof opened === "string") throw toError(opened);
    if (!script) return opened as NativeClient;
    const scripted = opened as Exclude<ReturnType<typeof bridge.openScripted>, string>;
    script.opened(scripted.script);
    return scripted.client;
  }

  /** Lets go of the connections. Calls under way come to their end; new ones are refused. */
  close(): void {
    this.client = undefined;
  }

  /** An operation with one answer. */
  call<T>(operation: string, given: Arguments, params: object | undefined, options: CallOptions | undefined, form: Form): APIPromise<T> {
    return new APIPromise<T>(
      (done, failed) => this.begin(operation, given, params, options, form.files, done, failed),
      (completion) => read<T>(completion, form),
    );
  }

  /** An operation with pages of answers. */
  list<T>(operation: string, given: Arguments, params: object | undefined, options: CallOptions | undefined, form: Form): List<T> {
    const fetch = (next: NativePage | undefined): Promise<Completion> =>
      new Promise((resolve) => {
        if (next === undefined) return this.begin(operation, given, params, options, undefined, resolve, resolve);
        const signal = options?.signal;
        if (signal?.aborted) return resolve(failing(operation, () => new AbortError(signal.reason, {})));
        if (this.client === undefined) return resolve(failing(operation, closed));
        this.follow((number, watched) => bridge.nextPage(number, next, watched), operation, signal, resolve, resolve);
      });
    return new List(operation, fetch, (item, name) => model(item, form.shapes()[name]));
  }

  /** Makes a call. A refusal of its arguments is told like every other end. */
  private begin(operation: string, given: Arguments, params: object | undefined, options: CallOptions | undefined, files: readonly string[] | undefined, done: Caller["done"], failed: Caller["failed"]): void {
    const refuse = (error: unknown): void => failed(isOurs(error) ? failing(operation, () => error) : Promise.reject(error));
    try {
      const client = this.client;
      if (client === undefined) throw closed();
      checkObject("params", params);
      checkObject("options", options);
      const signal = checkSignal(options);
      const call = argumentsOf(given, params);
      const taken = files && takeFiles(files, call);
      const text = `${operation}\n${encodeFields(call)}\n${encodeOptions(options)}`;
      const start = (uploads?: NativeUpload[]): void => {
        throwIfAborted(signal, options);
        this.follow((number, watched) => client(number, text, watched, uploads), operation, signal, done, failed);
      };
      const uploads = taken?.map(([field, file]) => toUpload(field, file));
      // Bytes are taken before the call returns: they are the caller's again then, to write over or to transfer.
      if (uploads?.some(types.isPromise)) Promise.all(uploads).then(start).catch(refuse);
      else start(uploads as NativeUpload[] | undefined);
    } catch (error) {
      refuse(error);
    }
  }

  private follow(start: (number: number, watched: boolean) => void, operation: string, signal: AbortSignal | undefined, done: Caller["done"], failed: Caller["failed"]): void {
    // The answer belongs to whoever made the call, not to the event loop's tick that asks.
    const provider = this.provider && AsyncResource.bind(this.provider);
    follow(start, { operation, signal, provider, watch: this.watchers.watch(), done, failed });
  }
}

function read<T>({ body, model: name }: Completion, { item: ofItem, shapes }: Form): T {
  const value: unknown = JSON.parse(body);
  if (ofItem === undefined) model(value, shapes()[name]);
  else list(value, (item) => model(item, shapes()[ofItem]));
  return value as T;
}

function isOurs(error: unknown): error is Error {
  return error instanceof BloomChatsError || error instanceof AbortError;
}

/** Takes the files out of a call's arguments. */
function takeFiles(files: readonly string[], call: Field[]): Field[] {
  const taken = call.filter(([name, value]) => files.includes(name) && value !== undefined);
  for (const field of taken) call.splice(call.indexOf(field), 1);
  return taken;
}

function checkObject(name: string, given: unknown): void {
  if (given !== undefined && (typeof given !== "object" || given === null || isIterable(given))) throw refusal(InvalidArgumentError, name, "expected an object");
}

function checkSignal(options: CallOptions | undefined): AbortSignal | undefined {
  const signal = options?.signal;
  if (signal === undefined) return undefined;
  if (typeof signal?.addEventListener !== "function") throw refusal(InvalidArgumentError, "signal", "expected an AbortSignal");
  throwIfAborted(signal, options);
  return signal;
}

function throwIfAborted(signal: AbortSignal | undefined, options?: CallOptions): void {
  if (signal?.aborted) throw new AbortError(signal.reason, { idempotency_key: options?.idempotencyKey ?? null });
}

/** A call's arguments, by the names that core knows. */
function argumentsOf(given: Arguments, params: object | undefined): Field[] {
  const call: Field[] = Object.entries(given);
  if (params === undefined) return call;
  for (const [name, value] of Object.entries(params)) {
    const known = snake(name);
    if (call.some(([taken]) => taken === known)) throw misplaced(name, "is given twice");
    call.push([known, value]);
  }
  return call;
}

/** What core calls the settings that it takes as they are. */
const SETTINGS: Readonly<Record<Exclude<keyof ClientOptions, "apiKey" | "caCerts" | "plan" | "observer">, string>> = {
  baseUrl: "base_url",
  organizationId: "organization_id",
  timeout: "timeout_ms",
  attemptTimeout: "attempt_timeout_ms",
  connectTimeout: "connect_timeout_ms",
  maxRetries: "max_retries",
  userAgent: "user_agent",
  proxy: "proxy",
  allowHttp: "allow_http",
  v4SendBody: "v4_send_body",
};

/** What core calls the options of a call. */
const OPTIONS: Readonly<Record<Exclude<keyof CallOptions, "signal">, string>> = {
  timeout: "timeout_ms",
  attemptTimeout: "attempt_timeout_ms",
  maxRetries: "max_retries",
  idempotencyKey: "idempotency_key",
  headers: "headers",
  query: "query",
  extraBody: "extra_body",
};

/** Core counts durations in whole ms, and what is left until a deadline rarely is whole. */
function set(settings: Record<string, unknown>, name: string, value: unknown, wrong: () => Error): void {
  const lasts = name.endsWith("_ms") && value !== null;
  if (lasts && !(typeof value === "number" && value >= 0 && value < Infinity)) throw wrong();
  settings[name] = lasts ? Math.ceil(value as number) : value;
}

function encodeOptions(options: CallOptions | undefined): string {
  if (!options) return "";
  const settings: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options)) {
    if (name === "signal" || value === undefined) continue;
    if (!Object.hasOwn(OPTIONS, name)) throw misplaced(name, `is not an option of a call${nearly(name, OPTIONS, "; ", " is")}`);
    const told = name === "headers" && isHeaders(value) ? Object.fromEntries(value) : value;
    set(settings, OPTIONS[name as keyof typeof OPTIONS], told, () => refusal(InvalidArgumentError, name, "expected milliseconds, 0 or more"));
  }
  return encode(settings);
}

/** The name that was meant, where it was written as elsewhere: `api_key`, `baseURL`. */
function nearly(name: string, known: object, before: string, after = ""): string {
  const plain = (name: string): string => name.replaceAll("_", "").toLowerCase();
  const meant = Object.keys(known).find((one) => plain(one) === plain(name));
  return meant === undefined ? "" : `${before}\`${meant}\`${after}`;
}

/** By the name the caller wrote, whatever it is. */
function misplaced(argument: string, problem: string): InvalidArgumentError {
  return new InvalidArgumentError({ kind: "invalid_argument", message: `${argument}: ${problem}`, argument });
}

function encodeConfig(config: object): string {
  try {
    return encode(config);
  } catch (error) {
    throw misconfigured((error as Error).message);
  }
}

function textOf(certificates: unknown): unknown {
  const bytes = bytesOf(certificates);
  return bytes ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString() : certificates;
}

function closed(): ConfigError {
  return misconfigured("the client is closed");
}

/** @internal */
export function misconfigured(message: string): ConfigError {
  return new ConfigError({ kind: "config", message });
}

/** What resources have in common. */
export class Resource {
  /** @internal */
  protected declare readonly core: Core;

  /** @internal */
  constructor(core: Core) {
    conceal(this, "core", core);
  }

  /** @internal */
  [inspect.custom](depth: number | null, options: InspectOptions): string {
    return showBriefly(this, depth, options);
  }
}
