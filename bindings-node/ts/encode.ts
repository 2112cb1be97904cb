/** Values of JavaScript as the JSON that core reads, and refusals of those that JSON would change without a word. */

import { types } from "node:util";

import { InvalidArgumentError } from "./generated/errors";
import { refusal } from "./error";
import { bytesOf, isBlob, nameOf } from "./realm";

/** Deeper values are cycles, or nothing any service takes. */
const DEPTH = 100;

/** JSON of an object; `undefined` is left out, `bigint` keeps its digits, `toJSON` is honoured. */
export function encode(value: object): string {
  return write(value, "", "", 0) ?? "{}";
}

/** JSON of an object with these fields, which need not be one: to make it, name by name, costs the engine more than to write it. */
export function encodeFields(fields: readonly Field[]): string {
  return object(fields, "", 0);
}

/** A name and a value. */
export type Field = readonly [name: string, value: unknown];

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
  if (depth > DEPTH) return refuse(path.split(/[.[]/, 1)[0] as string, "is nested too deeply, or holds itself");
  if (Array.isArray(value)) return array(value, path, depth);
  const { toJSON } = value as { toJSON?: unknown };
  const known = typeof toJSON === "function";
  if (Object.getPrototypeOf(value) !== Object.prototype) checkClass(value, path, known);
  return known ? write(toJSON.call(value, key), path, key, depth + 1) : object(Object.entries(value), path, depth);
}

/** Refuses objects whose content is not in their fields; `known`: they have a way to be JSON. */
function checkClass(value: object, path: string, known: boolean): void {
  if (bytesOf(value) !== undefined || isBlob(value)) refuse(path, "bytes are only accepted as a file");
  if (types.isDate(value)) refuse(path, "is a Date; times are whole milliseconds: date.getTime()");
  const hasFields = !isIterable(value) && !types.isPromise(value) && !types.isBoxedPrimitive(value) && !types.isRegExp(value) && !types.isNativeError(value);
  if (!known && !hasFields) refuse(path, `a ${nameOf(value)} is not data; pass a plain value`);
}

/** Whether a value's content is what it gives, at once or later, and not its fields. */
export function isIterable(value: object): boolean {
  return Symbol.iterator in value || Symbol.asyncIterator in value;
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

function object(fields: readonly Field[], path: string, depth: number): string {
  let out = "";
  for (const [key, value] of fields) {
    const json = write(value, path === "" ? key : `${path}.${key}`, key, depth + 1);
    if (json !== undefined) out += `${out === "" ? "" : ","}${JSON.stringify(key)}:${json}`;
  }
  return `{${out}}`;
}

function refuse(path: string, problem: string): never {
  throw refusal(InvalidArgumentError, path, problem);
}
