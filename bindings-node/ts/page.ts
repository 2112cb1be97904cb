/** Lists: items one by one, or pages one by one. */

import { type InspectOptions, inspect } from "node:util";

import type { Completion } from "./bridge";
import { APIResponse } from "./call";
import type { NativePage } from "./native";
import { show } from "./show";

/** One page of a list, with what the service said around it. */
export class Page<T> extends APIResponse<T[]> {
  /** The whole body, as plain JSON. */
  readonly body: unknown;
  /** Whether a page follows. */
  readonly hasNext: boolean;
  readonly #follow: () => Promise<Page<T>>;

  /** @internal */
  constructor(completion: Completion, check: (item: unknown) => unknown, follow: () => Promise<Page<T>>) {
    const body = JSON.parse(completion.body) as Record<string, T[]> | T[];
    const items = (completion.items ? (body as Record<string, T[]>)[completion.items] : (body as T[])) ?? [];
    for (const item of items) check(item);
    super(completion, items.slice());
    this.body = body;
    this.hasNext = completion.next !== undefined;
    this.#follow = follow;
  }

  /** The page's items. */
  get items(): T[] {
    return this.value;
  }

  /** Fetches the page after this one, `undefined` after the last; a failed fetch may be tried again. */
  async nextPage(): Promise<Page<T> | undefined> {
    return this.hasNext ? this.#follow() : undefined;
  }

  /** @internal */
  override [inspect.custom](depth: number | null, options: InspectOptions): string {
    const { items, hasNext, status, requestId, attempts } = this;
    return show(this, { items, hasNext, status, requestId, attempts }, depth, options);
  }
}

/** How a list gets its pages: the first one, then each by what the last one said of it. @internal */
export type Fetch = (next: NativePage | undefined) => Promise<Completion>;

/**
 * A list that has not been asked for yet. `for await (const item of list)` fetches page after page as it goes;
 * leaving the loop fetches no more. Every loop begins anew.
 */
export class List<T> implements AsyncIterable<T> {
  readonly #operation: string;
  readonly #fetch: Fetch;
  readonly #check: (item: unknown, model: string) => unknown;

  /** @internal */
  constructor(operation: string, fetch: Fetch, check: (item: unknown, model: string) => unknown) {
    this.#operation = operation;
    this.#fetch = fetch;
    this.#check = check;
  }

  /** Every item of every page. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for await (const page of this.pages()) yield* page.items;
  }

  /** The pages themselves. */
  async *pages(): AsyncGenerator<Page<T>, void, undefined> {
    for (let page: Page<T> | undefined = await this.#page(undefined); page; page = await page.nextPage()) yield page;
  }

  async #page(next: NativePage | undefined): Promise<Page<T>> {
    const completion = await this.#fetch(next);
    return new Page<T>(completion, (item) => this.#check(item, completion.model), () => this.#page(completion.next));
  }

  /** Every item in one array. Mind the length of the list. */
  async all(): Promise<T[]> {
    const items: T[] = [];
    for await (const page of this.pages()) {
      // Not all at once: a page may hold more items than a call may have arguments.
      for (const item of page.items) items.push(item);
    }
    return items;
  }

  /** What it is a list of: one that showed nothing would pass for an empty one. @internal */
  [inspect.custom](depth: number | null, options: InspectOptions): string {
    return show(this, { operation: this.#operation }, depth, options);
  }
}
