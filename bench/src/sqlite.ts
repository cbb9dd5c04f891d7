/*
 * The local runner on a SQLite file, beside openworkflow on its own SQLite backend and the floor (sqlite-floor.ts), in
 * the same rounds. Durable work waits for a disk, so that seconds are those of the clock.
 *
 *   npm run bench -- sqlite
 */
import { mkdtempSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHephaestus, defineWorkflow, done, type, type Workflow, waitForEvent } from "@hephaestus/core";
import { sqliteStorage } from "@hephaestus/sqlite/node";
import { OpenWorkflow } from "openworkflow";
import { BackendSqlite } from "openworkflow/sqlite";
import { describeMachine } from "./lib/machine.ts";
import { publish } from "./lib/report.ts";
import { type Contender, measureRates, type Rate } from "./lib/rounds.ts";
import { chain, fanOut } from "./lib/shapes.ts";
import { bareStatements } from "./lib/sqlite-statements.ts";
import { quantile, ratioOf } from "./lib/stats.ts";
import { number, spread } from "./lib/table.ts";
import { floor } from "./sqlite-floor.ts";

type Synchronous = "FULL" | "NORMAL";
type Run = () => Promise<unknown>;

interface Engine {
  readonly run: Run;
  /** Its file's write-ahead log, if that is to have been written back once before anything is measured. */
  readonly log?: string;
  close(): Promise<void>;
}

const newFile = () => join(mkdtempSync(join(tmpdir(), "bench-")), "bench.db");
const asyncValue = (index: number) => async () => index;

function hephaestus(flow: Workflow<string, unknown, unknown, undefined>, synchronous: Synchronous): Engine {
  const fileName = newFile();
  const storage = sqliteStorage(fileName, { synchronous });
  const engine = createHephaestus({ workflows: [flow], storage });
  const flows = engine.for(flow);
  return {
    log: `${fileName}-wal`,
    run: async () => (await flows.start(null)).result(),
    async close() {
      await engine.close();
      await storage.close();
    },
  };
}

/** Its end is told by its last line, since its own `result()` asks once a second. SQLite's default is FULL. */
function openworkflow(steps: number, isWide: boolean, concurrency: number): Engine {
  const backend = BackendSqlite.connect(newFile());
  const client = new OpenWorkflow({ backend });
  const ends = new Map<number, () => void>();
  const flow = client.defineWorkflow({ name: "flow" }, async ({ input, step }) => {
    const runs = Array.from(
      { length: steps },
      (_, index) => () => step.run({ name: `step_${index}` }, asyncValue(index)),
    );
    if (isWide) await Promise.all(runs.map((run) => run()));
    else for (const run of runs) await run();
    ends.get(input as number)?.();
  });
  const worker = client.newWorker({ concurrency });
  let started = 0;
  const isStarted = worker.start();
  return {
    async run() {
      await isStarted;
      const number = started++;
      const ended = new Promise<void>((resolve) => ends.set(number, resolve));
      await flow.run(number as never);
      await ended;
    },
    async close() {
      await worker.stop();
      await backend.stop();
    },
  };
}

function contender<Name extends string>(
  name: Name,
  make: () => Engine,
  callers: number,
  latencies?: number[],
): Contender<Name> {
  let engine: Engine;
  const runSome = async (count: number, note?: (ms: number) => void) => {
    let left = count;
    const caller = async () => {
      while (left-- > 0) {
        const begun = performance.now();
        await engine.run();
        note?.(performance.now() - begun);
      }
    };
    await Promise.all(Array.from({ length: callers }, caller));
    return count;
  };
  return {
    name,
    async prepare() {
      engine = make();
      if (engine.log) await untilFull(engine.log, () => runSome(callers));
    },
    tidy: () => engine.close(),
    work: () => runSome(callers * 4, latencies && ((ms) => latencies.push(ms))),
  };
}

/** A log grows until it is written back for the first time, and each transaction that makes it longer takes longer. */
async function untilFull(log: string, work: () => Promise<unknown>): Promise<void> {
  for (let before = -1; ; ) {
    await work();
    const { size } = statSync(log);
    if (size === before) return;
    before = size;
  }
}

/** SQLite writes a log back after 1,000 pages, of which a transaction writes one or more. */
const FLOOR_LOG_TRANSACTIONS = 1_000;

function floorContender(synchronous: Synchronous): Contender<"floor"> {
  let transaction: () => void;
  return {
    name: "floor",
    prepare() {
      transaction = floor(synchronous);
      for (let count = 0; count < FLOOR_LOG_TRANSACTIONS; count++) transaction();
    },
    work() {
      transaction();
      return 1;
    },
  };
}

/** The statements of the workflow of three steps, and nothing else. */
function statementsContender(synchronous: Synchronous): Contender<"statements"> {
  let run: () => void;
  return {
    name: "statements",
    async prepare() {
      const fileName = newFile();
      const bare = await bareStatements(three, fileName, synchronous);
      if (bare.transactions !== COMMITS) throw new Error(`a workflow made ${bare.transactions} transactions`);
      run = bare.run;
      await untilFull(`${fileName}-wal`, async () => run());
    },
    work() {
      run();
      return 1;
    },
  };
}

