import { createHephaestus } from "@hephaestus/core";
import { Resonate, type Context as ResonateContext } from "@resonatehq/sdk";
import { Effect, Layer, ManagedRuntime, Schema } from "effect";
import { Activity, Workflow as EffectWorkflow, WorkflowEngine } from "effect/workflow";
import { type AnyStateMachine, createActor, createMachine, fromPromise, toPromise } from "xstate";
import { chain, fanOut } from "./shapes.ts";

/** An engine that has one workflow of asynchronous steps, each of which returns a number. */
export interface Peer {
  /** Starts the workflow and waits for its end. */
  readonly run: () => Promise<unknown>;
  readonly close: () => void | Promise<void>;
}

/** Three steps one after the other, or this many side by side between a first and a last one. */
export type Shape = { readonly steps: 3 } | { readonly width: number };

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);

/**
 * In memory, with everything that a durable storage would get: a journal record for the start and for each step that
 * ends (several that end together share one), results as JSON, a fence on each commit, leases, a row for queries.
 */
export function hephaestus(shape: Shape): Peer {
  const asyncValue = (index: number) => async () => index;
  const flow = "steps" in shape ? chain(shape.steps, asyncValue) : fanOut(shape.width, asyncValue);
  const engine = createHephaestus({ workflows: [flow] });
  const flows = engine.for(flow);
  return { run: async () => (await flows.start(null)).result(), close: () => engine.close() };
}

/**
 * An actor on a machine with an invoked promise for each step. Nothing is durable, kept, or encoded: when the actor has
 * stopped, nothing is left. What a user would persist is `getPersistedSnapshot()` after each transition, by himself.
 */
export function xstate(shape: Shape): Peer {
  const step = fromPromise(async ({ input }: { input: number }) => input);
  const invoke = (index: number, target: string) => ({ invoke: { src: step, input: index, onDone: target } });
  const machine = ("steps" in shape ? sequence(shape.steps) : parallel(shape.width)) as AnyStateMachine;
  function sequence(count: number) {
    const states = numbers(count).map((index) => [`s${index}`, invoke(index, `s${index + 1}`)] as const);
    return createMachine({
      initial: "s0",
      states: { ...Object.fromEntries(states), [`s${count}`]: { type: "final" } },
    });
  }
  function parallel(width: number) {
    const region = (index: number) => [
      `r${index}`,
      { initial: "runs", states: { runs: invoke(index, "ended"), ended: { type: "final" as const } } },
    ];
    return createMachine({
      initial: "first",
      states: {
        first: invoke(width, "all"),
        all: { type: "parallel", states: Object.fromEntries(numbers(width).map(region)), onDone: "last" },
        last: invoke(width + 1, "end"),
        end: { type: "final" },
      },
    });
  }
  return {
    run() {
      const actor = createActor(machine);
      const ended = toPromise(actor);
      actor.start();
      return ended;
    },
    close: () => {},
  };
}

/**
 * A workflow of activities on the engine's memory layer: the exit of each activity is kept by execution, name and
 * attempt, its value as the JSON value (not the text) that its schema makes of it, so that a resumed execution runs the
 * workflow's code again and skips them. Nothing outlives the process.
 */
export function effect(shape: Shape): Peer {
  const activity = (index: number) =>
    Activity.make({
      name: `step_${index}`,
      success: Schema.Number,
      execute: Effect.promise(async () => index),
    });
  const flow = EffectWorkflow.make("Flow", {
    payload: { id: Schema.String },
    success: Schema.Number,
    idempotencyKey: ({ id }) => id,
  });
  const code =
    "steps" in shape
      ? () =>
          Effect.gen(function* () {
            let last = 0;
            for (const index of numbers(shape.steps)) last = yield* activity(index);
            return last;
          })
      : () =>
          Effect.gen(function* () {
            yield* activity(shape.width);
            yield* Effect.all(numbers(shape.width).map(activity), { concurrency: "unbounded" });
            return yield* activity(shape.width + 1);
          });
  const runtime = ManagedRuntime.make(flow.toLayer(code).pipe(Layer.provideMerge(WorkflowEngine.layerMemory)));
  let started = 0;
  return {
    run: () => runtime.runPromise(flow.execute({ id: `flow-${started++}` })),
    close: () => runtime.dispose(),
  };
}

/**
 * A generator function on the local mode: the server's own code in this process and in memory. Each step is a promise
 * of that server with its result as JSON; a worker that dies is replaced by one that runs the function again and finds
 * them. Nothing outlives the process.
 */
export function resonate(shape: Shape): Peer {
  const client = new Resonate();
  const value = async (_context: ResonateContext, index: number) => index;
  const flow = client.register("flow", function* (context: ResonateContext) {
    if ("steps" in shape) {
      let last = 0;
      for (const index of numbers(shape.steps)) last = yield* context.run(value, index);
      return last;
    }
    yield* context.run(value, shape.width);
    const all = [];
    for (const index of numbers(shape.width)) all.push(yield* context.beginRun(value, index));
    for (const one of all) yield* one;
    return yield* context.run(value, shape.width + 1);
  });
  let started = 0;
  return { run: () => flow.run(`flow-${started++}`), close: () => client.stop() };
}
