/** What a call tells those who watch it: the client's observer, and the application's OpenTelemetry. */

import { AsyncResource } from "node:async_hooks";

import { spans } from "./spans";

/**
 * Something that came to its end. Never holds a key, a number, an address or a text: the path is the operation's
 * template, not the filled one.
 */
export interface CallEvent {
  /** One exchange with the service, told once it is known whether another follows; or the whole call, waits included. */
  readonly scope: "attempt" | "call";
  /** The operation's public name, as `blooio.v2.messages.send`; `messages.wait` shows as the polls it makes. */
  readonly operation: string;
  /** Wall clock at the beginning, in epoch ms. */
  readonly startedMs: number;
  /** How long it took, in ms, with a fraction. */
  readonly durationMs: number;
  /** On an attempt that another follows: the wait before that one, in ms. */
  readonly retryInMs?: number;
  /**
   * OpenTelemetry's names for HTTP clients (`http.request.method`, `url.template`, `http.response.status_code`, …) and
   * `bloomchats.operation`, `bloomchats.request_id`, `bloomchats.maybe_sent`, `bloomchats.attempts`. `error.type` is there
   * when something went wrong: the status, or a kind of error; `cancelled` where the call was aborted. More may come.
   */
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}

/** Is told of every event, on the event loop and in the async context of the call. */
export type Observer = (event: CallEvent) => void;

/** Takes one event of a call as it crosses, in JSON. */
export type Watch = (json: string) => void;

/** Those who watch the calls of one client. */
export class Watchers {
  private readonly observer: Observer | undefined;
  private warned = false;

  constructor(observer: Observer | undefined) {
    this.observer = observer;
  }

  /** The eyes on the call that is being made; `undefined` when nobody looks. */
  watch(): Watch | undefined {
    const traced = this.try(spans);
    if (traced === undefined && this.observer === undefined) return undefined;
    const observers = [traced, this.observer].filter((observer) => observer !== undefined);
    const place = new AsyncResource("BloomChatsCall");
    return (json) => {
      const event = read(json);
      for (const observer of observers) this.try(() => place.runInAsyncScope(observer, undefined, event));
    };
  }

  /** A watcher that fails must not harm what it watches. */
  private try<T>(watch: () => T): T | undefined {
    try {
      const told = watch();
      if (typeof told === "object") Promise.resolve(told).catch((error: unknown) => this.warn(error));
      return told;
    } catch (error) {
      this.warn(error);
      return undefined;
    }
  }

  private warn(error: unknown): void {
    if (this.warned) return;
    this.warned = true;
    const message = "A client's observer failed. Its calls go on as if it had not; further failures are not reported.";
    const detail = error instanceof Error ? String(error.stack) : typeof error;
    process.emitWarning(message, { type: "BloomChatsWarning", code: "BLOOMCHATS_OBSERVER", detail });
  }
}

function read(json: string): CallEvent {
  const { started_ms: startedMs, duration_ms: durationMs, retry_in_ms: retryInMs, ...event } = JSON.parse(json);
  return { ...event, startedMs, durationMs, ...(retryInMs === undefined ? {} : { retryInMs }) };
}
