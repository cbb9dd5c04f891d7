/*
 * A file of 100,000 ended and 100,000 waiting instances beside one of 60: what starting, resuming and the common queries
 * cost, how long it takes to open, and what memory the waiting ones take.
 *
 *   npm run bench -- sqlite-large
 */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createHephaestus, defineStep, defineWorkflow, done, type, waitForEvent } from "@hephaestus/core";
import { sqliteStorage } from "@hephaestus/sqlite/node";
import { describeMachine } from "./lib/machine.ts";
import { publish } from "./lib/report.ts";
import { type Contender, measureRates, type Rate } from "./lib/rounds.ts";
import { ratioOf } from "./lib/stats.ts";
import { number } from "./lib/table.ts";

const first = defineStep({ name: "first", run: async () => 1 });
const gate = waitForEvent({ name: "gate", events: { go: type<undefined>() } });
const last = defineStep({ name: "last", run: async () => 2 });
const flow = defineWorkflow({
  name: "order_flow",
  input: type<{ readonly orderId: number }>(),
  unique: { key: "n" },
  tags: ["orders"],
  start: first,
  transitions: ({ on }) => [on(first, { done: gate }), on(gate, { go: last }), on(last, { done })],
});

function open(fileName: string) {
  const storage = sqliteStorage(fileName, { indexes: ["updated", "input.orderId"] });
  const engine = createHephaestus({ workflows: [flow], storage });
  return {
    engine,
    flows: engine.for(flow),
    async close() {
      await engine.close();
      await storage.close();
    },
  };
}

/** A file with as many of each as said: copies of one that ended and of one that waits, each with its own key and time. */
async function fill(count: number): Promise<string> {
  const fileName = join(mkdtempSync(join(tmpdir(), "bench-")), "bench.db");
  const { engine, flows, close } = open(fileName);
  for (const key of ["ended0", "waiting0"]) await flows.start(key, { orderId: -1 });
  await flows.resume("ended0", "go");
  await flows.result("ended0");
  while ((await engine.list({ status: "waiting" })).items.length === 0);
  await close();
  const database = new DatabaseSync(fileName);
  const columns = (table: string) =>
    database
      .prepare(`SELECT name FROM pragma_table_info('${table}')`)
      .all()
      .map((row) => String(row.name));
  const changed: Readonly<Record<string, string>> = {
    id: "id || n",
    key: "key || n",
    created: "created - n",
    input: "'{\"orderId\":' || n || '}'",
  };
  for (const table of ["hephaestus_journal", "hephaestus_instances", "hephaestus_tags"]) {
    const names = columns(table);
    database.exec(`WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${count})
INSERT INTO ${table} (${names.join(", ")}) SELECT ${names.map((name) => changed[name] ?? name).join(", ")}
FROM ${table} CROSS JOIN numbers`);
  }
  database.close();
  return fileName;
}

type File = "large" | "small";
type Opened = ReturnType<typeof open>;

let keys = 0;
const operations: readonly (readonly [string, (opened: Opened) => Promise<unknown>])[] = [
  [
    "start, resume, result",
    async ({ flows }) => {
      const started = await flows.start(`new${keys++}`, { orderId: -2 });
      await started.resume("go");
      await started.result();
    },
  ],
  ["start", ({ flows }) => flows.start(`new${keys++}`, { orderId: -2 })],
  ["get", ({ flows }) => flows.get("waiting050")],
  ["list by key", ({ flows }) => flows.list({ key: "waiting050" })],
  ["list all, 50", ({ engine }) => engine.list()],
  ["list the workflow's, 50", ({ flows }) => flows.list()],
  ["list what waits, 50", ({ engine }) => engine.list({ status: "waiting" })],
  ["list what failed, none", ({ flows }) => flows.list({ status: ["failed", "cancelled"] })],
  ["list by tag, 50", ({ engine }) => engine.list({ tag: "orders" })],
  ["list by input.orderId, 2", ({ flows }) => flows.list({ where: { "input.orderId": 50 } })],
];

const machine = describeMachine();
const files = { large: await fill(100_000), small: await fill(60) };
const openMs: Record<string, number> = {};
const heapMb: Record<string, number> = {};
const opened = {} as Record<File, Opened>;
for (const name of ["small", "large"] as const) {
  globalThis.gc?.();
  const heap = process.memoryUsage().heapUsed;
  const begun = performance.now();
  opened[name] = open(files[name]);
  await opened[name].flows.get("waiting050");
  openMs[name] = performance.now() - begun;
  // So long that it has looked for what is due.
  await new Promise((resolve) => setTimeout(resolve, 6_000));
  globalThis.gc?.();
  heapMb[name] = (process.memoryUsage().heapUsed - heap) / 2 ** 20;
}

const rows: string[][] = [];
const data: Record<string, Rate | number> = {};
for (const [name, operation] of operations) {
  const contender = (file: File): Contender<File> => ({
    name: file,
    async work() {
      await operation(opened[file]);
      return 1;
    },
  });
  const rates = await measureRates([contender("large"), contender("small")], { rounds: 9, warmUpMs: 300 });
  rows.push([
    name,
    number(1_000_000 / rates.large.median),
    number(1_000_000 / rates.small.median),
    ratioOf(rates.small, rates.large).median.toFixed(2),
  ]);
  data[`${name}, large`] = rates.large;
  data[`${name}, small`] = rates.small;
}
for (const [name, values] of [
  ["opening until the first answer, ms", openMs],
  ["memory of the open engine, MB of heap", heapMb],
] as const) {
  rows.push([name, number(values.large ?? 0), number(values.small ?? 0), ""]);
  Object.assign(data, { [`${name}, large`]: values.large, [`${name}, small`]: values.small });
}
await Promise.all(Object.values(opened).map((one) => one.close()));

publish(
  {
    name: "sqlite-large",
    columns: [
      { title: "µs of computing, each" },
      { title: "with 200,000", align: "right" },
      { title: "with 120", align: "right" },
      { title: "times", align: "right" },
    ],
    rows,
    data,
  },
  machine,
);
