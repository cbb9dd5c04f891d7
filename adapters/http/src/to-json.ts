import type { Json } from "@hephaestus/core";

/** How deep the details of an error are told. */
const DEPTH_MAX = 8;

/**
 * Makes JSON of anything, for the details of errors, which may hold what a program put there: what JSON cannot say
 * is told as text or left out, where `JSON.stringify` would throw.
 */
export function toJson(value: unknown, depth = 0): Json {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) ? value : String(value);
    case "object":
      return value === null ? null : objectToJson(value, depth);
    case "undefined":
      return null;
    case "bigint":
    case "symbol":
    case "function":
      return String(typeof value === "function" ? "a function" : value.toString());
  }
}

function objectToJson(value: object, depth: number): Json {
  // A cycle ends here too.
  if (depth >= DEPTH_MAX) return "…";
  if (Array.isArray(value)) return value.map((item) => toJson(item, depth + 1));
  if (value instanceof Error) return { name: value.name, message: value.message };
  if (value instanceof Date) return String(value);
  const members = Object.entries(value).filter(([, member]) => member !== undefined && typeof member !== "function");
  return Object.fromEntries(members.map(([name, member]) => [name, toJson(member, depth + 1)]));
}
