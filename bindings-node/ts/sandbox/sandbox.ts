/// <reference lib="esnext.disposable" preserve="true" />
/** The sandbox, as tests see it. */

import type { ClientOptions } from "../client";
import { BloomChats, Blooio } from "../index";
import { Clock } from "./clock";
import { Control } from "./control";
import { Faults } from "./faults";
import type { Delivery, LoggedRequest } from "./logs";
import { Phone } from "./phone";
import { type Facts, SandboxProcess } from "./process";
import { Receiver, type ReceiverFacts } from "./receiver";

/** How a namespace begins. */
export interface SandboxOptions {
  /** Decides the data: the same seed gives the same people, chats and contacts. Default: 1. */
  seed?: number | undefined;
  /** Vendor switches by name. */
  switches?: Readonly<Record<string, unknown>> | undefined;
  /** Where its clock begins, in epoch milliseconds. Default: the machine's time. */
  now?: number | undefined;
  /** Whether its clock begins frozen. Default: false. */
  frozen?: boolean | undefined;
}

/** The APIs that can be limited. */
export type Api = "bloomchats" | "v2" | "v4";

/** What becomes of a line. */
export interface LineSettings {
  status?: "active" | "pending_verification" | "suspended" | "banned" | "deprecated" | undefined;
  safety?: "none" | "queue" | "slow" | "pause_new" | "reply_only" | "review" | undefined;
}

/**
 * A stand-in for the three services on this machine: the same answers, with state, and nobody gets a message.
 *
 * It is found in `BLOOMCHATS_SANDBOX_URL`, where it becomes a namespace of its own; else started from the command that
 * `BLOOMCHATS_BIN` names, the package `@bloomchats/sandbox` brings, or PATH has. One that was started ends with `close`, or with this
 * process, even when that is killed, and does not keep it alive.
 *
 * ```ts
 * const sandbox = await startSandbox();
 * await greet(sandbox.blooio());
 * assert.equal((await sandbox.phone("+15551234567").inbox())[0]?.text, "Hello");
 * await sandbox.close();
 * ```
 *
 * With `await using sandbox = await startSandbox()` it closes by itself.
 *
 * @throws SandboxError when there is none, with how to install it; when what was started is none, or has not said within 10 s where it
 * is; or when a switch does not exist.
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const running = process.env["BLOOMCHATS_SANDBOX_URL"];
  if (running) return new Sandbox(await new Control(running.replace(/\/$/, "")).ask("POST", "/namespaces", options));
  const own = await SandboxProcess.start();
  const asIs = Object.values(options).every((value) => value === undefined);
  try {
    const facts = asIs ? own.facts : await new Control(own.facts.url).ask<Facts>("POST", "/namespaces", options);
    return new Sandbox(facts, own);
  } catch (error) {
    await own.stop();
    throw error;
  }
}

/** A running sandbox, or a namespace of one; see `startSandbox`. */
export class Sandbox {
  /** What clients take as `baseUrl`. */
  readonly url: string;
  /** Its time. */
  readonly clock: Clock;
  /** What goes wrong. */
  readonly faults: Faults;
  // Private: logging a sandbox must not log its keys.
  readonly #facts: Facts;
  readonly #control: Control;
  readonly #own: SandboxProcess | undefined;

  /** @internal */
  constructor(facts: Facts, own?: SandboxProcess) {
    this.url = facts.url;
    this.#facts = facts;
    this.#own = own;
    this.#control = new Control(facts.url, facts.blooio_api_key);
    this.clock = new Clock(this.#control);
    this.faults = new Faults(this.#control);
  }

  /** The key of Blooio v2 and v4. */
  get blooioApiKey(): string {
    return this.#facts.blooio_api_key;
  }

  /** The key of BloomChats. */
  get bloomchatsApiKey(): string {
    return this.#facts.bloomchats_api_key;
  }

  /** New keys and a world of their own in the same process: parallel tests do not see each other. It ends with it. */
  async namespace(options: SandboxOptions = {}): Promise<Sandbox> {
    return new Sandbox(await this.#control.ask<Facts>("POST", "/namespaces", options));
  }

  /** A client of Blooio on this sandbox, with its key unless another, or a function, is given. */
  blooio(options: Omit<ClientOptions, "baseUrl"> = {}): Blooio {
    return new Blooio({ ...options, apiKey: options.apiKey ?? this.blooioApiKey, baseUrl: this.url });
  }

  /** A client of BloomChats on this sandbox, with its key unless another, or a function, is given. */
  bloomchats(options: Omit<ClientOptions, "baseUrl"> = {}): BloomChats {
    return new BloomChats({ ...options, apiKey: options.apiKey ?? this.bloomchatsApiKey, baseUrl: this.url });
  }

  /** Variables that point `new Blooio()` and `new BloomChats()` here, in this process or another. */
  get environment(): Record<"BLOOIO_BASE_URL" | "BLOOIO_API_KEY" | "BLOOMCHATS_BASE_URL" | "BLOOMCHATS_API_KEY", string> {
    return { BLOOIO_BASE_URL: this.url, BLOOIO_API_KEY: this.blooioApiKey, BLOOMCHATS_BASE_URL: this.url, BLOOMCHATS_API_KEY: this.bloomchatsApiKey };
  }

  /** A person, by E.164 number or email address. */
  phone(number: string): Phone {
    return new Phone(this.#control, number);
  }

  /** A URL that takes webhooks and answers them with `status`, 200 by default. */
  async receiver({ status = 200 }: { status?: number | undefined } = {}): Promise<Receiver> {
    return new Receiver(this.#control, await this.#control.ask<ReceiverFacts>("POST", "/receivers", { status }));
  }

  /** Everything as it was made, except the keys; with another seed, other data. */
  async reset({ seed }: { seed?: number | undefined } = {}): Promise<void> {
    await this.#control.ask("POST", "/reset", { seed });
  }

  /** The last 1 000 requests to the services, oldest first. */
  async requests(): Promise<LoggedRequest[]> {
    return (await this.#control.ask<{ requests: LoggedRequest[] }>("GET", "/requests")).requests;
  }

  /** The last 5 000 webhook deliveries with their attempts, oldest first. */
  async deliveries(): Promise<Delivery[]> {
    return (await this.#control.ask<{ deliveries: Delivery[] }>("GET", "/deliveries")).deliveries;
  }

  /** The vendor switches, by name. */
  switches(): Promise<Record<string, unknown>> {
    return this.#control.ask("GET", "/switches");
  }

  /** Sets vendor switches; those that are not named stay. */
  async setSwitches(switches: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#control.ask("PUT", "/switches", switches);
  }

  /** At most that many requests a minute on an API, counted from now; `null` takes the limit off. */
  async setLimit(api: Api, perMinute: number | null): Promise<void> {
    await this.#control.ask("PUT", "/limits", { api, per_minute: perMinute });
  }

  /** Changes what becomes of a line of ours, with the events that tell of it. */
  async setLine(number: string, settings: LineSettings): Promise<void> {
    await this.#control.ask("PUT", `/lines/${encodeURIComponent(number)}`, settings);
  }

  /** Stops the process, if it is this one's own; one that has not ended after 5 s is killed. */
  async close(): Promise<void> {
    await this.#own?.stop();
  }

  /** As `close`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
