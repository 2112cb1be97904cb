"use strict";

const { platform } = require("./platform.js");

module.exports = require.resolve(`@bloomchats/sandbox-${platform}/bloomchats`);