const options = { seconds: "clock", rounds: 7, roundMs: 500, warmUpMs: 500 } as const;
const machine = describeMachine();
const three = chain(3, asyncValue);
/** The start, and each of the steps. */
const COMMITS = 4;

const rows: string[][] = [];
const data: Record<string, Rate> = {};
for (const synchronous of ["FULL", "NORMAL"] as const) {
  const one: number[] = [];
  const theirs: number[] = [];
  const rates = await measureRates(
    [
      floorContender(synchronous),
      statementsContender(synchronous),
      contender("one", () => hephaestus(three, synchronous), 1, one),
      contender("fifty", () => hephaestus(three, synchronous), 50),
      ...(synchronous === "FULL"
        ? [
            contender("openworkflow", () => openworkflow(3, false, 50), 50),
            contender("openworkflow, one", () => openworkflow(3, false, 1), 1, theirs),
          ]
        : []),
    ],
    options,
  );
  for (const [name, rate] of Object.entries(rates)) data[`${synchronous}, ${name}`] = rate;
  const times = (all: number[]) => `${number(quantile(all, 0.5))} / ${number(quantile(all, 0.99))}`;
  const { floor: bare, statements, one: alone, fifty } = rates;
  const ofFloor = (rate: Rate) => `${(ratioOf(rate, bare).median * COMMITS).toFixed(2)} of the floor / ${COMMITS}`;
  rows.push([`${synchronous}: the floor, transactions of 4 rows`, spread(bare), "", ""]);
  rows.push([`${synchronous}: its statements, no engine`, spread(statements), "", ofFloor(statements)]);
  rows.push([`${synchronous}: one caller`, spread(alone), times(one), ofFloor(alone)]);
  rows.push([
    `${synchronous}: 50 callers`,
    spread(fifty),
    "",
    `${ratioOf(fifty, bare).median.toFixed(2)} of the floor`,
  ]);
  if (synchronous !== "FULL") continue;
  const peer = rates.openworkflow;
  rows.push([
    "FULL: openworkflow, 50 callers",
    spread(peer),
    "",
    `Hephaestus: ${ratioOf(fifty, peer).median.toFixed(0)} times`,
  ]);
  const peerAlone = rates["openworkflow, one"];
  rows.push([
    "FULL: openworkflow, one caller",
    spread(peerAlone),
    times(theirs),
    `Hephaestus: ${ratioOf(alone, peerAlone).median.toFixed(0)} times`,
  ]);
}

const wide = await measureRates(
  [
    contender("ours", () => hephaestus(fanOut(100, asyncValue), "FULL"), 1),
    contender("theirs", () => openworkflow(100, true, 1), 1),
  ],
  { ...options, rounds: 3 },
);
const long = await measureRates(
  [
    contender("ours", () => hephaestus(chain(1_000, asyncValue), "FULL"), 1),
    contender("theirs", () => openworkflow(1_000, false, 1), 1),
  ],
  { ...options, rounds: 3 },
);
Object.assign(data, { "fan-out of 100": wide.ours, "chain of 1,000": long.ours });
for (const [name, { ours, theirs }] of [
  ["FULL: fan-out of 100, one caller", wide],
  ["FULL: chain of 1,000 steps, one caller", long],
] as const) {
  rows.push([
    name,
    spread(ours),
    number(1_000 / ours.median),
    `${ratioOf(ours, theirs).median.toFixed(1)} times openworkflow`,
  ]);
}

const eventMs = await fromEventToEnd(300);
rows.push([
  "FULL: from an event to the end",
  "",
  `${number(quantile(eventMs, 0.5))} / ${number(quantile(eventMs, 0.99))}`,
  "",
]);

/** How long it takes from sending the event that an instance waits for until its end is known, in milliseconds. */
async function fromEventToEnd(times: number): Promise<number[]> {
  const gate = waitForEvent({ name: "gate", events: { go: type<undefined>() } });
  const flow = defineWorkflow({
    name: "event",
    input: type<null>(),
    start: gate,
    transitions: ({ on }) => [on(gate, { go: done })],
  });
  const storage = sqliteStorage(newFile(), { synchronous: "FULL" });
  const engine = createHephaestus({ workflows: [flow], storage });
  const took: number[] = [];
  for (let time = 0; time < times; time++) {
    const started = await engine.for(flow).start(null);
    const ended = started.result();
    const begun = performance.now();
    await started.resume("go");
    await ended;
    took.push(performance.now() - begun);
  }
  await engine.close();
  await storage.close();
  return took;
}

publish(
  {
    name: "sqlite",
    columns: [
      { title: "a file, by the clock" },
      { title: "a second, median (all seen)", align: "right" },
      { title: "p50 / p99, ms", align: "right" },
      { title: "compared" },
    ],
    rows,
    notes: [
      "FULL: a commit is on the disk before it is answered; NORMAL: soon after. A workflow has three steps, and four commits with its start.",
      "A process that lives has filled its file's write-ahead log once: ours and the floor's are filled before each round.",
      "openworkflow is always FULL; its end is told by the last line of its workflow, before it is stored.",
    ],
    data,
  },
  machine,
);
