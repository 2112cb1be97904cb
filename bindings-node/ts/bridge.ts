/** This environment's calls: one table, one wake-up, and the signals and providers that belong to them. */

import { AbortError, type ErrorFacts, type Trace, fromFacts } from "./error";
import { native, type NativeBridge, type NativeCompletion } from "./native";
import type { Watch } from "./observe";

/** Supplies a credential: before the first attempt of a call, and once more after a 401. */
export type Provider = () => string | Promise<string>;

interface Call {
  resolve(completion: NativeCompletion): void;
  reject(error: unknown): void;
  provider: Provider | undefined;
  trace: Trace;
  watch: Watch | undefined;
  /** What it is called when this side ended it. */
  ended?: (facts: ErrorFacts) => Error;
}

const calls = new Map<number, Call>();

/** The environment's bridge. Bun and Deno offer an event loop that is not libuv's under its name; a thread drives their calls. */
export const bridge: NativeBridge = new native.Bridge(drain, !("Bun" in globalThis || "Deno" in globalThis));

let draining = false;
let more = false;

/** Runs on the event loop, so nothing here may throw. What happens meanwhile, as an observer ends a call, waits for its turn. */
function drain(): void {
  more = true;
  if (draining) return;
  draining = true;
  try {
    while (more) {
      more = false;
      bridge.drain().forEach(take);
    }
  } finally {
    draining = false;
  }
}

function take(completion: NativeCompletion): void {
  const call = calls.get(completion.call);
  if (call === undefined) return;
  if (completion.event !== undefined) return call.watch?.(completion.event);
  if (completion.error === undefined && completion.head === undefined) return void ask(completion.call, call);
  calls.delete(completion.call);
  if (completion.error === undefined) return call.resolve(completion);
  const facts = JSON.parse(completion.error) as ErrorFacts;
  const error = facts.kind === "cancelled" ? call.ended?.(facts) : undefined;
  call.reject(call.trace.of(error ?? fromFacts(facts)));
}

/**
 * Ends a call at once, as `ended` says; or with what it had come to before, which is on its way and is the truth. Its last
 * events and its end are taken here and now: the event loop may have nothing else to stay for.
 */
function end(number: number, ended: (facts: ErrorFacts) => Error): void {
  const call = calls.get(number);
  if (call === undefined) return;
  call.ended = ended;
  bridge.cancel(number);
  drain();
}

/** Starts a call and follows it to its end; an abort ends it at once. */
export function follow(start: (watched: boolean) => number, provider: Provider | undefined, signal: AbortSignal | undefined, trace: Trace, watch: Watch | undefined): Promise<NativeCompletion> {
  return new Promise((resolve, reject) => {
    const number = start(watch !== undefined);
    const abort = (): void => end(number, (facts) => new AbortError(signal?.reason, facts));
    const letGo = signal ? onAbort(signal, abort) : (): void => {};
    calls.set(number, {
      resolve: (completion) => (letGo(), resolve(completion)),
      reject: (error) => (letGo(), reject(error)),
      provider,
      trace,
      watch,
    });
  });
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
    const key = await call.provider?.();
    if (typeof key !== "string") throw new TypeError(`the provider returned ${key === null ? "null" : typeof key}, not a string`);
    bridge.answer(number, key);
  } catch (cause) {
    end(number, (facts) => fromFacts({ ...facts, kind: "config", message: "apiKey: the provider did not supply a key" }, cause));
  }
}
