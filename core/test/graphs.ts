import fc from "fast-check";
import { defineStep, defineWorkflow, done, emit, type Graph, type, wait, waitForEvent } from "../src/index.ts";
import { randomWorkflow, toWorkflow } from "../src/testing/random-workflow.ts";

const step = (name: string, more: object = {}) => defineStep({ name, run: () => null, ...more });

/** A workflow with one of everything that a drawing shows. */
export function everyKind(): Graph {
  const tell = step("tell");
  const first = step("first", { onFailure: tell });
  const second = step("second", { onFailure: "skip" });
  const check = defineStep({
    name: "check",
    events: ["good", "bad"],
    onFailure: done,
    join: "any",
    run: () => emit("good"),
  });
  const answer = waitForEvent({ name: "answer", events: { yes: type<null>() }, timeout: { days: 2, hours: 1 } });
  const endless = waitForEvent({ name: "endless", events: { yes: type<null>() } });
  const pause = wait({ name: "pause", for: { minutes: 5 } });
  const enough = step("enough", { join: { atLeast: 2 }, cancelRest: true });
  return defineWorkflow({
    name: "every_kind",
    input: type<object>(),
    start: [first, second],
    transitions: ({ on, choose }) => [
      on(first, { done: check }),
      on(second, { done: check }),
      on(check, { good: [answer, endless, pause], bad: choose([tell, done], () => tell) }),
      on(answer, { yes: enough, timeout: enough }),
      on(endless, { yes: enough }),
      on(pause, { done: enough }),
      on(enough, { done: choose([tell, done], () => done) }),
      on(tell, { done }),
    ],
  }).graph;
}

/** One step that leads to many, which all lead to one. */
export function fan(width: number): Graph {
  const first = step("first");
  const last = step("last");
  const middle = Array.from({ length: width }, (_, n) => step(`middle_${n}`));
  return defineWorkflow({
    name: "fan",
    input: type<object>(),
    start: first,
    transitions: ({ on }) => [
      on(first, { done: middle }),
      ...middle.map((one) => on(one, { done: last })),
      on(last, { done }),
    ],
  }).graph;
}

/** Steps one after the other. */
export function chain(length: number): Graph {
  const steps = Array.from({ length }, (_, n) => step(`step_${n}`));
  return defineWorkflow({
    name: "chain",
    input: type<object>(),
    start: steps[0] ?? done,
    transitions: ({ on }) => steps.map((one, n) => on(one, { done: steps[n + 1] ?? done })),
  }).graph;
}

/** A step that can be answered at once, or after a long detour. */
export function detour(): Graph {
  const ask = waitForEvent({ name: "ask", events: { yes: type<null>(), no: type<null>() } });
  const far = [step("far_1"), step("far_2"), step("far_3")] as const;
  const end = step("end");
  return defineWorkflow({
    name: "detour",
    input: type<object>(),
    start: ask,
    transitions: ({ on }) => [
      on(ask, { yes: end, no: far[0] }),
      on(far[0], { done: far[1] }),
      on(far[1], { done: far[2] }),
      on(far[2], { done: end }),
      on(end, { done }),
    ],
  }).graph;
}

/** Any graph that can be defined. */
export const graphs: fc.Arbitrary<Graph> = fc.array(fc.nat(999), { maxLength: 400, size: "max" }).map((tape) => {
  let next = 0;
  const pick = (n: number) => (tape[next++] ?? 0) % n;
  return toWorkflow(randomWorkflow(pick, { steps: 14, cancelRest: true, failures: true })).graph;
});

/** A graph that no definition makes: its steps and events have any names. */
export function renamed(graph: Graph, nameOf: (name: string) => string): Graph {
  return {
    ...graph,
    workflow: nameOf(graph.workflow),
    nodes: graph.nodes.map((node) => ({
      ...node,
      name: nameOf(node.name),
      routes: new Map([...node.routes].map(([event, route]) => [nameOf(event), route])),
    })),
  };
}
