/** Values by what they are, not by whose class made them: `vm`, test runners and browser-like environments have classes of their own. */

import { types } from "node:util";

/** The bytes of a view or a buffer, shared with it; `undefined` for anything else. */
export function bytesOf(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  return types.isAnyArrayBuffer(value) ? new Uint8Array(value) : undefined;
}

/** Whether a value is a `Blob` or a `File`. */
export function isBlob(value: unknown): value is Blob & { readonly name?: string } {
  return typeof (value as Blob | null)?.arrayBuffer === "function" && ["Blob", "File"].includes(nameOf(value));
}

/** Whether a value is a Fetch `Headers`. */
export function isHeaders(value: unknown): value is Headers {
  return nameOf(value) === "Headers" && typeof (value as Headers).get === "function";
}

/** What a value calls itself: `Map`, `URLSearchParams`, … */
export function nameOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}
