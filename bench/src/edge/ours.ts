import { type AnyStep, defineStep, defineWorkflow, done, type, waitForEvent } from "@hephaestus/core";
import { d1Index } from "@hephaestus/d1";
import { type Edge, hephaestusEdge } from "@hephaestus/durable-objects";
import { CHAIN_LENGTH, type Contender, type Env, FAN_OUT_WIDTH, MARKS, tell } from "./contender.ts";
import { ring } from "./signals.ts";

declare module "@hephaestus/core" {
  interface Connectors {
    readonly tell: (path: string, key: string) => Promise<void>;
  }
}

const common = { input: type<undefined>(), unique: { key: "id" } } as const;

const one = defineStep({ name: "one", run: () => 1 });
const two = defineStep({ name: "two", run: () => 2 });
const three = defineStep({ name: "three", run: ({ instance }) => ring(instance.key as string) });
const threeSteps = defineWorkflow({
  ...common,
  name: "three_steps",
  start: one,
  transitions: ({ on }) => [on(one, { done: two }), on(two, { done: three }), on(three, { done })],
});

const first = defineStep({ name: "first", run: () => 0 });
const last = defineStep({ name: "last", run: ({ instance }) => ring(instance.key as string) });
function fanOut(name: string, execution: "inline" | "queue") {
  const parts = Array.from({ length: FAN_OUT_WIDTH }, (_, index) =>
    defineStep({ name: `part_${index}`, execution, run: () => index }),
  );
  return defineWorkflow({
    ...common,
    name,
    start: first,
    transitions: ({ on }) => [
      on(first, { done: parts }),
      ...parts.map((part) => on(part, { done: last })),
      on(last, { done }),
    ],
  });
}

const before = defineStep({ name: "before", run: ({ instance }) => ring(`${instance.key} waits`) });
const answer = waitForEvent({ name: "answer", events: { yes: type<{ by: string }>() } });
const event = defineWorkflow({
  ...common,
  name: "event",
  start: before,
  transitions: ({ on }) => [on(before, { done: answer }), on(answer, { yes: last }), on(last, { done })],
});

const links: AnyStep[] = Array.from({ length: CHAIN_LENGTH }, (_, index) =>
  defineStep({
    name: `step_${index}`,
    async run({ connectors, instance }) {
      if (MARKS.includes(index)) await connectors.tell("/mark/ours", `${instance.key} ${index}`);
      if (index === CHAIN_LENGTH - 1) ring(instance.key as string);
      return index;
    },
  }),
);
const chain = defineWorkflow({
  ...common,
  name: "chain",
  start: links[0] as AnyStep,
  transitions: ({ on }) => links.map((link, index) => on(link, { done: links[index + 1] ?? done })),
});

const second = defineStep({
  name: "second",
  run: ({ connectors, instance }) => connectors.tell("/slow", instance.key as string),
});
const third = defineStep({
  name: "third",
  run: ({ connectors, instance }) => connectors.tell("/ended", instance.key as string),
});
const slow = defineWorkflow({
  ...common,
  name: "slow",
  start: first,
  transitions: ({ on }) => [on(first, { done: second }), on(second, { done: third }), on(third, { done })],
});

const workflows = {
  threeSteps,
  fanOut: fanOut("fan_out", "inline"),
  fanOutQueue: fanOut("fan_out_queue", "queue"),
  event,
  chain,
  slow,
};
const options = {
  workflows: Object.values(workflows),
  connectors: (env: Env) => ({ tell: (path: string, key: string) => tell(env, path, key) }),
};

export const edge = hephaestusEdge<Env>({
  ...options,
  bindings: (env) => ({ objects: env.INSTANCES, queue: env.STEPS }),
});
/** The same with D1 told of each instance. */
export const indexedEdge = hephaestusEdge<Env>({
  ...options,
  bindings: (env) => ({ objects: env.INDEXED, index: d1Index(env.DB) }),
});

export function ours(given: Edge<Env>, env: Env): Contender {
  const engine = given.engine(env);
  return {
    start: (shape, id) => engine.for(workflows[shape]).start(id, undefined),
    send: (id) => engine.for(event).resume(id, "yes", { by: "ann" }),
  };
}
