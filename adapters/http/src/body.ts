import { HephaestusError } from "@hephaestus/core";
import { HttpProblem } from "./problem.ts";

/**
 * The largest body of a request, in bytes, unless said otherwise. The largest payload that the engine takes
 * (`PAYLOAD_BYTES_MAX`) fits.
 */
export const BODY_LIMIT_BYTES = 1_048_576;

/**
 * Reads a body, and stops as soon as it is over the limit, whatever its headers promise.
 * @throws HephaestusError LIMIT_EXCEEDED; HttpProblem BODY_UNREADABLE, CONTENT_TYPE_UNSUPPORTED
 */
export async function readBytes(request: Request, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const encoding = request.headers.get("content-encoding")?.trim().toLowerCase() ?? "identity";
  if (encoding !== "identity" && encoding !== "") {
    throw new HttpProblem("CONTENT_TYPE_UNSUPPORTED", "a compressed body is not taken");
  }
  if (Number(request.headers.get("content-length") ?? 0) > limit) throw tooLarge(limit);
  if (request.body === null) return new Uint8Array(0);
  const reader = request.body.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read().catch(() => {
      throw new HttpProblem("BODY_UNREADABLE", "the body broke off");
    });
    if (done) break;
    length += value.byteLength;
    if (length > limit) {
      reader.cancel().catch(() => {});
      throw tooLarge(limit);
    }
    chunks.push(value);
  }
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}

function tooLarge(limit: number): HephaestusError {
  return new HephaestusError("LIMIT_EXCEEDED", `the body is larger than ${limit} bytes`, {
    limit: "BODY_LIMIT_BYTES",
    most: limit,
  });
}

/** The media type of a request, without its parameters, in lower case. */
export function mediaType(request: Request): string {
  return (request.headers.get("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
}

export function isJsonType(type: string): boolean {
  return type === "application/json" || /^[a-z0-9!#$&^_.-]+\/[a-z0-9!#$&^_.-]+\+json$/.test(type);
}

/** @throws HttpProblem JSON_MALFORMED */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes));
  } catch {
    // The parser's own message quotes the body.
    throw new HttpProblem("JSON_MALFORMED", "the body is not JSON in UTF-8");
  }
}

/**
 * Reads a JSON body; undefined when there is none.
 * @throws HttpProblem CONTENT_TYPE_UNSUPPORTED, JSON_MALFORMED, and what `readBytes` does
 */
export async function readJson(request: Request, limit: number): Promise<unknown> {
  const type = mediaType(request);
  // Told apart before the body is read: nobody should send a gigabyte to learn that it was of the wrong kind.
  if (type !== "" && !isJsonType(type)) throw wrongType(type);
  const bytes = await readBytes(request, limit);
  if (bytes.byteLength === 0) return undefined;
  if (type === "") throw wrongType("none");
  return parseJson(bytes);
}

function wrongType(type: string): HttpProblem {
  return new HttpProblem("CONTENT_TYPE_UNSUPPORTED", `the body must be application/json, not ${type.slice(0, 100)}`);
}
