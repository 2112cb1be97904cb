/** People: what they received, and what they do. */

import type { Control } from "./control";

/** A message that a person received. */
export interface Received {
  /** As v4 names it. */
  id: string;
  v2_id: string;
  /** The address of our channel. */
  from: string;
  /** The group it was written to, if any. */
  group_id: string | null;
  /** `text`, `media`, `poll`, … */
  type: string;
  text: string | null;
  /** `slam`, `invisible-ink`, …; only iMessage shows one. */
  effect: string | null;
  poll: { title: string; options: string[] } | null;
  /** URLs. */
  attachments: string[];
  status: string;
  /** Epoch milliseconds of the sandbox's time. */
  sent_at: number;
}

/** What became of something that a person did. */
export interface Happening {
  chat_id: string;
  /** The message it made or changed, as v4 names it. */
  message_id: string | null;
  v2_message_id: string | null;
  /** The address of our channel. */
  to: string;
}

/** Where a person does something. */
export interface Where {
  /** The channel they write to: its address, id or alias. Default: where the conversation is. */
  to?: string | undefined;
  /** A group they are in. */
  group?: string | undefined;
}

/** What a message brings beside its text. */
export interface Written extends Where {
  /** URLs. */
  attachments?: readonly string[] | undefined;
  /** The id of a message, of v2 or v4. */
  replyTo?: string | undefined;
}

/** Which message is meant. */
export interface Chosen extends Where {
  /** Its id, of v2 or v4. Default: our last one. */
  message?: string | undefined;
}

/** A person. What they do is told to us as the services tell it: in lists, events, webhooks. */
export class Phone {
  readonly #control: Control;

  /** @internal */
  constructor(control: Control, readonly number: string) {
    this.#control = control;
  }

  /** What they received, alone and in groups, oldest first; without what failed or was cancelled. */
  async inbox(): Promise<Received[]> {
    return (await this.#control.ask<{ messages: Received[] }>("GET", `/phones/${encodeURIComponent(this.number)}/inbox`)).messages;
  }

  /** Writes to us: text, attachments, or both. */
  write(text?: string, { attachments, replyTo, ...where }: Written = {}): Promise<Happening> {
    return this.#do("message", where, { text, attachments, reply_to: replyTo });
  }

  /** Sends us a poll. */
  askPoll(title: string, options: readonly string[], where: Where = {}): Promise<Happening> {
    return this.#do("poll", where, { title, options });
  }

  /** Votes in a poll of ours, by the option's text or index; a second time takes the vote back. */
  vote(option: string | number, chosen: Chosen = {}): Promise<Happening> {
    return this.#do("poll_vote", chosen, typeof option === "string" ? { option } : { option_index: option });
  }

  /** Reacts to a message: `love`, `like`, an emoji, …; `-love` takes it back. */
  react(reaction: string, chosen: Chosen = {}): Promise<Happening> {
    return this.#do("reaction", chosen, { reaction });
  }

  /** Begins to type. */
  startTyping(where: Where = {}): Promise<Happening> {
    return this.#do("typing", where, { state: "started" });
  }

  /** Stops typing. */
  stopTyping(where: Where = {}): Promise<Happening> {
    return this.#do("typing", where, { state: "stopped" });
  }

  /** Reads one message, or everything delivered so far. */
  read(chosen: Chosen = {}): Promise<Happening> {
    return this.#do("read", chosen, {});
  }

  /** Sends us their contact card. */
  shareContactCard(where: Where = {}): Promise<Happening> {
    return this.#do("contact_card", where, {});
  }

  /** Gives a group another name. */
  renameGroup(group: string, name: string): Promise<Happening> {
    return this.#do("group_name", { group }, { name });
  }

  /** Gives a group another picture. */
  setGroupIcon(group: string, url: string): Promise<Happening> {
    return this.#do("group_icon", { group }, { icon_url: url });
  }

  #do(type: string, { to, group, message }: Chosen, fields: object): Promise<Happening> {
    return this.#control.ask("POST", "/inbound", { type, from: this.number, to, group_id: group, message_id: message, ...fields });
  }
}
