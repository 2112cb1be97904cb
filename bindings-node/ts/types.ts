/** Types that generated ones are made with. */

export type { Upload } from "./upload";

/** What a send returned, where an id of its message is wanted: it must hold exactly one. */
export interface SentMessage {
  readonly message_id?: string | null | undefined;
  readonly message_ids?: readonly string[] | undefined;
  readonly id?: string | undefined;
}

declare const unrecognized: unique symbol;

/** A value this version does not know the shape of: look at it before using it, with `typeof` or `in`. */
export interface Unrecognized { readonly [unrecognized]: never }

/**
 * Any other string. It is written as a pattern that no event's type fits, so that comparing with a known type narrows
 * past the events this version does not know.
 */
export type UnknownEventType = `${string}…`;

/** An event this version does not know, with everything in `raw`. */
export interface UnknownEvent {
  /** The API whose body it had. */
  readonly version: "v2" | "v4";
  /** What happened. */
  readonly type: UnknownEventType;
  /** v4: the envelope's id. */
  readonly id: string | null;
  /** v4: what the envelope holds; v2: the whole body. */
  readonly data: Record<string, unknown>;
  /** The whole body as plain JSON. */
  readonly raw: Record<string, unknown>;
}
