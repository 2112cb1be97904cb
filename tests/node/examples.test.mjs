// The examples as they are printed, against the sandbox. It is the package's own import that finds the package.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { testing } from "./support.mjs";

const skip = process.env.BLOOMCHATS_BIN ? false : "BLOOMCHATS_BIN names no sandbox";

test("the quickstart does the main job", { skip }, async (t) => {
  const sandbox = await testing.startSandbox();
  t.after(() => sandbox.close());
  const output = await example("quickstart", sandbox.environment);
  for (const line of [/BloomChats: \d+ contacts/, /Blooio v2: \S+ is delivered/, /dry run would send, then \S+ was sent/, /NotFoundError \(404\)/]) assert.match(output, line);
});

test("the story comes to its end", { skip }, async () => {
  assert.match(await example("story", {}), /came to its end/);
});

async function example(name, env) {
  const child = spawn(process.execPath, ["--input-type=module"], {
    cwd: fileURLToPath(new URL("../../bindings-node", import.meta.url)),
    env: { ...process.env, ...env },
  });
  child.stdin.end(readFileSync(new URL(`../../examples/${name}.mjs`, import.meta.url)));
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += data));
  const [code] = await once(child, "close");
  assert.equal(code, 0, output);
  return output;
}
