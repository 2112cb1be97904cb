/** Where a sandbox comes from: a process of our own that ends when we do. */

import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import type { Socket } from "node:net";
import { join } from "node:path";
import type { Readable } from "node:stream";

import { SandboxError } from "./control";

/** What a sandbox says of itself. */
export interface Facts {
  url: string;
  blooio_api_key: string;
  bloomchats_api_key: string;
}

/** How long a sandbox may take to say where it is, in ms; some 10 are usual. */
const STARTING = 10_000;
/** How long it may take to end, in ms. */
const ENDING = 5000;
/** Characters of a first line. What writes without end is no sandbox either. */
const LONGEST = 64 * 1024;

/** A `bloomchats sandbox` that lives until it is stopped or this process ends, however that ends. */
export class SandboxProcess {
  private constructor(readonly facts: Facts, readonly stop: () => Promise<End>) {}

  static async start(): Promise<SandboxProcess> {
    const program = findProgram();
    // A process group of its own: Ctrl-C is for the tests, which may still want the sandbox while they end.
    const detached = process.platform !== "win32";
    const args = ["sandbox", "--port", "0", "--json", "--stop-on-stdin-close"];
    const child = spawn(program, args, { detached, windowsHide: true, stdio: ["pipe", "pipe", "inherit"] });
    const ended = new Promise<End>((resolve) => child.once("error", resolve).once("exit", (code, signal) => resolve(code ?? signal ?? 0)));
    const stop = async (): Promise<End> => {
      child.ref();
      child.stdin.end();
      // One that is stopped, or stuck, does not notice.
      const late = setTimeout(() => kill(child), ENDING);
      const end = await ended;
      clearTimeout(late);
      return end;
    };
    let isSilent = false;
    const late = setTimeout(() => {
      isSilent = true;
      kill(child);
    }, STARTING);
    // What never started has no output, which Bun takes for a failure of the stream.
    const facts = factsOf(await firstLine(child.stdout).catch(() => ""));
    clearTimeout(late);
    if (!facts) {
      const end = await stop();
      if (!isSilent) throw unusable(program, end);
      throw new SandboxError(`\`${[program, ...args].join(" ")}\` said nothing for ${STARTING / 1000} s and was killed; for a sandbox, ${HOW}`);
    }
    letGo(child);
    return new SandboxProcess(facts, stop);
  }
}

/** Why it could not be started, its exit code, or the signal that ended it. */
type End = NodeJS.ErrnoException | number | NodeJS.Signals;

function unusable(program: string, end: End): SandboxError {
  if (!(end instanceof Error)) {
    const how = typeof end === "number" ? `exit code ${end}` : end;
    return new SandboxError(`${program} is no sandbox, or cannot start one (${how}); ${HOW}`);
  }
  if (end.code === "ENOENT" && program === COMMAND) return new SandboxError(`there is no sandbox: ${HOW}`);
  return new SandboxError(`${program} cannot be started: ${end.code}`, { cause: end });
}

const COMMAND = "bloomchats";
const HOW =
  "install it with `npm install --save-dev @bloomchats/sandbox`, or put the `bloomchats` command on PATH, " +
  "or name it in BLOOMCHATS_BIN, or name a running one in BLOOMCHATS_SANDBOX_URL";

/** `BLOOMCHATS_BIN`, else what the package `@bloomchats/sandbox` brings, else `bloomchats` on PATH. */
function findProgram(): string {
  const named = process.env["BLOOMCHATS_BIN"];
  if (named) return named;
  for (const from of [__filename, join(process.cwd(), "package.json")]) {
    try {
      // The package's only export is the program's path.
      return createRequire(from)("@bloomchats/sandbox") as string;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") throw error;
    }
  }
  return COMMAND;
}

async function firstLine(stream: Readable): Promise<string> {
  let text = "";
  stream.setEncoding("utf8");
  for await (const chunk of stream) {
    text += chunk as string;
    if (text.includes("\n") || text.length > LONGEST) break;
  }
  return text;
}

function factsOf(line: string): Facts | undefined {
  try {
    const told = JSON.parse(line) as Partial<Facts> | null;
    return told?.url && told.blooio_api_key && told.bloomchats_api_key ? (told as Facts) : undefined;
  } catch {
    return undefined;
  }
}

/** And what it started: the program may be a script around another. */
function kill(child: ChildProcess): void {
  if (process.platform === "win32" || child.pid === undefined) return void child.kill("SIGKILL");
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // All of them have ended.
  }
}

/** It must not keep this process alive; its standard input closes with us, and that ends it. */
function letGo(child: ChildProcess): void {
  child.unref();
  // It is a socket here; in Bun it is none, and keeps nothing alive.
  (child.stdin as Partial<Socket>).unref?.();
}
