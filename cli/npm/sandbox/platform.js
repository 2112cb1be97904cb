"use strict";

function libc() {
  if (process.platform !== "linux") return "";
  return process.report.getReport().header.glibcVersionRuntime ? "-gnu" : "-musl";
}

/** As the packages that hold the program are named. */
exports.platform = `${process.platform}-${process.arch}${libc()}`;
