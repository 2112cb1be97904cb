/** What every error of this package has, and how core's errors become classes. */

import { inspect } from "node:util";

import { camel } from "./names";

/** Core's error as it crosses; absent fields are left out. */
export interface ErrorFacts {
  kind: string;
  message: string;
  attempts?: number;
  maybe_sent?: boolean;
  status?: number;
  code?: string;
  request_id?: string;
  retry_after_s?: number;
  idempotency_key?: string | null;
  body?: unknown;
  result?: unknown;
  argument?: string;
  reason?: string;
  last_status?: unknown;
  resets_at?: number;
  cause?: ErrorFacts;
}

/**
 * Root of every error that a call raises; `AbortError` alone, raised by your own signal, stands beside it.
 *
 * Messages and `util.inspect` never show keys, numbers, addresses or message text; `body` holds the service's answer as it came.
 */
export class BloomChatsError extends Error {
  /** Kind, the same word in every language: `rate_limit`, `invalid_argument`, … */
  declare readonly kind: string;
  /** HTTP status, when an answer arrived. */
  declare readonly status: number | undefined;
  /** The service's machine-readable code; an open set. */
  declare readonly code: string | undefined;
  /** The service's id of the request, for its support. */
  declare readonly requestId: string | undefined;
  /** How long the service asked to wait, in ms. */
  declare readonly retryAfter: number | undefined;
  /** Attempts made; 0 when nothing was sent. */
  declare readonly attempts: number;
  /** Whether the service may have done what was asked. */
  declare readonly maybeSent: boolean;
  /** The key that last went on the wire: pass it again to find out without sending twice. */
  declare readonly idempotencyKey: string | undefined;
  /** The argument that was refused, by its name in the contract: `link_preview.title`; or the option. */
  declare readonly argument: string | undefined;
  /** Why a webhook does not verify: `missing_header`, `bad_form`, `stale`, `future`, `wrong_secret`, `parsed_body`. */
  declare readonly reason: string | undefined;
  /** When a quota resets, in epoch milliseconds. */
  declare readonly resetsAt: number | undefined;
  /** The service's answer: JSON, or text. Not enumerable, so that logging an error does not log what people wrote. */
  declare readonly body: unknown;
  /** The fan-out of a send that could serve no recipient (422). Not enumerable. */
  declare readonly result: unknown;
  /** The last status a `wait` saw before its time was over. Not enumerable. */
  declare readonly lastStatus: unknown;

  constructor(facts: ErrorFacts, cause: unknown = facts.cause && fromFacts(facts.cause)) {
    super(facts.message, cause === undefined ? undefined : { cause });
    state(this, {
      kind: facts.kind,
      status: facts.status,
      code: facts.code,
      requestId: facts.request_id,
      retryAfter: facts.retry_after_s === undefined ? undefined : Math.round(facts.retry_after_s * 1000),
      attempts: facts.attempts ?? 0,
      maybeSent: facts.maybe_sent ?? false,
      idempotencyKey: facts.idempotency_key,
      argument: facts.argument,
      reason: facts.reason,
      resetsAt: facts.resets_at,
    });
    hide(this, { body: facts.body, result: facts.result, lastStatus: facts.last_status });
  }

  /** What `JSON.stringify` writes: the facts with name and message, without `body`. */
  toJSON(): object {
    return Object.assign({ name: this.name, message: this.message }, this);
  }

  /** @internal */
  [inspect.custom](depth: number, options: object, show: typeof inspect): string {
    const cause = this.cause === undefined || depth < 0 ? "" : ` [cause]: ${show(this.cause, options)}`;
    return `${this.stack ?? String(this)} ${show({ ...this }, options)}${cause}`;
  }
}
name(BloomChatsError, "BloomChatsError");

const classes = new Map<string, new (facts: ErrorFacts, cause?: unknown) => BloomChatsError>();

/** Makes a class the one of its kind. */
export function enlist(type: new (facts: ErrorFacts, cause?: unknown) => BloomChatsError, called: string, kind: string): void {
  name(type, called);
  classes.set(kind, type);
}

/** Names a class where minifiers do not reach, and where it is not a property of every error. */
function name(type: { prototype: object }, name: string): void {
  Object.defineProperty(type.prototype, "name", { value: name, configurable: true, writable: true });
}

