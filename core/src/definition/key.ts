import { assert, HephaestusError } from "./errors.ts";
import type { WorkflowDefinition } from "./transitions.ts";

/** A key's value: 1 to 128 of letters, digits, `.`, `_`, `-`. */
const KEY_VALUE = /^[A-Za-z0-9._-]{1,128}$/;

/** The longest instance id: a workflow's name, a version, a key's name and value, a suffix. */
export const INSTANCE_ID_LENGTH_MAX = 400;

/** @throws HephaestusError KEY_INVALID */
export function checkKey(key: unknown): string {
  if (typeof key !== "string" || !KEY_VALUE.test(key)) {
    const shown = typeof key === "string" ? JSON.stringify(key.slice(0, 140)) : typeof key;
    throw new HephaestusError("KEY_INVALID", `key ${shown}: 1 to 128 of letters, digits, ., _ and -`, {
      field: "key",
    });
  }
  return key;
}

/**
 * The id that a key stands for. It describes itself: `order_flow/orderid::abc123`.
 * @param suffix makes the id unique where the scope is `none`, and is not used elsewhere
 * @throws HephaestusError KEY_INVALID
 */
export function instanceIdOf(definition: WorkflowDefinition, key: string, suffix?: string): string {
  const { name, version = 1, unique } = definition;
  const own = `${unique?.key ?? "id"}::${checkKey(key)}`;
  switch (unique?.scope ?? "workflow") {
    case "workflow":
      return `${name}/${own}`;
    case "version":
      return `${name}@${version}/${own}`;
    case "global":
      return own;
    case "none":
      assert(suffix, "an id of scope none has a suffix");
      return `${name}/${own}::${suffix}`;
  }
}
