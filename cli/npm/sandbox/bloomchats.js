#!/usr/bin/env node
"use strict";

const { spawnSync } = require("node:child_process");

const { status, signal, error } = spawnSync(require("./index.js"), process.argv.slice(2), { stdio: "inherit" });
if (error) throw error;
if (signal) process.kill(process.pid, signal);
process.exitCode = status ?? 1;
