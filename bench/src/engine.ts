/*
 * Pure transitions: what it costs to decide one command and to fold what was decided, with no storage and no driver.
 * One transition is one step that ends and all that follows from it.
 *
 *   node --conditions=@hephaestus/source bench/src/engine.ts
 */
import {
  type AnyStep,
  applyDecision,
  type Command,
  decide,
  defineStep,
  defineWorkflow,
  done,
  emptyRun,
  type Graph,
  type RunState,
  type,
} from "@hephaestus/core";

/** Each line runs for about this long, after a warm-up of a third of it. */
const MEASURE_MS = 1_500;

const stepsOf = (count: number): AnyStep[] =>
  Array.from({ length: count }, (_, index) => defineStep({ name: `step_${index}`, run: () => index }));

function chain(length: number): Graph {
  const steps = stepsOf(length);
  return defineWorkflow({
    name: "chain",
    input: type<unknown>(),
    start: steps[0] as AnyStep,
    transitions: ({ on }) => steps.map((step, index) => on(step, { done: steps[index + 1] ?? done })),
  }).graph;
}

/** One step, then many side by side, then one that waits for all of them. */
function fanOut(width: number): Graph {
  const steps = stepsOf(width);
  const first = defineStep({ name: "first", run: () => 0 });
  const last = defineStep({ name: "last", run: () => 0 });
  return defineWorkflow({
    name: "fan_out",
    input: type<unknown>(),
    start: first,
    transitions: ({ on }) => [
      on(first, { done: steps }),
      ...steps.map((step) => on(step, { done: last })),
      on(last, { done: done }),
    ],
  }).graph;
}

/** Runs a workflow to its end, in the order of the definition, every end in a commit of its own. */
function run(graph: Graph): void {
  const state = emptyRun("i");
  const { workflow, version, fingerprint } = graph;
  apply(graph, state, { type: "start", commandId: "s", info: { workflow, version, fingerprint }, input: "{}" });
  for (const { name } of graph.nodes) {
    apply(graph, state, { type: "outcome", step: name, attempt: 1, startedAt: 1, event: "done" });
  }
  if (state.status !== "completed") throw new Error(`ended ${state.status}`);
}

function apply(graph: Graph, state: RunState, command: Command): void {
  applyDecision(state, decide(graph, state, [command], { now: 1 }));
}

/** Transitions a second. */
function measure(graph: Graph): number {
  const until = (end: number) => {
    let runs = 0;
    do {
      run(graph);
      runs += 1;
    } while (performance.now() < end);
    return runs;
  };
  until(performance.now() + MEASURE_MS / 3);
  const begun = performance.now();
  const runs = until(begun + MEASURE_MS);
  return (runs * graph.nodes.length * 1_000) / (performance.now() - begun);
}

const cases: readonly [string, Graph][] = [
  ["chain of 3", chain(3)],
  ["chain of 100", chain(100)],
  ["chain of 1,000", chain(1_000)],
  ["chain of 10,000", chain(10_000)],
  ["fan-out of 1,000", fanOut(1_000)],
];
const results = cases.map(([name, graph]) => [name, measure(graph)] as const);
const hundred = results.find(([name]) => name === "chain of 100")?.[1] as number;

console.log("| pure engine | transitions/s | cost of one, against a chain of 100 |");
console.log("|---|---:|---:|");
for (const [name, rate] of results) {
  console.log(`| ${name} | ${Math.round(rate).toLocaleString("en")} | ${(hundred / rate).toFixed(2)} |`);
}
