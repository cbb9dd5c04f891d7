import { decodePayload, type Json } from "../definition/json.ts";
import { refuseOption } from "../definition/refuse-option.ts";
import type { RunStatus } from "../engine/state.ts";
import {
  type Header,
  type InstanceFilter,
  type InstanceSummary,
  PAGE_SIZE_DEFAULT,
  PAGE_SIZE_MAX,
  type Page,
  type WhereCondition,
} from "./storage.ts";

/** What a filter that names no status asks for: all but the tombstones. */
export const LISTED_STATUSES: readonly RunStatus[] = [
  "pending",
  "running",
  "waiting",
  "paused",
  "compensating",
  "completed",
  "failed",
  "cancelled",
];

const TEXT_FIELDS = ["id", "key", "workflow", "tag", "parent", "cursor"] as const;
const NUMBER_FIELDS = ["version", "createdAfter", "createdBefore", "updatedAfter", "updatedBefore", "limit"] as const;
const FIELDS: ReadonlySet<string> = new Set([...TEXT_FIELDS, ...NUMBER_FIELDS, "status", "where", "order"]);
const OPERATORS: ReadonlySet<string> = new Set(["in", "gt", "gte", "lt", "lte", "exists", "contains"]);

/** A path in `where`, of segments that can stand quoted in a JSON path. */
const PATH = /^(?:input|results|metadata)(?:\.[A-Za-z0-9_-]{1,64}){1,15}$/;

/** A filter whose every field was checked, with defaults filled in. */
export interface CheckedFilter extends Omit<InstanceFilter, "status" | "cursor" | "where"> {
  readonly statuses?: readonly RunStatus[];
  readonly where: readonly { readonly path: readonly string[]; readonly condition: WhereCondition }[];
  readonly order: "newest" | "oldest";
  readonly limit: number;
  readonly after?: Position;
}

/** Where a page ended. Creation and id do not change, so that pages neither skip nor repeat while rows do. */
export interface Position {
  readonly createdAt: number;
  readonly id: string;
  readonly run: number;
}

/**
 * @throws HephaestusError OPTION_INVALID with `details.field`
 */
export function checkFilter(filter: InstanceFilter): CheckedFilter {
  for (const field of Object.keys(filter)) if (!FIELDS.has(field)) refuseOption(field, "no such filter");
  for (const field of TEXT_FIELDS) {
    if (filter[field] !== undefined && typeof filter[field] !== "string") refuseOption(field, "must be a string");
  }
  for (const field of NUMBER_FIELDS) {
    if (filter[field] !== undefined && !Number.isSafeInteger(filter[field])) refuseOption(field, "must be an integer");
  }
  if (filter.version !== undefined && filter.workflow === undefined) refuseOption("version", "needs the workflow too");
  const { status, cursor, where, order = "newest", limit = PAGE_SIZE_DEFAULT, ...rest } = filter;
  if (order !== "newest" && order !== "oldest") refuseOption("order", 'must be "newest" or "oldest"');
  if (limit < 1 || limit > PAGE_SIZE_MAX) refuseOption("limit", `must be from 1 to ${PAGE_SIZE_MAX}`);
  const statuses = status === undefined ? undefined : ([status].flat() as RunStatus[]);
  for (const one of statuses ?? [])
    if (!LISTED_STATUSES.includes(one)) refuseOption("status", `unknown status ${JSON.stringify(one)}`);
  return {
    ...rest,
    ...(statuses ? { statuses } : {}),
    ...(cursor === undefined ? {} : { after: decodeCursor(cursor) }),
    where: Object.entries(where ?? {}).map(([path, condition]) => ({
      path: checkPath(path),
      condition: checkCondition(path, condition),
    })),
    order,
    limit,
  };
}

/** Splits and checks a path such as `input.order.id`; only `input`, `results` and `metadata` can be looked into. */
export function checkPath(path: string): readonly string[] {
  if (PATH.test(path)) return path.split(".");
  return refuseOption(
    `where.${path}`,
    "a path is input, results or metadata, then 1 to 15 times a dot and 1 to 64 of letters, digits, _ and -",
  );
}

function checkCondition(path: string, condition: WhereCondition): WhereCondition {
  const field = `where.${path}`;
  if (isScalar(condition)) return condition;
  if (typeof condition !== "object" || Array.isArray(condition))
    refuseOption(field, "must be a value or an object of operators");
  const operators = Object.entries(condition as object);
  if (operators.length === 0) refuseOption(field, "needs an operator");
  for (const [operator, operand] of operators) {
    if (!OPERATORS.has(operator)) refuseOption(field, `unknown operator ${JSON.stringify(operator)}`);
    const fits =
      operator === "in"
        ? Array.isArray(operand) && operand.every(isScalar)
        : operator === "exists"
          ? typeof operand === "boolean"
          : operator === "contains"
            ? typeof operand === "string"
            : typeof operand === "string" || Number.isFinite(operand);
    if (!fits) refuseOption(field, `wrong type for ${operator}`);
  }
  return condition;
}

