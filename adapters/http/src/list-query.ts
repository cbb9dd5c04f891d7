import { HephaestusError, type InstanceFilter, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX } from "@hephaestus/core";
import type { Parameter } from "./route.ts";

const TEXTS = ["id", "key", "workflow", "tag", "cursor", "order"] as const;
const INTEGERS = ["version", "limit"] as const;
const TIMES = ["createdAfter", "createdBefore", "updatedAfter", "updatedBefore"] as const;
const WHERE = "where.";

/** With a zone, since a time without one means another moment on another machine. */
const ISO_TIME = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/;

/**
 * Reads a filter off a query string.
 * @throws HephaestusError OPTION_INVALID for an unknown, repeated or ill-typed parameter
 */
export function readFilter(query: URLSearchParams): InstanceFilter {
  const filter: Record<string, unknown> = {};
  const where = new Map<string, unknown>();
  const statuses: string[] = [];
  for (const [name, value] of query) {
    if (name === "status") {
      statuses.push(...value.split(",").map((status) => status.trim()));
    } else if (name.startsWith(WHERE)) {
      const path = name.slice(WHERE.length);
      if (where.has(path)) refuse(name, "stands twice");
      where.set(path, parseValue(name, value));
    } else {
      if (Object.hasOwn(filter, name)) refuse(name, "stands twice");
      filter[name] = parseField(name, value);
    }
  }
  return {
    ...filter,
    ...(statuses.length > 0 ? { status: statuses as never } : {}),
    ...(where.size > 0 ? { where: Object.fromEntries(where) as never } : {}),
  };
}

function parseField(name: string, value: string): string | number {
  if (isOneOf(TEXTS, name)) return value;
  if (isOneOf(INTEGERS, name)) return parseInteger(name, value);
  if (isOneOf(TIMES, name)) return ISO_TIME.test(value) ? parseTime(name, value) : parseInteger(name, value);
  return refuse(name, "no such filter");
}

function isOneOf<T extends string>(names: readonly T[], name: string): name is T {
  return (names as readonly string[]).includes(name);
}

function parseInteger(name: string, value: string): number {
  const number = /^-?\d{1,16}$/.test(value) ? Number(value) : Number.NaN;
  return Number.isSafeInteger(number) ? number : refuse(name, "must be an integer");
}

function parseTime(name: string, value: string): number {
  const time = Date.parse(value);
  return Number.isNaN(time) ? refuse(name, "must be a time") : time;
}

function parseValue(name: string, value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return refuse(name, 'must be JSON (a text stands in quotes: "a")');
  }
}

function refuse(name: string, why: string): never {
  const field = name.slice(0, 100);
  throw new HephaestusError("OPTION_INVALID", `filter ${field}: ${why}`, { field });
}

/** Writes a filter as a query string; `readFilter` reads it back. */
export function writeFilter(filter: InstanceFilter): URLSearchParams {
  const query = new URLSearchParams();
  const { status, where = {}, ...fields } = filter;
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) query.append(name, String(value));
  if (status !== undefined) for (const one of [status].flat()) query.append("status", String(one));
  for (const [path, condition] of Object.entries(where)) query.append(WHERE + path, JSON.stringify(condition) ?? "");
  return query;
}

function parameter(name: string, description: string, schema: Parameter["schema"]): Parameter {
  return { in: "query", name, description, schema };
}

const text = { type: "string" } as const;
const integer = { type: "integer" } as const;
const time = { type: ["integer", "string"] } as const;
const TIME = "milliseconds since the epoch, or an ISO 8601 date or time with its zone";

export const filterParameters: readonly Parameter[] = [
  parameter("workflow", "The workflow's name.", text),
  parameter("status", "One status, or several: repeated, or with commas.", { type: "array", items: text }),
  parameter("tag", "A tag of the instance.", text),
  parameter("id", "The instance's id.", text),
  parameter("key", "The business key's value.", text),
  parameter("version", "The workflow's version.", integer),
  parameter("createdAfter", `Later than this: ${TIME}.`, time),
  parameter("createdBefore", `Earlier than this: ${TIME}.`, time),
  parameter("updatedAfter", `Later than this: ${TIME}.`, time),
  parameter("updatedBefore", `Earlier than this: ${TIME}.`, time),
  parameter(
    `${WHERE}<path>`,
    "A JSON value that stands at the path, or an object of operators: in, gt, gte, lt, lte, exists, contains. The path begins with input, results or metadata: `where.input.orderId=123`.",
    {},
  ),
  parameter("order", "By creation; newest first unless said otherwise.", { enum: ["newest", "oldest"] }),
  parameter(
    "limit",
    `Rows of the page: ${PAGE_SIZE_DEFAULT} unless said otherwise, at most ${PAGE_SIZE_MAX}.`,
    integer,
  ),
  parameter("cursor", "The `next` of the page before.", text),
];
