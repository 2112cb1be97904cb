/** Webhooks: verify a delivery's signature over its raw body, then read the event. */

import { isIterable } from "./encode";
import { type ErrorFacts, fromFacts, refusal } from "./error";
import { InvalidArgumentError, WebhookVerificationError } from "./generated/errors";
import type { WebhookEvent } from "./generated/events";
import { bytesOf, isHeaders } from "./realm";
import { native } from "./native";

/** The header that carries the signature. */
const SIGNATURE = "x-blooio-signature";
const TOLERANCE = 300_000;
/** The last moment a `Date` can hold. */
const LATEST = 8.64e15;

/** Raw bytes of a request's body. */
export type RawBody = Uint8Array | ArrayBuffer | string;

/** The signature header's value, or all headers: a Fetch `Headers`, or Node's `request.headers`. */
export type SignatureHeader = string | null | undefined | Headers | Readonly<Record<string, string | readonly string[] | undefined>>;

/** When a verification happens, and how far a signature's time may lie from it. */
export interface VerifyOptions {
  /** The time to compare with, as a `Date` or epoch ms. Default: now. */
  now?: Date | number | undefined;
  /** How far the signature's time may lie from it in both directions, in ms. Default: 300 000. */
  tolerance?: number | undefined;
}

/**
 * Verifies the raw body of a delivery and reads the event. Several secrets are tried, for the time around a rotation.
 *
 * @throws WebhookVerificationError with a `reason`: `missing_header`, `bad_form`, `stale`, `future`, `wrong_secret`, or
 * `parsed_body` for a body that some middleware has parsed before it came here.
 * @throws ConfigError without a secret.
 * @throws DecodeError when a verified body is no event.
 * @throws InvalidArgumentError when `header`, what it says of the signature, or `options` is nothing of the kind.
 */
export function verify(body: RawBody, header: SignatureHeader, secrets: string | readonly string[], options: VerifyOptions = {}): WebhookEvent {
  const bytes = rawBody(body);
  if (typeof options !== "object" || options === null) throw refusal(InvalidArgumentError, "options", "expected an object, as { tolerance }");
  const now = wholeSeconds("now", options.now === undefined ? Date.now() : Number(options.now));
  const tolerance = wholeSeconds("tolerance", options.tolerance ?? TOLERANCE);
  // What is no text is no secret, which core says better than a conversion would.
  const known = [secrets].flat().map((secret: unknown) => (typeof secret === "string" ? secret : ""));
  return read(native.verifyWebhook(bytes, signatureOf(header), known, now, tolerance));
}

/** `verify` for a Fetch `Request`, whose body is read here and so must not have been read before. */
export async function verifyRequest(request: Request, secrets: string | readonly string[], options: VerifyOptions = {}): Promise<WebhookEvent> {
  if (typeof request?.arrayBuffer !== "function") throw refusal(InvalidArgumentError, "request", "expected a Fetch Request; for Node's own, pass its raw body and headers to verify");
  if (request.bodyUsed) throw parsed("the request's body was read before; verify a clone, or the bytes themselves");
  return verify(new Uint8Array(await request.arrayBuffer()), request.headers, secrets, options);
}

/** Reads the body of a delivery that was verified elsewhere. This checks nothing about who sent it. */
export function parse(body: RawBody): WebhookEvent {
  return read(native.parseEvent(rawBody(body)));
}

/** The `X-Blooio-Signature` header for a body, for tests of your own receiver. `at`: a `Date` or epoch ms; default: now. */
export function sign(body: RawBody, secret: string, at: Date | number = Date.now()): string {
  if (typeof secret !== "string") throw refusal(InvalidArgumentError, "secret", "expected a string");
  return native.signWebhook(rawBody(body), secret, wholeSeconds("at", Number(at)));
}

function rawBody(body: unknown): string | Uint8Array {
  const raw = typeof body === "string" ? body : bytesOf(body);
  if (raw !== undefined) return raw;
  throw parsed("the body is not raw bytes: some middleware has parsed it; verify before it, or keep the raw body (express.raw, rawBody)");
}

function parsed(message: string): WebhookVerificationError {
  return new WebhookVerificationError({ kind: "webhook_verification", message, reason: "parsed_body" });
}

function signatureOf(header: SignatureHeader): string | undefined {
  if (header === null || header === undefined || typeof header === "string") return header ?? undefined;
  if (isHeaders(header)) return header.get(SIGNATURE) ?? undefined;
  if (typeof header !== "object" || isIterable(header)) throw refusal(InvalidArgumentError, "header", "expected a request's headers, or the text of one");
  const name = Object.keys(header).find((name) => name.toLowerCase() === SIGNATURE);
  const value: unknown = name === undefined ? undefined : header[name];
  if (typeof (value ?? "") !== "string" && !Array.isArray(value)) throw refusal(InvalidArgumentError, `header.${name}`, "expected text");
  return Array.isArray(value) ? value.join(",") : (value as string | null | undefined) ?? undefined;
}

function wholeSeconds(name: string, ms: number): number {
  if (!(ms >= 0 && ms <= LATEST)) throw refusal(InvalidArgumentError, name, `expected ${name === "tolerance" ? "" : "a Date or "}milliseconds, 0 or more`);
  return Math.floor(ms / 1000);
}

function read(told: string): WebhookEvent {
  const { event, error } = JSON.parse(told) as { event?: WebhookEvent; error?: ErrorFacts };
  if (error !== undefined) throw fromFacts(error);
  return event as WebhookEvent;
}
