/** Names as this language writes them, and as core knows them. */

const snakes = new Map<string, string>();

/** `replyTo` → `reply_to`: the name that core knows an argument or a setting by. */
export function snake(name: string): string {
  let snake = snakes.get(name);
  if (snake === undefined) {
    snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    // Names come from code, not from users; the bound is for code that passes a user's object on as it came.
    if (snakes.size < 2000) snakes.set(name, snake);
  }
  return snake;
}

/** `reply_to` → `replyTo`. */
export function camel(name: string): string {
  return name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}
