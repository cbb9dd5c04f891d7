/*
 * The local runner on memory, as workflows get larger: what a step costs in a long chain and in a wide fan-out, and what
 * it takes to load an instance with many finished steps. Steps are asynchronous and return a number.
 *
 *   npm run bench -- local-sizes
 */
import { type AnyWorkflow, createHephaestus, type Hephaestus, loadState, memoryStorage } from "@hephaestus/core";
import { describeMachine } from "./lib/machine.ts";
import { publish } from "./lib/report.ts";
import { type Contender, measureRates, type Rate } from "./lib/rounds.ts";
import { chain, fanOut } from "./lib/shapes.ts";
import { number } from "./lib/table.ts";

const asyncValue = (index: number) => async () => index;

async function runOnce(engine: Hephaestus, flow: AnyWorkflow): Promise<string> {
  const { id, result } = await engine.start(flow.name, null);
  await result();
  return id;
}

function running(name: string, flow: AnyWorkflow): Contender {
  let engine: Hephaestus | undefined;
  return {
    name,
    prepare() {
      engine = createHephaestus({ workflows: [flow] });
    },
    async work() {
      await runOnce(engine as Hephaestus, flow);
      return 1;
    },
    tidy: () => engine?.close(),
  };
}

const LOADED = 10_000;
const long = chain(LOADED, asyncValue);
const storage = memoryStorage();
const engine = createHephaestus({ workflows: [long], storage });
const finished = await runOnce(engine, long);

/** What a driver does when it takes over: the records, folded under the graph. */
async function load(): Promise<number> {
  const { state } = await loadState({ storage, registry: engine.registry }, finished);
  if (state.completed.length !== LOADED) throw new Error(`loaded ${state.completed.length} finished steps`);
  return 1;
}

/** What a caller gets: the same, with every result decoded. */
async function get(): Promise<number> {
  const { steps } = await engine.get(finished);
  if (Object.keys(steps).length !== LOADED) throw new Error("not all steps are there");
  return 1;
}

const workflows = [
  { name: "chain of 100", flow: chain(100, asyncValue) },
  { name: "chain of 1,000", flow: chain(1_000, asyncValue) },
  { name: "chain of 10,000", flow: long },
  { name: "fan-out of 100", flow: fanOut(100, asyncValue) },
  { name: "fan-out of 1,000", flow: fanOut(1_000, asyncValue) },
];

const machine = describeMachine();
const rates: Record<string, Rate> = await measureRates(
  [...workflows.map(({ name, flow }) => running(name, flow)), { name: "load", work: load }, { name: "get", work: get }],
  { rounds: 11 },
);
await engine.close();

const ms = (sample: { median: number } | undefined) => 1_000 / (sample?.median ?? 0);
const best = (sample: { high: number } | undefined) => 1_000 / (sample?.high ?? 0);
const row = (title: string, name: string, steps: number) => [
  title,
  number(ms(rates[name])),
  number(best(rates[name])),
  number(ms(rates[name]?.byClock)),
  number((ms(rates[name]) * 1_000) / steps),
];

publish(
  {
    name: "local-sizes",
    columns: [
      { title: "one caller" },
      { title: "ms, median", align: "right" },
      { title: "least", align: "right" },
      { title: "by the clock", align: "right" },
      { title: "µs a step", align: "right" },
    ],
    rows: [
      ...workflows.map(({ name, flow }) => row(name, name, flow.graph.nodes.length)),
      row("load 10,000 finished steps", "load", LOADED),
      row("get() of the same, all results decoded", "get", LOADED),
    ],
    data: rates,
  },
  machine,
);
