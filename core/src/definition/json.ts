import { HephaestusError } from "./errors.ts";
import { utf8Length } from "./utf8.ts";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** JSON text of one payload (an input, a result, an event's payload). Storages store it as it is. */
export type JsonText = string;

/**
 * The largest payload, in bytes of its JSON text in UTF-8. A storage's value limit (2 MB in a Durable Object and in D1)
 * must hold one payload together with the record around it, also where a text takes two bytes a character.
 */
export const PAYLOAD_BYTES_MAX = 900_000;

/** How deep a payload may nest: deeper ones would overflow the stack of some runtime on the way. */
export const PAYLOAD_DEPTH_MAX = 200;

/**
 * The one codec of payloads, the same on every storage, memory included: what a step sees live is what it would see
 * after a restart. Undefined properties are dropped, as JSON does; everything else that JSON would change silently
 * (functions, BigInts, cycles, NaN, Dates and other objects with `toJSON`, class instances, keys that are symbols, holes
 * in arrays) is refused. Only -0 becomes 0.
 *
 * @param what names the payload in the error, for example `result of step "charge"`
 * @returns the JSON text, or undefined for undefined
 * @throws HephaestusError NOT_JSON with `details.path`, LIMIT_EXCEEDED with `details.limit`
 */
export function encodePayload(value: unknown, what: string): JsonText | undefined {
  if (value === undefined) return undefined;
  check(value, what, [], []);
  const text = JSON.stringify(value);
  // No character takes more than three bytes a unit: most payloads need no counting.
  const bytes = text.length * 3 > PAYLOAD_BYTES_MAX ? utf8Length(text) : 0;
  if (bytes > PAYLOAD_BYTES_MAX) {
    throw new HephaestusError("LIMIT_EXCEEDED", `${what} is ${bytes} bytes of JSON; the most is ${PAYLOAD_BYTES_MAX}`, {
      limit: "PAYLOAD_BYTES_MAX",
      most: PAYLOAD_BYTES_MAX,
      found: bytes,
    });
  }
  return text;
}

export function decodePayload(text: JsonText): Json;
export function decodePayload(text: JsonText | undefined): Json | undefined;
export function decodePayload(text: JsonText | undefined): Json | undefined {
  return text === undefined ? undefined : (JSON.parse(text) as Json);
}

type Path = (string | number)[];

function check(value: unknown, what: string, path: Path, ancestors: object[]): void {
  switch (typeof value) {
    case "string":
    case "boolean":
      return;
    case "number":
      if (!Number.isFinite(value)) refuse(what, path, String(value));
      return;
    case "object":
      if (value !== null) checkObject(value, what, path, ancestors);
      return;
    default:
      refuse(what, path, typeof value);
  }
}

function checkObject(value: object, what: string, path: Path, ancestors: object[]): void {
  if (ancestors.includes(value)) refuse(what, path, "a cycle");
  if (ancestors.length >= PAYLOAD_DEPTH_MAX) refuse(what, path, `nesting deeper than ${PAYLOAD_DEPTH_MAX}`);
  if (typeof (value as { toJSON?: unknown }).toJSON === "function")
    refuse(what, path, nameOf(value, "an object with toJSON"));
  if (Object.getOwnPropertySymbols(value).length > 0) refuse(what, path, "an object with a symbol among its keys");
  ancestors.push(value);
  if (Array.isArray(value)) {
    if (Object.keys(value).length > value.length) refuse(what, path, "an array with properties of its own");
    for (let index = 0; index < value.length; index++) {
      path.push(index);
      check(value[index], what, path, ancestors);
      path.pop();
    }
  } else {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
      refuse(what, path, nameOf(value, "an instance of a class"));
    }
    for (const key of Object.keys(value)) {
      const member = (value as Record<string, unknown>)[key];
      if (member === undefined) continue;
      path.push(key);
      // A key that assignment treats specially would be lost or worse in the next program that copies the object.
      if (key === "__proto__") refuse(what, path, "a property named __proto__");
      check(member, what, path, ancestors);
      path.pop();
    }
  }
  ancestors.pop();
}

function nameOf(value: object, otherwise: string): string {
  const name: unknown = value.constructor?.name;
  return typeof name === "string" && name !== "" && name !== "Object" ? `an instance of ${name}` : otherwise;
}

function refuse(what: string, path: Path, found: string): never {
  const at = formatPath(path);
  throw new HephaestusError("NOT_JSON", `${what} is not JSON: ${at} is ${found}`, { path: at, found });
}

/** `$.items[0].price`, as in JSONPath. */
export function formatPath(path: readonly PropertyKey[]): string {
  let text = "$";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else if (/^[A-Za-z_$][\w$]*$/.test(String(part))) text += `.${String(part)}`;
    else text += `[${JSON.stringify(String(part))}]`;
  }
  return text;
}
