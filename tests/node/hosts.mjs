// The package on other hosts than the one at hand: each as npm has it, with the packed tarballs in an empty project.
//
//   node bindings-node/build.mjs --pack && BLOOMCHATS_BIN=… node tests/node/hosts.mjs node@22 node@24 node@latest bun deno
//
// Of Node also the corpus and all tests. By hand, since hosts are large downloads.

import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const npm = join(here, "../../bindings-node/npm");
const tarballs = readdirSync(npm).filter((name) => name.endsWith(".tgz")).map((name) => join(npm, name));
const tests = readdirSync(here).filter((name) => name.endsWith(".test.mjs")).map((name) => join(here, name));
if (!process.env.BLOOMCHATS_BIN) throw new Error("BLOOMCHATS_BIN names no sandbox");

function run(cwd, command, ...args) {
  const { status, signal, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: "utf8", maxBuffer: 64 << 20, timeout: 600_000 });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed (${status ?? signal}):\n${stdout}${stderr}`);
  return stdout.trim();
}

for (const host of process.argv.slice(2)) {
  const folder = mkdtempSync(join(tmpdir(), "host-"));
  try {
    writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }');
    run(folder, "npm", "install", "--silent", "--no-audit", "--no-fund", host, ...tarballs);
    copyFileSync(join(here, "smoke.mjs"), join(folder, "smoke.mjs"));
    const [name] = host.split("@");
    const program = join(folder, "node_modules/.bin", name);
    const told = [run(folder, program, ...(name === "deno" ? ["run", "--allow-all"] : []), "smoke.mjs")];
    if (name === "node") {
      told.push(run(folder, program, join(here, "../runners/node/run.mjs")));
      told.push(/^# pass \d+/m.exec(run(folder, program, "--test", "--test-reporter=tap", "--test-timeout=120000", ...tests))?.[0]);
    }
    console.log(`ok ${host} (${run(folder, program, "--version").split("\n", 1)[0]}): ${told.join(", ")}`);
  } catch (error) {
    console.error(`not ok ${host}\n${error.message}`);
    process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
