/** Files to send. */

import { basename } from "node:path";

import { refusal } from "./error";
import { InvalidArgumentError } from "./generated/errors";
import { bytesOf, isBlob } from "./realm";
import type { NativeUpload } from "./native";

/** Content of a file, at most 16 MiB; or content with a name and a media type of your choice. */
export type Upload = Uint8Array | ArrayBuffer | Blob | { readonly content: Uint8Array | ArrayBuffer | Blob; readonly filename?: string | undefined; readonly contentType?: string | undefined };

/** What every way to give a file comes down to; a promise where it is a `Blob`, which has yet to be read. */
export function toUpload(field: string, upload: unknown): NativeUpload | Promise<NativeUpload> {
  const { content, filename, contentType } = isWrapped(upload) ? upload : { content: upload };
  for (const [name, given] of Object.entries({ filename, contentType })) {
    if (!["string", "undefined"].includes(typeof (given ?? undefined))) throw refusal(InvalidArgumentError, `${field}.${name}`, "expected a string");
  }
  const named = (given: unknown, name?: string, type?: string): NativeUpload => {
    const bytes = bytesOf(given);
    if (bytes === undefined) throw refusal(InvalidArgumentError, field, "expected a Uint8Array, an ArrayBuffer or a Blob");
    // Bun calls a file that it reads by its path, which is nobody else's business.
    return { field, filename: filename ?? (basename(name ?? "") || field), contentType: contentType ?? (type || sniff(bytes)), bytes };
  };
  return isBlob(content) ? content.arrayBuffer().then((read) => named(read, content.name, content.type)) : named(content);
}

function isWrapped(upload: unknown): upload is { content: unknown; filename?: string; contentType?: string } {
  return typeof upload === "object" && upload !== null && "content" in upload;
}

/** The image types that both services take, by their first bytes. */
function sniff(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 12)).toString("latin1");
  if (text.startsWith("\x89PNG\r\n\x1a\n")) return "image/png";
  if (text.startsWith("\xff\xd8\xff")) return "image/jpeg";
  if (text.startsWith("RIFF") && text.endsWith("WEBP")) return "image/webp";
  if (text.startsWith("GIF87a") || text.startsWith("GIF89a")) return "image/gif";
  return "application/octet-stream";
}
