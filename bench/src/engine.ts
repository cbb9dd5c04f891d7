/*
 * Pure transitions: what it costs to decide one command and to fold what was decided, with no storage and no driver.
 * One transition is one step that ends and all that follows from it. Beside it XState's pure `transition` on a machine
 * of the same shape, where one transition is one event.
 *
 *   npm run bench -- engine
 */
import { applyDecision, type Command, decide, emptyRun, type Graph, type RunState } from "@hephaestus/core";
import { type AnyStateMachine, createMachine, initialTransition, transition } from "xstate";
import { describeMachine } from "./lib/machine.ts";
import { publish } from "./lib/report.ts";
import { type Contender, measureRates } from "./lib/rounds.ts";
import { chain, fanOut } from "./lib/shapes.ts";
import { ratioOf, type Sample } from "./lib/stats.ts";
import { number, spread } from "./lib/table.ts";

/** Runs a workflow to its end, in the order of the definition, every end in a commit of its own. */
function run(graph: Graph): number {
  const state = emptyRun("i");
  const { workflow, version, fingerprint } = graph;
  apply(graph, state, { type: "start", commandId: "s", info: { workflow, version, fingerprint }, input: "{}" });
  for (const { name } of graph.nodes) {
    apply(graph, state, { type: "outcome", step: name, attempt: 1, startedAt: 1, event: "done" });
  }
  if (state.status !== "completed") throw new Error(`ended ${state.status}`);
  return graph.nodes.length;
}

function apply(graph: Graph, state: RunState, command: Command): void {
  applyDecision(state, decide(graph, state, [command], { now: 1 }));
}

function xstateChain(length: number): AnyStateMachine {
  const states = Array.from({ length }, (_, index) => [`s${index}`, { on: { done: `s${index + 1}` } }] as const);
  return createMachine({ initial: "s0", states: { ...Object.fromEntries(states), [`s${length}`]: { type: "final" } } });
}

/** One state, then many regions side by side, each ended by an event of its own, then one that waits for all of them. */
function xstateFanOut(width: number): AnyStateMachine {
  const region = (index: number) => ({
    initial: "open",
    states: { open: { on: { [`done${index}`]: "ended" } }, ended: { type: "final" as const } },
  });
  const regions = Array.from({ length: width }, (_, index) => [`r${index}`, region(index)] as const);
  return createMachine({
    initial: "first",
    states: {
      first: { on: { done: "all" } },
      all: { type: "parallel", states: Object.fromEntries(regions), onDone: "last" },
      last: { on: { done: "end" } },
      end: { type: "final" },
    },
  });
}

function xstateRun(machine: AnyStateMachine, events: readonly { readonly type: string }[]): number {
  let [state] = initialTransition(machine);
  for (const event of events) [state] = transition(machine, state, event);
  if (state.status !== "done") throw new Error(`ended ${state.status}`);
  return events.length;
}

const ends = (count: number) => Array.from({ length: count }, () => ({ type: "done" }));

function ours(name: string, { graph }: { readonly graph: Graph }): Contender {
  return { name, work: () => run(graph) };
}

function theirs(name: string, machine: AnyStateMachine, events: readonly { readonly type: string }[]): Contender {
  return { name: `XState: ${name}`, work: () => xstateRun(machine, events) };
}

const machine = describeMachine();
const lengths = [3, 100, 1_000, 10_000];
const lengthName = (length: number) => `chain of ${number(length)}`;
const widthName = (width: number) => `fan-out of ${number(width)}`;
const widthEvents = (width: number) => [
  { type: "done" },
  ...Array.from({ length: width }, (_, index) => ({ type: `done${index}` })),
  { type: "done" },
];

const rates: Record<string, Sample> = await measureRates([
  ...lengths.map((length) => ours(lengthName(length), chain(length))),
  ours(widthName(100), fanOut(100)),
  ours(widthName(1_000), fanOut(1_000)),
  ...lengths.map((length) => theirs(lengthName(length), xstateChain(length), ends(length))),
  // A fan-out of 1,000 takes XState 5 s: a transition looks at every region.
  theirs(widthName(100), xstateFanOut(100), widthEvents(100)),
]);
const hundred = rates[lengthName(100)] as Sample;

publish(
  {
    name: "engine",
    columns: [
      { title: "pure engine" },
      { title: "transitions/s, median (all seen)", align: "right" },
      { title: "cost of one, against a chain of 100", align: "right" },
      { title: "XState 5, transitions/s", align: "right" },
      { title: "faster by", align: "right" },
    ],
    rows: [...lengths.map(lengthName), widthName(100), widthName(1_000)].map((name) => {
      const rate = rates[name] as Sample;
      const peer = rates[`XState: ${name}`];
      return [
        name,
        spread(rate),
        ratioOf(hundred, rate).median.toFixed(2),
        peer ? number(peer.median) : "-",
        peer ? ratioOf(rate, peer).median.toFixed(1) : "-",
      ];
    }),
    data: rates,
  },
  machine,
);
