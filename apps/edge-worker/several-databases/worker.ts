import { defineStep, defineWorkflow, done, type, waitForEvent } from "@hephaestus/core";
import { type D1, d1Index } from "@hephaestus/d1";
import { hephaestusEdge } from "@hephaestus/durable-objects";

declare global {
  namespace Cloudflare {
    interface SeveralDatabasesEnv {
      readonly INSTANCES: DurableObjectNamespace;
      readonly INDEX_0: D1Database;
      readonly INDEX_1: D1Database;
    }
  }
}
type Env = Cloudflare.SeveralDatabasesEnv;

const greet = defineStep({ name: "greet", run: () => ({ text: "hello" }) });
const answer = waitForEvent({ name: "answer", events: { yes: type<undefined>() } });
const input = type<{ n: number }>();
export const waiting = defineWorkflow({
  name: "waiting",
  input,
  unique: { key: "n" },
  start: greet,
  transitions: ({ on }) => [on(greet, { done: answer }), on(answer, { yes: done })],
});

export const RETENTION_MS = 3_600_000;
export const fleeting = defineWorkflow({
  name: "fleeting",
  input,
  unique: { key: "n" },
  retention: { milliseconds: RETENTION_MS },
  start: greet,
  transitions: ({ on }) => [on(greet, { done })],
});

/** The databases that do not answer: the tests run in the worker's isolate. */
export const down = new Set<"INDEX_0" | "INDEX_1">();

function breakable(env: Env, name: "INDEX_0" | "INDEX_1"): D1 {
  return {
    prepare: (sql) => env[name].prepare(sql),
    async batch<T>(statements: D1PreparedStatement[]) {
      if (down.has(name)) throw new Error("D1_ERROR: Network connection lost.");
      return env[name].batch<T>(statements);
    },
  };
}

export const edge = hephaestusEdge<Env>({
  workflows: [waiting, fleeting],
  bindings: (env, namespace) => ({
    objects: env.INSTANCES,
    index: d1Index([breakable(env, "INDEX_0"), breakable(env, "INDEX_1")], { namespace }),
  }),
  // Nothing happens by itself here: the tests ring the alarms.
  timing: () => ({ watchdogMs: 60_000, refreshMs: 60_000, overdueMs: 0 }),
});

export class WorkflowInstance extends edge.Instance {}

export default { scheduled: edge.scheduled } satisfies ExportedHandler<Env>;
