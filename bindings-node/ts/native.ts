/** Loads the native half and says what it offers. */

import { createRequire } from "node:module";

import { version } from "./version";

/** A client of one product, as the function that makes its calls. `text`: operation, arguments and options, a line each. */
export type NativeClient = (call: number, text: string, watched: boolean, uploads: NativeUpload[] | undefined) => void;
/** The way on from a page. */
export interface NativePage { readonly __native: "page" }
/** Reads back what a scripted client did: JSON `{"requests", "waits_ms", "left"}`. */
export interface NativeScript { read(): string }

/** An upload. */
export interface NativeUpload { field: string; filename: string; contentType: string; bytes: Uint8Array }

/** What is told of a call, and the lines that follow. */
export const What = {
  /** Core's question for a credential. */
  Asked: "0",
  /** JSON of an event. */
  Seen: "1",
  /** JSON of the error. */
  Failed: "2",
  /** Model; on a page, JSON of the field that holds its items; head; body. The way on from a page is told next, if there is one. */
  Done: "3",
} as const;

/** A text of lines, which begins with `What` and the number of a call; or the way on from the page before it. */
export type Told = string | NativePage;

/** One environment's calls, by numbers that this side gives them. Results that are strings are JSON of an error. */
export interface NativeBridge {
  open(config: string, provider: boolean): NativeClient | string;
  openScripted(config: string, provider: boolean, transcript: string): { client: NativeClient; script: NativeScript } | string;
  nextPage(call: number, page: NativePage, watched: boolean): void;
  cancel(call: number): void;
  answer(call: number, key: string): void;
  /**
   * The function that tells what happened, one after the other, or the one thing that did. Some may be left for the loop's next turn,
   * unless `all` is wanted.
   */
  drainer(): (all: boolean) => string | Told[];
}

/** The addon's exports. */
export interface Native {
  /** `libuv`: the event loop is libuv's, and not something that passes for it. */
  Bridge: new (wake: () => void, libuv: boolean) => NativeBridge;
  verifyWebhook(body: string | Uint8Array, header: string | undefined, secrets: string[], now: number, tolerance: number): string;
  signWebhook(body: string | Uint8Array, secret: string, at: number): string;
  parseEvent(body: string | Uint8Array): string;
  newIdempotencyKey(): string;
  version(): string;
}

/** Platforms with a package of their own; the others are told so. */
const platforms: Readonly<Record<string, () => unknown>> = {
  // Literal names, so that bundlers see them and can be told to leave them out.
  "linux-x64-gnu": () => require("@bloomchats/sdk-linux-x64-gnu"),
};

const here = `${process.platform}-${process.arch}`;

/** Told where loading failed; too slow to ask on the way to a success. */
function libc(): string {
  if (process.platform !== "linux") return "";
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined;
  const glibc = report?.header?.glibcVersionRuntime;
  return glibc ? `, glibc ${glibc}` : ", musl";
}

function load(): Native {
  const tried: string[] = [];
  const causes: unknown[] = [];
  const attempt = (from: string, open: () => unknown): Native | undefined => {
    tried.push(from);
    try {
      const native = open() as Native;
      const found = native.version();
      if (found === version) return native;
      causes.push(new Error(`${from} is version ${found}, this package is ${version}`));
    } catch (error) {
      causes.push(error);
    }
    return undefined;
  };
  const fitting = Object.entries(platforms).filter(([name]) => name === here || name.startsWith(`${here}-`));
  for (const [name, open] of fitting) {
    // An installed package has the addon in the platform's own package; a checkout has it beside its scripts. A bundler that saw
    // this second way would take every file here for what it may lead to.
    const beside = `${__dirname}/bloomchats.${name}.node`;
    const native = attempt(`@bloomchats/sdk-${name}`, open) ?? attempt(beside, () => createRequire(beside)(beside));
    if (native) return native;
  }
  const packages = fitting.map(([name]) => `@bloomchats/sdk-${name}@${version}`).join(" or ");
  const advice = packages
    ? `Tried ${tried.join(", ")}. Install ${packages}; package managers do so unless told to omit optional dependencies, ` +
      "and a lockfile made on another platform may lack it. A bundler must leave that package external."
    : `There are builds for ${Object.keys(platforms).join(", ")} only.`;
  throw new Error(`@bloomchats/sdk cannot load its native half on ${here}${libc()} (node ${process.version}). ${advice}`, {
    cause: causes.length > 1 ? new AggregateError(causes, "every place failed") : causes[0],
  });
}

/** The addon. */
export const native = load();
