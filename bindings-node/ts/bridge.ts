/** This environment's calls: one table, one wake-up, and the signals and providers that belong to them. */

import { AbortError, type AbortFacts, type ErrorFacts, type Trace, fromFacts, toError } from "./error";
import { native, type NativeBridge, type NativeCompletion } from "./native";

/** Supplies a credential: before the first attempt of a call, and once more after a 401. */
export type Provider = () => string | Promise<string>;

interface Call {
  resolve(completion: NativeCompletion): void;
  reject(error: unknown): void;
  provider: Provider | undefined;
  trace: Trace;
}

const calls = new Map<number, Call>();

/** The environment's bridge. */
export const bridge: NativeBridge = new native.Bridge(drain);

/** Runs on the event loop, so nothing here may throw. */
function drain(): void {
  for (const completion of bridge.drain()) {
    const call = calls.get(completion.call);
    if (call === undefined) continue;
    if (completion.error === undefined && completion.head === undefined) {
      void ask(completion.call, call);
      continue;
    }
    calls.delete(completion.call);
    if (completion.error === undefined) call.resolve(completion);
    else call.reject(call.trace.of(toError(completion.error)));
  }
}

/** Starts a call and follows it to its end; an abort ends it at once. */
export function follow(start: () => number, provider: Provider | undefined, signal: AbortSignal | undefined, trace: Trace): Promise<NativeCompletion> {
  return new Promise((resolve, reject) => {
    const number = start();
    let ended = (): void => {};
    const abort = (): void => {
      const told = bridge.cancel(number);
      // It was over before the signal: what came of it is on its way, and is the truth.
      if (told === null) return;
      calls.delete(number);
      ended();
      reject(trace.of(new AbortError(signal?.reason, JSON.parse(told) as AbortFacts)));
    };
    if (signal) ended = onAbort(signal, abort);
    calls.set(number, {
      resolve: (completion) => (ended(), resolve(completion)),
      reject: (error) => (ended(), reject(error)),
      provider,
      trace,
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
    const told = bridge.cancel(number);
    if (told === null || !calls.delete(number)) return;
    const facts = JSON.parse(told) as ErrorFacts;
    call.reject(call.trace.of(fromFacts({ ...facts, kind: "config", message: "api_key: the provider did not supply a key" }, cause)));
  }
}
