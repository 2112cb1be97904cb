/** What `console.log` shows of this package's objects. */

import { type InspectOptions, inspect } from "node:util";

/** Adds a property that nobody meets who looks at the object. A proxy may wrap what it gives, as it may what a field gives. */
export function conceal(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, configurable: true, writable: true });
}

/** An object as its class' name and these fields, without those that are undefined; for `inspect.custom`. `depth`: levels left; `null`: all. */
export function show(object: object, fields: object, depth: number | null, options: InspectOptions): string {
  const { name } = object.constructor;
  if (depth !== null && depth < 0) return `[${name}]`;
  const known = Object.fromEntries(Object.entries(fields).filter(([, field]) => field !== undefined));
  return `${name} ${inspect(known, { ...options, depth })}`;
}

/** An object whose parts are shown by their names alone, however deep one looks: all that is in them is ways to call. */
export function showBriefly(object: object, depth: number | null, options: InspectOptions): string {
  return show(object, object, Math.min(depth ?? 0, 0), options);
}