function isScalar(value: unknown): value is string | number | boolean | null {
  return value === null || typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
}

/** Opaque to callers: a version, then the position. */
export function encodeCursor(position: Position): string {
  return `1.${position.createdAt}.${position.run}.${position.id}`;
}

function decodeCursor(cursor: string): Position {
  const [, version, createdAt, run, id] = /^(\d+)\.(\d{1,16})\.(\d{1,9})\.(.+)$/s.exec(cursor) ?? [];
  if (version !== "1" || id === undefined) refuseOption("cursor", "not a cursor of this engine");
  return { createdAt: Number(createdAt), run: Number(run), id };
}

/** Sorts oldest first, then by id, then by run: the order that pages go by. */
export function comparePositions(one: Position, other: Position): number {
  if (one.createdAt !== other.createdAt) return one.createdAt - other.createdAt;
  if (one.id !== other.id) return one.id < other.id ? -1 : 1;
  return one.run - other.run;
}

/** For storages that look through rows in JavaScript: whether a row belongs in the answer, cursor included. */
export function matchesFilter(header: Header, filter: CheckedFilter): boolean {
  if (header.status === "deleted") return false;
  if (filter.after) {
    const order = comparePositions(header, filter.after);
    if (filter.order === "newest" ? order >= 0 : order <= 0) return false;
  }
  return (
    (filter.id === undefined || header.id === filter.id) &&
    (filter.key === undefined || header.key === filter.key) &&
    (filter.statuses === undefined || filter.statuses.includes(header.status)) &&
    (filter.workflow === undefined || header.workflow === filter.workflow) &&
    (filter.version === undefined || header.version === filter.version) &&
    (filter.parent === undefined || header.parent === filter.parent) &&
    (filter.tag === undefined || header.tags.includes(filter.tag)) &&
    (filter.createdAfter === undefined || header.createdAt > filter.createdAfter) &&
    (filter.createdBefore === undefined || header.createdAt < filter.createdBefore) &&
    (filter.updatedAfter === undefined || header.updatedAt > filter.updatedAfter) &&
    (filter.updatedBefore === undefined || header.updatedAt < filter.updatedBefore) &&
    filter.where.every(({ path, condition }) => matchesCondition(valueAt(header, path), condition))
  );
}

function valueAt(header: Header, [root, ...path]: readonly string[]): Json | undefined {
  let value: Json | undefined;
  if (root === "input") value = decodePayload(header.input);
  else if (root === "metadata") value = header.metadata;
  else {
    const step = path.shift() ?? "";
    value = header.results && Object.hasOwn(header.results, step) ? decodePayload(header.results[step]) : undefined;
  }
  for (const segment of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, segment)) return undefined;
    value = (value as Record<string, Json>)[segment];
  }
  return value;
}

function matchesCondition(value: Json | undefined, condition: WhereCondition): boolean {
  if (isScalar(condition)) return value === condition;
  return (
    (condition.in === undefined || condition.in.some((one) => one === value)) &&
    (condition.exists === undefined || condition.exists === (value !== undefined)) &&
    (condition.contains === undefined || (typeof value === "string" && value.includes(condition.contains))) &&
    compares(value, condition.gt, (a, b) => a > b) &&
    compares(value, condition.gte, (a, b) => a >= b) &&
    compares(value, condition.lt, (a, b) => a < b) &&
    compares(value, condition.lte, (a, b) => a <= b)
  );
}

/** Only values of one type compare; a number is neither above nor below a text. */
function compares<T extends string | number>(
  value: Json | undefined,
  bound: T | undefined,
  test: (a: T, b: T) => boolean,
): boolean {
  return bound === undefined || (typeof value === typeof bound && test(value as T, bound));
}

/** What callers see of a row. */
export function toSummary(header: Header): InstanceSummary {
  const { owner: _owner, wakeAt: _wakeAt, input, results: _results, ...summary } = header;
  return input === undefined ? summary : { ...summary, input: decodePayload(input) };
}

/** Cuts one page out of rows that are in order and may hold one more than the page. */
export function toPage(rows: readonly Header[], limit: number): Page<InstanceSummary> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return {
    items: items.map(toSummary),
    ...(rows.length > limit && last ? { next: encodeCursor(last) } : {}),
  };
}
