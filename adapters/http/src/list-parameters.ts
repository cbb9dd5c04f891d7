import { PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX } from "@hephaestus/core";
import type { Parameter } from "./route.ts";

function parameter(name: string, description: string, schema: Parameter["schema"]): Parameter {
  return { in: "query", name, description, schema };
}

const text = { type: "string" } as const;
const integer = { type: "integer" } as const;
const time = { type: ["integer", "string"] } as const;
const TIME = "milliseconds since the epoch, or an ISO 8601 date or time with its zone";

export const filterParameters: readonly Parameter[] = [
  parameter("workflow", "The workflow's name: its instances of all versions.", text),
  parameter("status", "One status, or several: repeated, or with commas.", { type: "array", items: text }),
  parameter("tag", "A tag of the instance.", text),
  parameter("parent", "The id of the instance that started them.", text),
  parameter("id", "The instance's id.", text),
  parameter("key", "The business key's value.", text),
  parameter("version", "A version of the workflow, which must be named too.", integer),
  parameter("createdAfter", `Later than this: ${TIME}.`, time),
  parameter("createdBefore", `Earlier than this: ${TIME}.`, time),
  parameter("updatedAfter", `Later than this: ${TIME}.`, time),
  parameter("updatedBefore", `Earlier than this: ${TIME}.`, time),
  parameter(
    `where.<path>`,
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
