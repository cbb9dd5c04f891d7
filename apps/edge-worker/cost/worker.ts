import { type D1, d1Index } from "@hephaestus/d1";
import { hephaestusEdge, type StepMessage } from "@hephaestus/durable-objects";
import type { Used } from "./counts.ts";
import { shapes } from "./workflows.ts";

declare global {
  namespace Cloudflare {
    interface CostEnv {
      readonly INSTANCES: DurableObjectNamespace;
      readonly DB: D1Database;
      readonly STEPS: Queue<StepMessage>;
    }
  }
}
type Env = Cloudflare.CostEnv;

/** What was used since the test last set it to nothing: the tests run in the worker's isolate. */
export const used: { -readonly [K in keyof Used]: number } = {
  objectRows: 0,
  objectRequests: 0,
  indexRows: 0,
  messages: 0,
  batches: 0,
};

/** The same object, which counts calls of these methods first. */
function counting<T extends object>(target: T, methods: readonly (keyof T)[], count: () => void): T {
  return new Proxy(target, {
    get(_, name) {
      const value = Reflect.get(target, name) as unknown;
      if (typeof value !== "function") return value;
      if (!methods.includes(name as keyof T)) return value.bind(target);
      return (...args: unknown[]) => {
        count();
        return (value as (...args: unknown[]) => unknown).apply(target, args);
      };
    },
  });
}

const countRow = () => {
  used.objectRows += 1;
};

/** Has an object's storage count what is billed as a row written. It never deletes its alarm: only the tests do. */
function countRows(storage: DurableObjectStorage): void {
  const { setAlarm } = counting(storage, ["setAlarm"], countRow);
  Object.defineProperties(storage, {
    kv: { value: counting(storage.kv, ["put", "delete"], countRow) },
    setAlarm: { value: setAlarm },
  });
}

/** Each use of a stub is one call of the object, and so a request. */
const countedObjects = (objects: DurableObjectNamespace) =>
  counting(objects, ["getByName"], () => {
    used.objectRequests += 1;
  });

/** How many questions to D1 are not answered yet. */
export const database = { asked: 0 };

function countedDatabase(db: D1Database): D1 {
  return {
    prepare: (sql) => db.prepare(sql),
    async batch<T>(statements: D1PreparedStatement[]) {
      database.asked += 1;
      const answers = await db.batch<T>(statements);
      database.asked -= 1;
      for (const { meta } of answers) used.indexRows += meta.rows_written;
      return answers;
    },
  };
}

/** The engine of this name tells D1 nothing. */
export const WITHOUT_INDEX = "bare";

export const edge = hephaestusEdge<Env>({
  workflows: Object.values(shapes),
  bindings: (env, namespace) => ({
    objects: countedObjects(env.INSTANCES),
    queue: env.STEPS,
    ...(namespace === WITHOUT_INDEX ? {} : { index: d1Index(countedDatabase(env.DB)) }),
  }),
  // As if all steps that run at once ended within the time in which they wait for each other: how fast a machine is must
  // not count.
  timing: () => ({ resultsMs: 60_000 }),
});

export class WorkflowInstance extends edge.Instance {
  constructor(ctx: DurableObjectState, env: Env) {
    countRows(ctx.storage);
    super(ctx, env);
  }
  override alarm(): Promise<void> {
    used.objectRequests += 1;
    return super.alarm();
  }
}

export default {
  queue(batch, env) {
    used.messages += batch.messages.length;
    used.batches += 1;
    return edge.queue(batch, env);
  },
} satisfies ExportedHandler<Env, StepMessage>;
