/** This environment's calls: one table, one wake-up, and the signals and providers that belong to them. */

import { AbortError, type ErrorFacts, failing, fromFacts } from "./error";
import { type NativeBridge, type NativePage, type Told, What, native } from "./native";
import type { Watch } from "./observe";

/** Supplies a credential: before the first attempt of a call, and once more after a 401, in the async context of the call. */
export type Provider = () => string | Promise<string>;

/** How a call came to a good end. */
export interface Completion {
  /** JSON of the value; on a page, the whole body. */
  readonly body: string;
  /** JSON of what the last attempt said. */
  readonly head: string;
  /** Model of the value, of one item on a page. */
  readonly model: string;
  /** On a page, the field that holds the items; empty when the body is the array itself. */
  readonly items: string | undefined;
  readonly next: NativePage | undefined;
}

/** Who waits for a call, and what it may need before its end. */
export interface Caller {
  /** Name of the operation, for errors. */
  readonly operation: string;
  readonly signal: AbortSignal | undefined;
  readonly provider: Provider | undefined;
  readonly watch: Watch | undefined;
  done(completion: Completion): void;
  failed(failing: Promise<never>): void;
}

interface Call {
  readonly caller: Caller;
  readonly letGo: (() => void) | undefined;
  /** What it is called when this side ended it. */
  ended: ((facts: ErrorFacts) => Error) | undefined;
}

/** Calls by their number. Numbers are used again, since a map that changes all the time keeps alive what was in it before. */
const calls: (Call | undefined)[] = [];
const unused: number[] = [];

/** The environment's bridge. Bun and Deno offer an event loop that is not libuv's under its name; a thread drives their calls. */
export const bridge: NativeBridge = new native.Bridge(drain, !("Bun" in globalThis || "Deno" in globalThis));

const tell = bridge.drainer();

let draining = false;
let all = false;

/** Runs on the event loop, so nothing here may throw. What is wanted meanwhile, as an observer ends a call, waits for its turn. */
function drain(): void {
  if (draining) return;
  draining = true;
  try {
    do {
      const told = tell(all);
      all = false;
      if (typeof told === "string") take(told, undefined);
      else told.forEach((text, at) => { if (typeof text === "string") take(text, told[at + 1]); });
    } while (all);
  } finally {
    draining = false;
  }
}

/** Takes what happened to one call; `after`: what is told next. */
function take(text: string, after: Told | undefined): void {
  const start = text.indexOf("\n") + 1;
  const number = Number(text.slice(1, start - 1));
  const call = calls[number];
  if (!call) return;
  switch (text[0]) {
    case What.Asked:
      return void ask(number, call);
    case What.Seen:
      return call.caller.watch?.(text.slice(start));
    case What.Failed:
      return fail(forget(number, call), call.ended, text.slice(start));
    default: {
      const items = text.indexOf("\n", start) + 1;
      const head = text.indexOf("\n", items) + 1;
      const body = text.indexOf("\n", head) + 1;
      forget(number, call).done({
        body: text.slice(body),
        head: text.slice(head, body),
        model: text.slice(start, items - 1),
        items: head - items > 1 ? (JSON.parse(text.slice(items, head)) as string) : undefined,
        next: typeof after === "object" ? after : undefined,
      });
    }
  }
}

function fail(caller: Caller, ended: Call["ended"], json: string): void {
  caller.failed(
    failing(caller.operation, () => {
      const facts = JSON.parse(json) as ErrorFacts;
      return (facts.kind === "cancelled" ? ended?.(facts) : undefined) ?? fromFacts(facts);
    }),
  );
}

/** A call is over; its number is free for another. */
function forget(number: number, { caller, letGo }: Call): Caller {
  calls[number] = undefined;
  unused.push(number);
  letGo?.();
  return caller;
}

/**
 * Ends a call at once, as `ended` says; or with what it had come to before, which is on its way and is the truth. Its last
 * events and its end are taken here and now: the event loop may have nothing else to stay for.
 */
function end(call: Call, number: number, ended: (facts: ErrorFacts) => Error): void {
  if (calls[number] !== call) return;
  call.ended = ended;
  bridge.cancel(number);
  all = true;
  drain();
}

/** Starts a call and follows it to its end; an abort ends it at once. */
export function follow(start: (number: number, watched: boolean) => void, caller: Caller): void {
  const number = unused.pop() ?? calls.length;
  try {
    start(number, caller.watch !== undefined);
  } catch (error) {
    if (number < calls.length) unused.push(number);
    throw error;
  }
  const { signal } = caller;
  const letGo = signal && onAbort(signal, () => end(call, number, (facts) => new AbortError(signal.reason, facts)));
  const call: Call = { caller, letGo, ended: undefined };
  calls[number] = call;
}

/** What to do when a signal is aborted, by signal: one listener serves all its calls, since Node warns of more than ten. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/** Runs `abort` when the signal is aborted, until the returned function is called. */
function onAbort(signal: AbortSignal, abort: () => void): () => void {
  let aborts = waiting.get(signal);
  if (aborts === undefined) {
    aborts = new Set();
    waiting.set(signal, aborts);
    signal.addEventListener("abort", tellAll);
  }
  aborts.add(abort);
  return () => {
    aborts.delete(abort);
    if (aborts.size > 0) return;
    waiting.delete(signal);
    signal.removeEventListener("abort", tellAll);
  };
}

function tellAll(this: AbortSignal): void {
  for (const abort of waiting.get(this) ?? []) abort();
}

async function ask(number: number, call: Call): Promise<void> {
  try {
    const key = await call.caller.provider?.();
    if (typeof key !== "string") throw new TypeError(`the provider returned ${key === null ? "null" : typeof key}, not a string`);
    if (calls[number] === call) bridge.answer(number, key);
  } catch (cause) {
    end(call, number, (facts) => fromFacts({ ...facts, kind: "config", message: "apiKey: the provider did not supply a key" }, cause));
  }
}
