// Builds the package: the addon with cargo, the scripts with tsc, the ES module faces of the CommonJS core.
//
//   node build.mjs [--release]         dist/, usable from this checkout
//   node build.mjs --pack [--release]  also npm/*.tgz: the main package and this platform's
//
// There is one core, in CommonJS, so that `import` and `require` in one process share classes, connections and state.

import { spawnSync } from "node:child_process";
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const dist = join(here, "dist");
const release = process.argv.includes("--release");

// What npm needs to know of each platform. A new one is a row here, a row in ts/native.ts, and a machine that builds it.
const PLATFORMS = {
  "linux-x64-gnu": { os: ["linux"], cpu: ["x64"], libc: ["glibc"] },
};
const LIBRARY = { linux: "libbloomchats_node.so", darwin: "libbloomchats_node.dylib", win32: "bloomchats_node.dll" };

/** A packed addon is at most this large. */
const LIMIT = 2_000_000;

const LICENSES = ["LICENSE-APACHE", "LICENSE-MIT"];

function run(command, args, cwd = here) {
  const { status, error } = spawnSync(command, args, { cwd, stdio: "inherit" });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed (${status})`);
}

function json(path) {
  return JSON.parse(readFileSync(path, "utf8"));
}

const { version } = json(join(here, "package.json"));
const claims = {
  "Cargo.toml": /\[workspace\.package\]\s+version = "(.+?)"/.exec(readFileSync(join(root, "Cargo.toml"), "utf8"))?.[1],
  "ts/version.ts": /version = "(.+?)"/.exec(readFileSync(join(here, "ts/version.ts"), "utf8"))?.[1],
};
for (const [file, claim] of Object.entries(claims)) {
  if (claim !== version) throw new Error(`package.json is version ${version}, ${file} is ${claim}`);
}

function platform() {
  const base = `${process.platform}-${process.arch}`;
  if (process.platform !== "linux") return base;
  return `${base}-${process.report.getReport().header.glibcVersionRuntime ? "gnu" : "musl"}`;
}

const addon = `bloomchats.${platform()}.node`;

function buildAddon() {
  run("cargo", ["build", "--quiet", "--package", "bloomchats-node", ...(release ? ["--profile", "addon"] : [])], root);
  const { CARGO_TARGET_DIR, CARGO_BUILD_TARGET } = process.env;
  const target = join(CARGO_TARGET_DIR ?? join(root, "target"), CARGO_BUILD_TARGET ?? "");
  copyFileSync(join(target, release ? "addon" : "debug", LIBRARY[process.platform]), join(dist, addon));
}

/** `index.mjs` names what `index.js` exports; its types are those of `index.js`. */
function buildFace(name) {
  const exported = Object.keys(createRequire(import.meta.url)(join(dist, `${name}.js`))).sort();
  writeFileSync(join(dist, `${name}.mjs`), `export {\n  ${exported.join(",\n  ")},\n} from "./${name}.js";\n`);
  writeFileSync(join(dist, `${name}.d.mts`), `export * from "./${name}.js";\n`);
}

function write(path, content) {
  writeFileSync(path, `${JSON.stringify(content, null, 2)}\n`);
}

function pack() {
  const npm = join(here, "npm");
  const main = join(npm, "sdk");
  const native = join(npm, `sdk-${platform()}`);
  rmSync(npm, { recursive: true, force: true });
  const { scripts, devDependencies, ...manifest } = json(join(here, "package.json"));
  const names = Object.keys(PLATFORMS).map((name) => [`@bloomchats/sdk-${name}`, version]);
  mkdirSync(main, { recursive: true });
  write(join(main, "package.json"), { ...manifest, optionalDependencies: Object.fromEntries(names) });
  cpSync(dist, join(main, "dist"), { recursive: true, filter: (path) => !path.endsWith(".node") });
  // Resolvers that know no `exports` look for `@bloomchats/sdk/testing` here.
  writeFileSync(join(main, "testing.js"), 'module.exports = require("./dist/testing.js");\n');
  writeFileSync(join(main, "testing.d.ts"), 'export * from "./dist/testing";\n');
  cpSync(join(here, "README.md"), join(main, "README.md"));
  mkdirSync(native, { recursive: true });
  copyFileSync(join(dist, addon), join(native, addon));
  const { license, repository, engines } = manifest;
  const facts = PLATFORMS[platform()];
  if (!facts) throw new Error(`${platform()} has no row in PLATFORMS`);
  const description = `The native half of @bloomchats/sdk for ${platform()}`;
  write(join(native, "package.json"), { name: `@bloomchats/sdk-${platform()}`, version, description, license, repository, engines, type: "commonjs", ...facts, main: addon, files: [addon, ...LICENSES] });
  writeFileSync(join(native, "README.md"), `# @bloomchats/sdk-${platform()}\n\n${description}. Install \`@bloomchats/sdk\`, which chooses it.\n`);
  for (const folder of [main, native]) {
    for (const license of LICENSES) copyFileSync(join(root, license), join(folder, license));
    run("npm", ["pack", "--silent", "--pack-destination", npm], folder);
  }
  const { size } = statSync(join(npm, `bloomchats-sdk-${platform()}-${version}.tgz`));
  console.log(`addon: ${(size / 1e6).toFixed(2)} MB packed${release ? "" : " (debug)"}`);
  if (release && size > LIMIT) throw new Error(`the packed addon is larger than ${LIMIT / 1e6} MB`);
}

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
buildAddon();
if (!existsSync(join(here, "node_modules/typescript"))) run("npm", ["ci", "--silent", "--no-audit", "--no-fund"]);
run(process.execPath, [join(here, "node_modules/typescript/bin/tsc"), "--project", "tsconfig.json"]);
buildFace("index");
buildFace("testing");
if (process.argv.includes("--pack")) pack();
