/** Scripted faults. */

import type { Control } from "./control";

/** What happens to a request. Those that end in `answer` strike after it was handled: it had its effect, nobody hears of it. */
export type FaultAction =
  | "drop"
  | "drop_answer"
  | "reset"
  | "reset_answer"
  | "half_answer"
  | "slow_answer"
  | "delay"
  | "delay_answer"
  | "status"
  | "status_answer"
  | "throttle"
  | "pass";

/** One line of the script. */
export interface Fault {
  action: FaultAction;
  /** Only requests of this method. */
  method?: string | undefined;
  /** A template (`/v2/api/chats/{chatId}/messages`) or a glob (`/v4/*`). Default: every path. */
  path?: string | undefined;
  /** How many such requests pass first. Default: 0. */
  after?: number | undefined;
  /** How many then suffer; `null` for all. Default: 1. */
  times?: number | null | undefined;
  /** Of `delay` and `slow_answer`: real milliseconds. */
  ms?: number | undefined;
  /** Of `slow_answer`: the size of a piece. Default: 1. */
  bytes?: number | undefined;
  /** Of `status`. Default: 503. */
  status?: number | undefined;
  /** Of `status`: the error's code. */
  code?: string | undefined;
  /** Of `status` and `throttle`: seconds, or an HTTP date. */
  retry_after?: number | string | undefined;
  /** Of `status`. */
  headers?: Record<string, string> | undefined;
  /** Of `status`: in place of the API's own error; text goes out as it is. */
  body?: unknown;
}

/** A line of the script, as it is doing. */
export interface ScriptedFault extends Fault {
  /** How many requests it struck so far. */
  hits: number;
}

/** The fault script of a namespace: the first line that still wants a request decides what becomes of it. */
export class Faults {
  readonly #control: Control;

  /** @internal */
  constructor(control: Control) {
    this.#control = control;
  }

  /** Its lines. */
  async script(): Promise<ScriptedFault[]> {
    return (await this.#control.ask<{ faults: ScriptedFault[] }>("GET", "/faults")).faults;
  }

  /** One more line at the end; an action alone strikes the next request. */
  async add(fault: FaultAction | Fault): Promise<void> {
    await this.#control.ask("POST", "/faults", typeof fault === "string" ? { action: fault } : fault);
  }

  /** This script in place of the old one. */
  async replace(script: readonly Fault[]): Promise<void> {
    await this.#control.ask("PUT", "/faults", script);
  }

  /** No faults. */
  async clear(): Promise<void> {
    await this.#control.ask("DELETE", "/faults");
  }
}
