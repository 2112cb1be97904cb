/** Requests to the sandbox's control API, not through the clients: they are not asked about themselves. */

/** The sandbox cannot be found, started or reached, or refuses what it is asked. */
export class SandboxError extends Error {
  /** HTTP status of a refusal; `undefined` when it was never asked. */
  declare readonly status: number | undefined;

  constructor(message: string, { status, cause }: { status?: number; cause?: unknown } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    if (status !== undefined) this.status = status;
    this.name = "SandboxError";
  }
}

// Kept from before any test replaces it.
const { fetch } = globalThis;

/** The control API of one namespace. */
export class Control {
  readonly #headers: Record<string, string>;

  constructor(readonly url: string, key?: string) {
    this.#headers = { "content-type": "application/json", ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) };
  }

  /** The answer's JSON. */
  async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const [status, text] = await this.#exchange(method, path, body);
    const answer = parse(text);
    if (answer === undefined) throw new SandboxError(`what answers at ${this.url} is no sandbox`, { status });
    if (status >= 300) throw new SandboxError((answer as { message?: string }).message ?? `status ${status}`, { status });
    return answer as T;
  }

  async #exchange(method: string, path: string, body: unknown): Promise<[number, string]> {
    const init = { method, headers: this.#headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    try {
      const response = await fetch(`${this.url}/_sandbox${path}`, init);
      return [response.status, await response.text()];
    } catch (cause) {
      throw new SandboxError(`no sandbox answers at ${this.url}`, { cause });
    }
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