/** The error that core's JSON describes. */
export function toError(json: string): BloomChatsError {
  return fromFacts(JSON.parse(json) as ErrorFacts);
}

/** An error of its kind's class; `cause` where it is not core's. */
export function fromFacts(facts: ErrorFacts, cause?: unknown): BloomChatsError {
  return new (classes.get(facts.kind) ?? BloomChatsError)(inOurNames(facts), cause);
}

/** Options by core's names, and settings where a call tells of them. Any other name is the service's, and stays. */
const OPTION = /(?<![.\w])(?:attempt_timeout|max_retries|idempotency_key|extra_body|(?<=set )\w+(?= on the client))\b/g;
const MISPLACED = /^(signal|timeout|attempt_timeout|max_retries|idempotency_key|headers|query|extra_body): .* has no such argument.*/;

/** What core says after a message, which may be the service's. */
const HINT = /; it may have been sent: call again with the same idempotency_key to find out without sending twice$/;

/** Settings and options have their own names in each language; what is in a transcript has not, nor what the service says. */
function inOurNames(facts: ErrorFacts): ErrorFacts {
  const { kind, message, argument } = facts;
  if (kind === "config") return { ...facts, message: message.includes("transcript") ? message : message.replace(/\b[a-z0-9]+(_[a-z0-9]+)+\b/g, camel) };
  const ours = (text: string): string => text.replace(OPTION, camel);
  if (kind !== "invalid_argument") return { ...facts, message: message.replace(HINT, ours) };
  const placed = message.replace(MISPLACED, "$1: is an option of the call; options are passed last, in an object of their own");
  return { ...facts, message: ours(placed), ...(argument === undefined ? {} : { argument: ours(argument) }) };
}

/** Only what is known becomes a property: an error that nobody catches is shown with all it has, whatever `inspect.custom` says. */
function state(target: object, facts: Record<string, unknown>): void {
  for (const [name, fact] of Object.entries(facts)) if (fact !== undefined && fact !== null) (target as Record<string, unknown>)[name] = fact;
}

function hide(target: object, fields: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(fields)) Object.defineProperty(target, name, { value });
}

/**
 * A promise that is rejected with an error of an operation. The error gets its place once the promise has reached those who await it:
 * from there the engine finds who called, `async` function by `async` function. To take down the place of every call instead would be a
 * tenth of what a call costs.
 */
export async function failing(operation: string, make: () => Error): Promise<never> {
  await null; // Here it is handed on,
  await null; // and here it is awaited.
  const error = make();
  Error.captureStackTrace(error, failing);
  const said = String(error);
  const { stack } = error;
  // An application may have stacks look like whatever it likes.
  if (typeof stack !== "string" || !stack.startsWith(said)) throw error;
  const value = `${said}\n    at ${operation}${stack.slice(said.length)}`;
  throw Object.defineProperty(error, "stack", { value, configurable: true, writable: true });
}

/** An error about one argument or setting, made on this side of the waist. */
export function refusal<E>(type: new (facts: ErrorFacts) => E, argument: string, problem: string): E {
  return new type(inOurNames({ kind: "invalid_argument", message: `${argument}: ${problem}`, argument }));
}

/** What had happened when a call was aborted. */
export interface AbortFacts { attempts?: number; maybe_sent?: boolean; idempotency_key?: string | null }

/** A call ended because its `signal` was aborted; `cause` is the signal's reason. */
export class AbortError extends Error {
  /** The code of Node's own abort errors. */
  readonly code = "ABORT_ERR";
  /** Attempts begun. */
  declare readonly attempts: number;
  /** Whether the service may have done what was asked. */
  declare readonly maybeSent: boolean;
  /** The key that last went on the wire: pass it again to find out without sending twice. */
  declare readonly idempotencyKey: string | undefined;

  constructor(reason: unknown, facts: AbortFacts) {
    super("The operation was aborted", { cause: reason });
    state(this, { attempts: facts.attempts ?? 0, maybeSent: facts.maybe_sent ?? false, idempotencyKey: facts.idempotency_key });
  }

  /** What `JSON.stringify` writes: the facts with name and message. */
  toJSON(): object {
    return Object.assign({ name: this.name, message: this.message }, this);
  }
}
name(AbortError, "AbortError");
