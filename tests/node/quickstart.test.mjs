// The example as it is printed, against the sandbox. It is the package's own import that finds the package.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const program = process.env.BLOOMCHATS_BIN;

test("the quickstart does the main job", { skip: program ? false : "BLOOMCHATS_BIN names no sandbox" }, async (t) => {
  const sandbox = spawn(program, ["sandbox", "--port", "0", "--json"], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => sandbox.kill());
  const [line] = await once(createInterface({ input: sandbox.stdout }), "line");
  const { url, blooio_api_key: blooio, bloomchats_api_key: bloomchats } = JSON.parse(line);
  const child = spawn(process.execPath, ["--input-type=module"], {
    cwd: fileURLToPath(new URL("../../bindings-node", import.meta.url)),
    env: { ...process.env, BLOOIO_BASE_URL: url, BLOOMCHATS_BASE_URL: url, BLOOIO_API_KEY: blooio, BLOOMCHATS_API_KEY: bloomchats },
  });
  child.stdin.end(readFileSync(new URL("../../examples/quickstart.mjs", import.meta.url)));
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += data));
  const [code] = await once(child, "close");
  assert.equal(code, 0, output);
  for (const line of [/BloomChats: \d+ contacts/, /Blooio v2: \S+ is delivered/, /dry run would send, then \S+ was sent/, /NotFoundError \(404\)/]) assert.match(output, line);
});
