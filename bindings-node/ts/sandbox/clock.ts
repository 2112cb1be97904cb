/** The sandbox's clock. */

import type { Control } from "./control";

/** What a clock shows. */
export interface Time {
  /** Epoch milliseconds. */
  now: number;
  /** Whether time stands still between calls. */
  frozen: boolean;
}

/** A namespace's time: of messages, webhooks, timers and limits. Clients keep their own. */
export class Clock {
  readonly #control: Control;

  /** @internal */
  constructor(control: Control) {
    this.#control = control;
  }

  /** Epoch milliseconds. */
  async now(): Promise<number> {
    return (await this.#control.ask<Time>("GET", "/clock")).now;
  }

  /** Whether time stands still between calls. */
  async frozen(): Promise<boolean> {
    return (await this.#control.ask<Time>("GET", "/clock")).frozen;
  }

  /** Stops it; `set` and `advance` move it on. */
  async freeze(): Promise<void> {
    await this.#control.ask("PUT", "/clock", { frozen: true });
  }

  /** Lets it run with real time again. */
  async run(): Promise<void> {
    await this.#control.ask("PUT", "/clock", { frozen: false });
  }

  /** Jumps to epoch milliseconds; what is due then happens at once. */
  async set(now: number): Promise<void> {
    await this.#control.ask("PUT", "/clock", { now });
  }

  /** Lives through `ms` milliseconds: timers fire in order, and each webhook attempt has its answer before time goes on. */
  async advance(ms: number): Promise<void> {
    await this.#control.ask("POST", "/clock/advance", { ms });
  }
}
