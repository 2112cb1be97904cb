/** A place for webhooks to arrive at. */

import type { Control } from "./control";

/** A webhook that arrived; `webhooks.verify(body, headers, secret)` takes it as it is. */
export interface Webhook {
  /** Epoch milliseconds of the sandbox's time. */
  at: number;
  /** What it was answered with. */
  status: number;
  /** By lower-case name. */
  headers: Record<string, string>;
  /** Byte for byte what the signature covers. */
  body: string;
}

/** What the sandbox tells of a receiver. @internal */
export interface ReceiverFacts {
  id: string;
  url: string;
  received: Webhook[];
}

/** A URL that takes webhooks, for tests that have no server of their own. */
export class Receiver {
  /** What to create a webhook with. */
  readonly url: string;
  readonly #path: string;
  readonly #control: Control;

  /** @internal */
  constructor(control: Control, facts: ReceiverFacts) {
    this.#control = control;
    this.#path = `/receivers/${facts.id}`;
    this.url = facts.url;
  }

  /** What arrived so far, oldest first; the last 1 000. */
  async received(): Promise<Webhook[]> {
    return (await this.#control.ask<ReceiverFacts>("GET", this.#path)).received;
  }

  /** Answers with this status from now on; 200 at first. Anything else than 2xx is an outage. */
  async answer(status: number): Promise<void> {
    await this.#control.ask("PUT", this.#path, { status });
  }
}
