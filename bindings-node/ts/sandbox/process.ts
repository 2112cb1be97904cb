/** Where a sandbox comes from: a process of our own that ends when we do. */

import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Readable } from "node:stream";

import { SandboxError } from "./control";

/** What a sandbox says of itself. */
export interface Facts {
  url: string;
  blooio_api_key: string;
  bloomchats_api_key: string;
}

/** How long a sandbox may take to end, in ms. */
const PATIENCE = 5000;

/** A `bloomchats sandbox` that lives until it is stopped or this process ends, however that ends. */
export class SandboxProcess {
  private constructor(readonly facts: Facts, readonly stop: () => Promise<void>) {}

  static async start(): Promise<SandboxProcess> {
    const program = findProgram();
    // A process group of its own: Ctrl-C is for the tests, which may still want the sandbox while they end.
    const detached = process.platform !== "win32";
    const child = spawn(program, ["sandbox", "--port", "0", "--json", "--stop-on-stdin-close"], { detached, windowsHide: true, stdio: ["pipe", "pipe", "inherit"] });
    const ended = new Promise<unknown>((resolve) => child.once("error", resolve).once("exit", resolve));
    const stop = async (): Promise<void> => {
      child.ref();
      child.stdin.end();
      // One that is stopped, or stuck, does not notice.
      const kill = setTimeout(() => child.kill("SIGKILL"), PATIENCE);
      await ended;
      clearTimeout(kill);
    };
    const line = await firstLine(child.stdout);
    let facts: Facts;
    try {
      facts = JSON.parse(line) as Facts;
    } catch {
      child.stdin.end();
      throw unusable(program, await ended);
    }
    letGo(child);
    return new SandboxProcess(facts, stop);
  }
}

function unusable(program: string, end: unknown): SandboxError {
  const { code } = end as NodeJS.ErrnoException;
  if (code === "ENOENT" && program === COMMAND) return new SandboxError(HOW);
  if (end instanceof Error) return new SandboxError(`${program} cannot be started: ${code}`, { cause: end });
  return new SandboxError(`${program} is no sandbox, or cannot start one (exit code ${String(end)})`);
}

const COMMAND = "bloomchats";
const HOW =
  "there is no sandbox: install it with `npm install --save-dev @bloomchats/sandbox`, or put the `bloomchats` command on PATH, " +
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
    if (text.includes("\n")) break;
  }
  return text;
}

/** It must not keep this process alive; its standard input closes with us, and that ends it. */
function letGo(child: ChildProcess): void {
  child.unref();
  (child.stdin as unknown as { unref(): void }).unref();
}
