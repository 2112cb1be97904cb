// Installs the packed tarballs into empty projects as strangers would, and has each send a message.
//
//   node bindings-node/build.mjs --pack && node tests/install/node/run.mjs [project…]
//
// The message goes to the sandbox where BLOOMCHATS_BIN names the command, otherwise to a small server of this program. The project
// `story` gets that command as `@bloomchats/sandbox`, and has nothing else to find a sandbox by.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, cpSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const npm = join(here, "../../../bindings-node/npm");
const tarballs = readdirSync(npm).filter((name) => name.endsWith(".tgz")).map((name) => join(npm, name));
if (tarballs.length !== 2) throw new Error("expected the main package's tarball and this platform's: node bindings-node/build.mjs --pack");

async function sandbox(program) {
  const child = spawn(program, ["sandbox", "--port", "0", "--json"], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  const { url, blooio_api_key: key } = JSON.parse(line);
  return { url, key, stop: () => child.kill() };
}

async function loopback() {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(202, { "content-type": "application/json" }).end('{"message_id":"m1","status":"queued"}');
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return { url: `http://127.0.0.1:${server.address().port}`, key: "bl_test_key", stop: () => (server.closeAllConnections(), server.close()) };
}

/** Not `spawnSync`: the server that the consumer talks to lives here. */
async function run(folder, env, command, ...args) {
  const child = spawn(command, args, { cwd: folder, env: { ...process.env, ...env } });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += data));
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} failed (${code}):\n${output}`);
  return output;
}

/** The command, as npm would bring it. */
function companion(program) {
  if (!program) return [];
  const packed = execFileSync(process.execPath, [join(here, "../../../cli/npm/pack.mjs"), program, join(npm, "companion")], { encoding: "utf8" });
  return packed.trim().split("\n");
}

async function consume(project, flags, env) {
  const folder = mkdtempSync(join(tmpdir(), `consumer-${project}-`));
  try {
    cpSync(join(here, project), folder, { recursive: true });
    const story = project === "story";
    if (story) copyFileSync(join(here, "../../../examples/story.mjs"), join(folder, "story.mjs"));
    await run(folder, {}, "npm", "install", "--no-audit", "--no-fund", "--prefer-offline", ...flags, ...tarballs, ...(story ? command : []));
    const bare = readdirSync(join(folder, "node_modules/@bloomchats")).filter((name) => !existsSync(join(folder, "node_modules/@bloomchats", name, "LICENSE-MIT")));
    if (bare.length > 0) throw new Error(`no licence came with ${bare}`);
    const output = await run(folder, story ? { BLOOMCHATS_BIN: "", BLOOMCHATS_SANDBOX_URL: "" } : env, "npm", "run", "--silent", "consume");
    if (!(story ? /came to its end/ : /^sent \S+$/m).test(output)) throw new Error(`it did not do its work:\n${output}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const command = companion(process.env.BLOOMCHATS_BIN);
const server = await (process.env.BLOOMCHATS_BIN ? sandbox(process.env.BLOOMCHATS_BIN) : loopback());
const wanted = process.argv.slice(2);
const projects = readdirSync(here).filter((name) => statSync(join(here, name)).isDirectory() && (wanted.length === 0 || wanted.includes(name)) && (name !== "story" || command.length > 0));
let failed = 0;
for (const flags of [[], ["--ignore-scripts"]]) {
  for (const project of projects) {
    const title = [project, ...flags].join(" ");
    try {
      await consume(project, flags, { BLOOIO_BASE_URL: server.url, BLOOIO_API_KEY: server.key });
      console.log(`ok ${title}`);
    } catch (error) {
      failed += 1;
      console.error(`not ok ${title}\n${error.message}`);
    }
  }
}
server.stop();
console.log(`install: ${2 * projects.length - failed} passed, ${failed} failed`);
if (failed > 0 || projects.length === 0) process.exitCode = 1;
