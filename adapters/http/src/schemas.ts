import type { Components, JsonSchema } from "./json-schema.ts";

/*
 * What the routes take and answer, as JSON Schema. Bodies are checked with these very objects; answers are held
 * against them by the tests.
 */

const text: JsonSchema = { type: "string" };
const integer: JsonSchema = { type: "integer" };
const boolean: JsonSchema = { type: "boolean" };
const time: JsonSchema = { type: "integer", description: "Milliseconds since the epoch." };
const texts: JsonSchema = { type: "array", items: text };
const anything: JsonSchema = {};
const metadata: JsonSchema = { type: "object" };

export function ref(name: keyof typeof components): JsonSchema {
  return { $ref: `#/components/schemas/${name}` };
}

function object(properties: { readonly [name: string]: JsonSchema }, ...optional: string[]): JsonSchema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: "object", properties, required, additionalProperties: false };
}

export function list(item: JsonSchema): JsonSchema {
  return object({ items: { type: "array", items: item } });
}

/** Bodies of requests. A member that is not named here is refused: it would be a misspelt one that is lost. */
export const startBody = object(
  { key: text, input: anything, version: integer, tags: texts, metadata, parent: text },
  "key",
  "input",
  "version",
  "tags",
  "metadata",
  "parent",
);
export const restartBody = object({ input: anything, tags: texts, metadata }, "input", "tags", "metadata");
export const eventBody = object({ event: text, payload: anything, step: text }, "payload", "step");

const duration: JsonSchema = {
  type: "object",
  description: "A sum of its parts: { hours: 1, minutes: 30 }.",
  properties: {
    milliseconds: { type: "number" },
    seconds: { type: "number" },
    minutes: { type: "number" },
    hours: { type: "number" },
    days: { type: "number" },
  },
  additionalProperties: false,
};
export const scheduleBody = object({ step: text, delay: duration, event: text }, "event");

const status: JsonSchema = {
  enum: ["pending", "running", "waiting", "paused", "compensating", "completed", "failed", "cancelled", "deleted"],
};
const stepStatus: JsonSchema = {
  enum: ["idle", "active", "waiting", "choosing", "completed", "skipped", "cancelled", "failed"],
};

const storedError: JsonSchema = {
  type: "object",
  properties: { name: text, message: text, code: text, stack: text, cause: anything, details: metadata },
  required: ["name", "message"],
};

const stepView = object(
  {
    status: stepStatus,
    event: text,
    result: anything,
    attempt: integer,
    failures: integer,
    interruptions: integer,
    wakeAt: time,
    startedAt: time,
    error: storedError,
    metadata: anything,
    compensation: { type: "object" },
  },
  ...["event", "result", "wakeAt", "startedAt", "error", "metadata", "compensation"],
);

const instance = object(
  {
    id: text,
    run: integer,
    revision: integer,
    workflow: text,
    version: integer,
    key: text,
    parent: text,
    status,
    parked: boolean,
    tags: texts,
    metadata,
    createdAt: time,
    updatedAt: time,
    endedAt: time,
    input: anything,
    steps: { type: "object", additionalProperties: stepView },
    inbox: { type: "array", items: object({ id: text, event: text, at: time }) },
    error: storedError,
    failedStep: text,
  },
  ...["key", "parent", "endedAt", "input", "error", "failedStep"],
);

const instanceSummary = object(
  {
    id: text,
    run: integer,
    revision: integer,
    workflow: text,
    version: integer,
    fingerprint: text,
    status,
    key: text,
    parent: text,
    tags: texts,
    metadata,
    current: texts,
    createdAt: time,
    updatedAt: time,
    endedAt: time,
    error: storedError,
    input: anything,
  },
  ...["key", "parent", "endedAt", "error", "input"],
);

const instanceChange = object({
  id: text,
  run: integer,
  revision: integer,
  at: time,
  status,
  steps: { type: "object", additionalProperties: stepStatus },
});

const historyEntry: JsonSchema = {
  type: "object",
  properties: { revision: integer, at: time, type: { enum: ["started", "step", "event", "command", "status"] } },
  required: ["revision", "at", "type"],
};

const unique = object({ key: text, scope: { enum: ["workflow", "version", "global", "none"] } });
const summary = { name: text, version: integer, fingerprint: text, current: boolean, tags: texts, metadata, unique };

const workflowStep = object(
  {
    name: text,
    kind: { enum: ["run", "event", "timer"] },
    events: texts,
    receives: texts,
    targets: { type: "object", additionalProperties: object({ targets: texts, choice: boolean }) },
    join: { anyOf: [{ enum: ["all", "any"] }, object({ atLeast: integer })] },
    cancelRest: boolean,
    onFailure: text,
    compensates: boolean,
    maxAttempts: integer,
    durationMs: integer,
  },
  ...["onFailure", "durationMs"],
);

const problem: JsonSchema = {
  type: "object",
  description: "RFC 9457; the details of the error are further members.",
  properties: { type: text, title: text, status: integer, detail: text, code: text, details: metadata },
  required: ["type", "title", "status", "detail", "code"],
};

export const components = {
  Instance: instance,
  InstanceSummary: instanceSummary,
  InstanceChange: instanceChange,
  HistoryEntry: historyEntry,
  Started: object({ id: text, run: integer }),
  Workflow: object(summary, "unique"),
  WorkflowDetail: object(
    { ...summary, starts: texts, steps: { type: "array", items: workflowStep }, output: texts },
    "unique",
  ),
  WebhookAnswer: object({ outcome: text, id: text, detail: text }, "id", "detail"),
  Problem: problem,
} satisfies Components;

export const page = (item: JsonSchema): JsonSchema =>
  object({ items: { type: "array", items: item }, next: text }, "next");
export const eventAnswer = object({ outcome: { enum: ["delivered", "queued"] } });
export const health = object({ status: { const: "ok" } });
export const result: JsonSchema = object({
  result: { type: "object", description: "By the names of the output steps." },
});
