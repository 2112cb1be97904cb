// Packs the built command for npm: `@bloomchats/sandbox`, and this platform's package with the program in it.
//
//   node pack.mjs PROGRAM FOLDER     writes both tarballs into FOLDER and prints their paths

import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const [program, folder] = process.argv.slice(2).map((path) => resolve(path));
const manifest = JSON.parse(readFileSync(join(here, "sandbox/package.json"), "utf8"));
const { version } = JSON.parse(readFileSync(join(here, "../../bindings-node/package.json"), "utf8"));

// What npm needs to know of each platform. A new one is a row here, and a machine that builds it.
const PLATFORMS = {
  "linux-x64-gnu": { os: ["linux"], cpu: ["x64"], libc: ["glibc"] },
};
const LICENSES = ["LICENSE-APACHE", "LICENSE-MIT"];
const { platform } = await import("./sandbox/platform.js").then((module) => module.default);

const work = mkdtempSync(join(tmpdir(), "bloomchats-sandbox-"));
try {
  const main = join(work, "sandbox");
  cpSync(join(here, "sandbox"), main, { recursive: true });
  const parts = Object.keys(PLATFORMS).map((name) => [`@bloomchats/sandbox-${name}`, version]);
  write(join(main, "package.json"), { ...manifest, version, optionalDependencies: Object.fromEntries(parts) });

  const native = join(work, "native");
  const { license, repository, engines } = manifest;
  const name = `@bloomchats/sandbox-${platform}`;
  const description = `The program of @bloomchats/sandbox for ${platform}`;
  mkdirSync(native);
  copyFileSync(program, join(native, "bloomchats"));
  chmodSync(join(native, "bloomchats"), 0o755);
  write(join(native, "package.json"), { name, version, description, license, repository, engines, ...PLATFORMS[platform], files: ["bloomchats", ...LICENSES] });
  writeFileSync(join(native, "README.md"), `# ${name}\n\n${description}. Install \`@bloomchats/sandbox\`, which chooses it.\n`);

  mkdirSync(folder, { recursive: true });
  for (const source of [main, native]) {
    for (const license of LICENSES) copyFileSync(join(here, "../..", license), join(source, license));
    console.log(join(folder, pack(source)));
  }
} finally {
  rmSync(work, { recursive: true });
}

function write(path, content) {
  writeFileSync(path, `${JSON.stringify(content, null, 2)}\n`);
}

function pack(source) {
  const { status, stdout, stderr } = spawnSync("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: source, encoding: "utf8" });
  if (status !== 0) throw new Error(`npm pack failed (${status}): ${stderr}`);
  return stdout.trim();
}
