/** Answers in the shapes their types promise: a field of an unexpected JSON type reads as absent, and stays reachable. */

/** What a field may be. `any` is not looked at. */
export type Kind = "any" | "string" | "number" | "integer" | "boolean" | "object" | { readonly model: string } | { readonly list: Kind };

/** Fields by wire name, by model. */
export type Shapes = Readonly<Record<string, Readonly<Record<string, Kind>>>>;

type Fields = Record<string, unknown>;

/** What was taken out of each object; nothing, for nearly every one. */
const misfits = new WeakMap<object, Fields>();

/** Takes what does not fit out of a value that was just parsed. */
export function shape<T>(value: unknown, kind: Kind, shapes: Shapes): T {
  fits(value, kind, shapes);
  return value as T;
}

function fits(value: unknown, kind: Kind, shapes: Shapes): boolean {
  if (kind === "any" || value === null) return true;
  if (typeof kind === "string") return kind === "integer" ? Number.isInteger(value) : typeof value === kind && !Array.isArray(value);
  if ("list" in kind) return Array.isArray(value) && value.every((item) => fits(item, kind.list, shapes));
  if (typeof value !== "object" || Array.isArray(value)) return false;
  const fields = shapes[kind.model];
  if (fields !== undefined) for (const name of Object.keys(value)) take(value as Fields, name, fields[name] ?? "any", shapes);
  return true;
}

function take(object: Fields, name: string, kind: Kind, shapes: Shapes): void {
  if (fits(object[name], kind, shapes)) return;
  const taken = misfits.get(object) ?? {};
  misfits.set(object, { ...taken, [name]: object[name] });
  delete object[name];
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
