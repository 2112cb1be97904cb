// Everything that can be said of the built package, in one go: `npm test` after `npm run build`.

import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const bin = (name) => join(here, "node_modules/.bin", name);
const tests = join(root, "tests/node");

/** Runs a step; its output is shown where it fails, or where it is the point. */
function step(title, command, args, { show = false, input } = {}) {
  const begun = performance.now();
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: here, input, encoding: "utf8", maxBuffer: 64 << 20 });
  if (error) throw error;
  const output = `${stdout}${stderr}`;
  if (show || status !== 0) console.log(output.trimEnd());
  if (status !== 0) throw new Error(`${title}: failed (${status})`);
  console.log(`${title}: passed in ${((performance.now() - begun) / 1000).toFixed(1)} s`);
  return output;
}

const node = process.execPath;
step("clippy", "cargo", ["clippy", "--quiet", "--no-deps", "--package", "bloomchats-node", "--", "-D", "warnings"]);
const runner = join(root, "tests/runners/node/run.mjs");
// Hosts without libuv have their calls driven by a thread: the package takes this for one of them.
step("corpus, on a thread", node, ["--import", "data:text/javascript,globalThis.Bun={}", runner], { show: true });
step("corpus", node, [runner], { show: true });

const files = readdirSync(tests).filter((name) => name.endsWith(".test.mjs")).map((name) => join(tests, name));
const told = step("tests", node, ["--test", "--test-reporter=tap", "--test-timeout=120000", ...files]);
const passed = Number(/^# pass (\d+)$/m.exec(told)?.[1] ?? 0);
console.log(`tests: ${passed}`);
if (passed === 0) throw new Error("tests: none ran");

// What strangers would get, size included; a debug build is enough to work with.
const release = process.env.CI === "true" ? ["--release"] : [];
console.log(step("pack", node, [join(here, "build.mjs"), "--pack", ...release]).split("\n").filter((line) => line.startsWith("addon:")).join());
const { version } = JSON.parse(readFileSync(join(here, "package.json"), "utf8"));
// A debug build is slower by so much.
step("growth", node, ["--expose-gc", "--max-semi-space-size=2", join(tests, "growth.mjs"), ...(release.length ? [] : ["40000"])], { show: true });
step("publint", bin("publint"), ["--strict", "npm/sdk"]);
step("attw", bin("attw"), [`npm/bloomchats-sdk-${version}.tgz`]);
step("install", node, [join(root, "tests/install/node/run.mjs")], { show: true });
