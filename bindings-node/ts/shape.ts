/** Answers in the shapes their types promise: a field of an unexpected JSON type reads as absent, and stays reachable. */

/** An object of JSON. */
export type Fields = Record<string, unknown>;

/** Takes out of an object what does not fit; by model. */
export type Shapes = Readonly<Record<string, (value: Fields) => void>>;

/** What was taken out of each object; nothing, for nearly every one. */
const misfits = new WeakMap<object, Fields>();

/** Takes a field out, if it is one. */
export function misfit(object: Fields, name: string): void {
  if (!Object.hasOwn(object, name)) return;
  misfits.set(object, { ...misfits.get(object), [name]: object[name] });
  delete object[name];
}

// Whether a value fits. What is absent or null does, everywhere.

export function string(value: unknown): boolean {
  return typeof value === "string" || value === null || value === undefined;
}

export function number(value: unknown): boolean {
  return typeof value === "number" || value === null || value === undefined;
}

export function integer(value: unknown): boolean {
  return Number.isInteger(value) || value === null || value === undefined;
}

export function boolean(value: unknown): boolean {
  return typeof value === "boolean" || value === null || value === undefined;
}

export function object(value: unknown): boolean {
  return value === undefined || (typeof value === "object" && !Array.isArray(value));
}

/** Fields that do not fit are taken out of it, and it fits without them. */
export function model(value: unknown, shape: ((value: Fields) => void) | undefined): boolean {
  if (value === null || value === undefined) return true;
  if (!object(value)) return false;
  shape?.(value as Fields);
  return true;
}

export function list(value: unknown, fits?: (item: unknown) => boolean): boolean {
  if (value === null || value === undefined) return true;
  return Array.isArray(value) && (fits === undefined || value.every(fits));
}

/**
 * A value as the service sent it: with the fields whose JSON type contradicts the contract, which typed access leaves
 * out. A deep copy where there are any; otherwise the value itself.
 */
export function raw(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(raw);
    return items.some((item, i) => item !== value[i]) ? items : value;
  }
  if (typeof value !== "object" || value === null) return value;
  const taken = misfits.get(value);
  const entries = Object.entries(value);
  const fields = entries.map(([name, field]): [string, unknown] => [name, raw(field)]);
  return taken !== undefined || fields.some(([, field], i) => field !== entries[i]?.[1]) ? { ...Object.fromEntries(fields), ...taken } : value;
}
