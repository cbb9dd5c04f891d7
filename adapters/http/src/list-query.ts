import { HephaestusError, type InstanceFilter } from "@hephaestus/core";

const TEXTS = ["id", "key", "workflow", "tag", "parent", "cursor", "order"] as const;
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
