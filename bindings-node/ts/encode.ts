/** Values of JavaScript as the JSON that core reads, and refusals of those that JSON would change without a word. */

import { InvalidArgumentError } from "./generated/errors";
import { refusal } from "./error";

/** Deeper values are cycles, or nothing any service takes. */
const DEPTH = 100;

/** JSON of an object; `undefined` is left out, `bigint` keeps its digits, `toJSON` is honoured. */
export function encode(value: object): string {
  return isPlain(value) ? JSON.stringify(value) : write(value, "", "", 0) ?? "{}";
}

/** Whether there is nothing in it that JSON could change: so it is with nearly every call, and the engine writes it fastest. */
function isPlain(value: object): boolean {
  for (const key of Object.keys(value)) {
    const field = (value as Record<string, unknown>)[key];
    if (typeof field !== "string" && typeof field !== "boolean" && field !== undefined && !Number.isFinite(field)) return false;
  }
  return true;
}

function write(value: unknown, path: string, key: string, depth: number): string | undefined {
  if (value === null) return "null";
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "boolean":
      return value ? "true" : "false";
    case "number":
      if (Number.isFinite(value)) return String(value);
      return refuse(path, `${value} is not a number that JSON knows`);
    case "bigint":
      return value.toString();
    case "undefined":
      return undefined;
    case "function":
    case "symbol":
      return refuse(path, `a ${typeof value} is not data`);
    case "object":
      return compound(value, path, key, depth);
  }
}

function compound(value: object, path: string, key: string, depth: number): string | undefined {
  if (depth > DEPTH) return refuse(path, "is nested too deeply, or holds itself");
  if (Array.isArray(value)) return array(value, path, depth);
  const { toJSON } = value as { toJSON?: unknown };
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof Blob) return refuse(path, "bytes are only accepted as a file");
  if (value instanceof Date) return refuse(path, "is a Date; times are whole milliseconds: date.getTime()");
  if (typeof toJSON === "function") return write(toJSON.call(value, key), path, key, depth + 1);
  if (value instanceof Map || value instanceof Set || value instanceof Promise) return refuse(path, `a ${value.constructor.name} is not data`);
  return object(value, path, depth);
}

function array(value: readonly unknown[], path: string, depth: number): string {
  let out = "[";
  for (let i = 0; i < value.length; i++) {
    const at = `${path}[${i}]`;
    const item = write(value[i], at, String(i), depth + 1);
    if (item === undefined) refuse(at, "is undefined; an array has no place to leave out");
    out += i === 0 ? item : `,${item}`;
  }
  return `${out}]`;
}

function object(value: object, path: string, depth: number): string {
  let out = "";
  for (const key of Object.keys(value)) {
    const json = write((value as Record<string, unknown>)[key], path === "" ? key : `${path}.${key}`, key, depth + 1);
    if (json !== undefined) out += `${out === "" ? "" : ","}${JSON.stringify(key)}:${json}`;
  }
  return `{${out}}`;
}

function refuse(path: string, problem: string): never {
  throw refusal(InvalidArgumentError, path, problem);
}
