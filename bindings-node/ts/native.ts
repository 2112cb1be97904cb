/** Loads the native half and says what it offers. */

import { version } from "./version";

/** A client of one product. */
export interface NativeClient { readonly __native: "client" }
/** The way on from a page. */
export interface NativePage { readonly __native: "page" }
/** Reads back what a scripted client did: JSON `{"requests", "waits_ms", "left"}`. */
export interface NativeScript { read(): string }

/** An upload. */
export interface NativeUpload { field: string; filename: string; contentType: string; bytes: Uint8Array }

/** What happened to a call: its end, or the question for a credential (neither `error` nor `head`). */
export interface NativeCompletion { call: number; error?: string; head?: string; body?: string; model?: string; items?: string; next?: NativePage }

/** One environment's calls. Results that are strings are JSON of an error. */
export interface NativeBridge {
  open(config: string, provider: boolean): NativeClient | string;
  openScripted(config: string, provider: boolean, transcript: string): { client: NativeClient; script: NativeScript } | string;
  call(client: NativeClient, operation: string, args: string, options: string, uploads?: NativeUpload[]): number;
  nextPage(page: NativePage): number;
  cancel(call: number): string | null;
  answer(call: number, key: string): void;
  drain(): NativeCompletion[];
}

/** The addon's exports. */
export interface Native {
  Bridge: new (wake: () => void) => NativeBridge;
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

function platform(): string {
  const base = `${process.platform}-${process.arch}`;
  return process.platform === "linux" ? `${base}-${libc()}` : base;
}

function libc(): "gnu" | "musl" {
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined;
  return report?.header?.glibcVersionRuntime ? "gnu" : "musl";
}

function load(): Native {
  const name = platform();
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
  // A checkout has the addon beside its scripts; an installed package has it in the platform's own package.
  const beside = `./bloomchats.${name}.node`;
  const packaged = platforms[name];
  const native =
    (packaged && attempt(`@bloomchats/sdk-${name}`, packaged)) ?? attempt(`${__dirname}/${beside.slice(2)}`, () => require(beside));
  if (native) return native;
  const advice = packaged
    ? `Install @bloomchats/sdk-${name}@${version}; package managers do so unless told to omit optional dependencies, ` +
      "and a lockfile made on another platform may lack it. A bundler must leave this package external."
    : `There is a build for ${Object.keys(platforms).join(", ")} only.`;
  throw new Error(
    `@bloomchats/sdk cannot load its native half for ${name} (node ${process.version}). Tried ${tried.join(", ")}. ${advice}`,
    { cause: causes.length > 1 ? new AggregateError(causes, "every place failed") : causes[0] },
  );
}

/** The addon. */
export const native = load();
