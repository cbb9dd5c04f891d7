import { env as exportedEnv } from "cloudflare:workers";
import { type AnyWorkflow, type Hephaestus, telemetryBus } from "@hephaestus/core";
import { runnerWorkflows } from "@hephaestus/core/testing/conformance";
import {
  type Edge,
  type EdgeOptions,
  hephaestusEdge,
  type ObjectNamespace,
  type StepMessage,
  TIMING_DEFAULT,
  type Timing,
} from "../src/index.ts";
import { type TestIndex, testIndex } from "./memory-index.ts";
import { type Witness, workflows } from "./workflows.ts";
import { countWrites, writesOf } from "./write-counter.ts";

// The types of `env` in the tests.
declare global {
  namespace Cloudflare {
    interface Env {
      readonly INSTANCES: DurableObjectNamespace<WorkflowInstance>;
      readonly STEPS: Queue<StepMessage>;
    }
  }
}

/** What the tests see of the inside: they run in the same isolate as the worker. */
export const witnessed: { step: string; key: string }[] = [];
const gates = new Map<string, PromiseWithResolvers<void>>();
export function gateOf(name: string): PromiseWithResolvers<void> {
  const gate = gates.get(name) ?? Promise.withResolvers<void>();
  gates.set(name, gate);
  return gate;
}
export function closeGates(): void {
  gates.clear();
}
export const index: TestIndex = testIndex();
const otherIndex = testIndex();

/** Times so long that nothing happens by itself, unless a test shortens them: tests must not depend on speed. */
export const timing: { -readonly [Field in keyof Timing]: Timing[Field] } = {
  ...TIMING_DEFAULT,
  // Before a claim is missed, as it is by default: an alarm for each would be a row more, or not, by the millisecond.
  watchdogMs: 40_000,
  leaseMs: 60_000,
  claimMs: 60_000,
  refreshMs: 200,
};

/** The queue as the objects see it: the real one, unless it loses or refuses what it is sent. */
export const lossy = { mode: "deliver" as "deliver" | "lose" | "refuse", sent: [] as StepMessage[], batches: 0 };
function lossyQueue(queue: Queue<StepMessage>): Pick<Queue<StepMessage>, "sendBatch"> {
  return {
    async sendBatch(messages) {
      const batch = [...messages];
      lossy.batches += 1;
      lossy.sent.push(...batch.map((message) => message.body));
      if (lossy.mode === "refuse") throw new Error("the queue is down");
      if (lossy.mode === "deliver") return queue.sendBatch(batch);
      return { metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } } };
    },
  };
}

/** The calls that went to objects, by name: each is a request. */
const calls = new Map<string, string[]>();
export const callsOf = (name: string): readonly string[] => calls.get(name) ?? [];
function countCalls(objects: DurableObjectNamespace<WorkflowInstance>): ObjectNamespace {
  return {
    getByName: (name) =>
      new Proxy(objects.getByName(name), {
        get(stub, method) {
          const call: unknown = Reflect.get(stub, method);
          if (typeof call !== "function") return call;
          return (...args: unknown[]) => {
            calls.set(name, [...callsOf(name), String(method)]);
            return Reflect.apply(call, stub, args);
          };
        },
      }),
  };
}

/** What a deployment that went wrong does to an object. */
export const deployment = { broken: false };

/** The objects that live, by name, and how often each was loaded. */
const contexts = new Map<string, DurableObjectState>();
const loads = new Map<string, number>();
export const loadsOf = (name: string) => loads.get(name) ?? 0;

/** Objects out of which a step has called, what they had asked of their storage until then, and calls that arrived. */
export const calledOut = { after: new Map<string, readonly string[]>(), arrived: [] as string[] };

const witnessOf = (env: Cloudflare.Env): Witness => ({
  ran: (step, key) => void witnessed.push({ step, key }),
  gate: (name) => gateOf(name).promise,
  kill: (name) => contexts.get(name)?.abort("killed"),
  callOut(name) {
    calledOut.after.set(name, [...writesOf(name).asked]);
    env.INSTANCES.getByName("called").called(name);
  },
});

export const telemetry = telemetryBus();

const options: Omit<EdgeOptions<Cloudflare.Env>, "workflows"> = {
  bindings(env, namespace) {
    if (deployment.broken || namespace === "broken") throw new Error("a binding is missing");
    return {
      objects: countCalls(env.INSTANCES),
      queue: lossyQueue(env.STEPS),
      ...(namespace === "bare" ? {} : { index: namespace === "" ? index : otherIndex }),
    };
  },
  connectors: (env) => ({ witness: witnessOf(env) }),
  namespaces: () => ["", "other"],
  deadLetterQueue: "dead",
  telemetry,
  timing: () => timing,
};

export const edge = hephaestusEdge<Cloudflare.Env>({ ...options, workflows: [...workflows, ...runnerWorkflows] });

/** Another deployment of this worker: objects that are loaded from now on have this code; none is the worker's own. */
export const deployed = { edge: undefined as Edge<Cloudflare.Env> | undefined };
export function deploy(...code: readonly AnyWorkflow[]): Hephaestus {
  deployed.edge = hephaestusEdge<Cloudflare.Env>({ ...options, workflows: code });
  return deployed.edge.engine(exportedEnv);
}

export class WorkflowInstance extends edge.Instance {
  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    const counted = countWrites(ctx);
    super(counted, env);
    // What a constructor returns is the object.
    // biome-ignore lint/correctness/noConstructorReturn: so it stands for a class of another deployment
    if (deployed.edge) return new deployed.edge.Instance(counted, env) as WorkflowInstance;
    const name = ctx.id.name ?? "";
    contexts.set(name, ctx);
    loads.set(name, loadsOf(name) + 1);
  }

  called(from: string): void {
    calledOut.arrived.push(from);
  }

  override alarm(): Promise<void> {
    writesOf(this.ctx.id.name ?? "").rings += 1;
    return super.alarm();
  }
}

/** What came through the queue. */
export const consumed: { readonly queue: string; readonly bodies: readonly StepMessage[] }[] = [];

export default {
  queue(batch, env) {
    consumed.push({ queue: batch.queue, bodies: batch.messages.map((message) => message.body) });
    return edge.queue(batch, env);
  },
} satisfies ExportedHandler<Cloudflare.Env, StepMessage>;
