const native = "@bloomchats/sdk-linux-x64-gnu";

// What webpack only warns of is a failure here.
require("webpack")({ mode: "production", target: "node", context: __dirname, entry: "./main.mjs", output: { path: `${__dirname}/out` }, externals: { [native]: `commonjs ${native}` } }, (error, stats) => {
  if (!error && !stats.hasErrors() && !stats.hasWarnings()) return;
  console.error(error ?? stats.toString("errors-warnings"));
  process.exitCode = 1;
});
