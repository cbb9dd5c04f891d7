/*
 * The edge, as `wrangler dev` runs it: our engine, Cloudflare Workflows and the floor (a bare new object that writes
 * three rows) in one process, with and without wrangler's local tracing.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort, type Server, startServer, startWitness, type Witness, wranglerDev } from "@hephaestus/dev-server";
import { describeMachine } from "./lib/machine.ts";
import { publish } from "./lib/report.ts";
import { type Contender, measureRates } from "./lib/rounds.ts";
import { ratioOf, type Sample, sampleOf } from "./lib/stats.ts";
import { number } from "./lib/table.ts";

type Name = "ours" | "indexed" | "theirs" | "floor" | "queue";
type Shape = "threeSteps" | "fanOut" | "fanOutQueue" | "chain" | "event" | "slow";
type Rates = Partial<Record<Name, Sample>>;

const ROUNDS = 5;
/** Of ours beside the floor: with five of them that ratio was anything from 0.79 to 1.02 on a shared machine. */
const FLOOR_ROUNDS = 15;
/**
 * After so long the objects of before are put away: that comes ten seconds after their last call, takes about as long as
 * they took, and would fall to whoever is measured then. The rounds beside the floor take less than ten seconds, but
 * those of 50 at once on a slow machine: there both are put away by turns.
 */
const PUT_AWAY_MS = 22_000;
/** Of what takes many seconds a round. */
const LONG_ROUNDS = 3;
const CHAIN_LENGTH = 1_000;
const IN_FLIGHT = 200;
/** Longer than the watchdog and the leases of our engine together. */
const COME_BACK_MS = 90_000;
/** How long steps are held up that are to be killed in. */
const HELD_MS = 600_000;

const config = fileURLToPath(new URL("edge/wrangler.jsonc", import.meta.url));

interface Bench {
  readonly server: Server;
  readonly witness: Witness;
  run(contender: string, shape: Shape, what: Run): Promise<void>;
}

interface Run {
  readonly ids: readonly string[];
  readonly concurrency?: number;
  readonly do?: "run" | "start" | "prepare" | "send" | "touch";
}

let made = 0;
const newIds = (count: number) => Array.from({ length: count }, () => `i${++made}`);

async function withServer<T>(tracing: boolean, use: (bench: Bench, restart: () => Promise<void>) => Promise<T>) {
  const folder = mkdtempSync(join(tmpdir(), "hephaestus-bench-"));
  let held = true;
  const delayMs = ({ path }: { path: string }) => (path === "/slow" && held ? HELD_MS : 0);
  const witness = await startWitness(join(folder, "witness.jsonl"), { delayMs });
  const vars = { WITNESS_URL: witness.url };
  const command = wranglerDev({ config, port: await freePort(), state: join(folder, "state"), vars, tracing });
  let server = startServer(command);
  const post = async (path: string, body?: object) => {
    const response = await fetch(server.url + path, {
      method: "POST",
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    if (!response.ok) throw new Error(`${path} was answered ${response.status}: ${await response.text()}`);
  };
  try {
    await server.ready;
    await post("/migrate");
    const bench: Bench = {
      server,
      witness,
      run: (contender, shape, { concurrency = 1, do: what = "run", ids }) =>
        post("/run", { contender, shape, ids, concurrency, do: what }),
    };
    return await use(bench, async () => {
      await server.kill();
      held = false;
      server = startServer(command);
      await server.ready;
    });
  } finally {
    await server.kill();
    witness.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One call of `work` a round: each makes instances of its own. */
const rates = <N extends Name>(contenders: readonly Contender<N>[], rounds: number) =>
  measureRates(contenders, { rounds, roundMs: 1, warmUpMs: 1, seconds: "clock" });

function ends(bench: Bench, name: Name, shape: Shape, count: number, concurrency: number): Contender<Name> {
  const contender = name === "queue" ? "ours" : name;
  return {
    name,
    async work() {
      await bench.run(contender, shape, { ids: newIds(count), concurrency });
      return count;
    },
  };
}

function events(bench: Bench, name: Name, count: number): Contender<Name> {
  let ids: readonly string[] = [];
  return {
    name,
    async prepare() {
      ids = newIds(count);
      await bench.run(name, "event", { ids, concurrency: count, do: "prepare" });
      // The step before the wait has rung; the wait itself follows it.
      await setTimeout(500);
    },
    async work() {
      await bench.run(name, "event", { ids, do: "send" });
      return count;
    },
  };
}

/** Milliseconds a step among the first and the last 100 of our chains, by the calls that the witness saw. */
function ends100(witness: Witness): { first: Sample; last: Sample } {
  const at = new Map(witness.calls.filter(({ path }) => path === "/mark/ours").map((call) => [call.key, call.at]));
  const chains = [...at.keys()].filter((key) => key.endsWith(" 0")).map((key) => key.slice(0, -2));
  const between = (from: number, to: number) =>
    sampleOf(chains.map((id) => ((at.get(`${id} ${to}`) ?? 0) - (at.get(`${id} ${from}`) ?? 0)) / (to - from)));
  return { first: between(0, 99), last: between(CHAIN_LENGTH - 100, CHAIN_LENGTH - 1) };
}

/** How many of the instances that were in flight end after the server was killed. */
async function comeBack(bench: Bench, restart: () => Promise<void>): Promise<Record<"ours" | "theirs", number>> {
  const names = ["ours", "theirs"] as const;
  const ids = { ours: newIds(IN_FLIGHT), theirs: newIds(IN_FLIGHT) };
  const saw = (path: string) => new Set(bench.witness.calls.filter((call) => call.path === path).map(({ key }) => key));
  for (const name of names) await bench.run(name, "slow", { ids: ids[name], concurrency: 50, do: "start" });
  const until = async (holds: () => boolean, end: number) => {
    while (!holds() && Date.now() < end) await setTimeout(100);
  };
  await until(() => saw("/slow").size === 2 * IN_FLIGHT, Date.now() + COME_BACK_MS);
  if (saw("/slow").size !== 2 * IN_FLIGHT)
    throw new Error(`only ${saw("/slow").size} instances got to where they wait`);
  await restart();
  // Ours is left alone; theirs is asked for as well, which might wake it.
  await bench.run("theirs", "slow", { ids: ids.theirs, concurrency: 10, do: "touch" });
  await until(() => saw("/ended").size === 2 * IN_FLIGHT, Date.now() + COME_BACK_MS);
  const ended = saw("/ended");
  return {
    ours: ids.ours.filter((id) => ended.has(id)).length,
    theirs: ids.theirs.filter((id) => ended.has(id)).length,
  };
}

interface Measured {
  readonly what: string;
  readonly unit: "/s" | "ms";
  /** Of what a rate counts, so many are one of what is told. */
  readonly per?: number;
  readonly rates: Rates;
  /** Ours beside the floor, in rounds of their own. */
  readonly beside?: Rates;
}

async function* measure(bench: Bench): AsyncGenerator<Measured> {
  const of = (names: readonly Name[], make: (name: Name) => Contender<Name>, rounds = ROUNDS) =>
    rates(names.map(make), rounds);
  const many = (name: Name) => ends(bench, name, "threeSteps", 100, 50);
  const single = (name: Name) => ends(bench, name, "threeSteps", 40, 1);
  // The floor first: an instance that D1 is told of, and one of Cloudflare's, go on with something long after they have
  // rung (their alarms, their rows in D1), and whoever runs then waits for it.
  const besideFloor = async (make: (name: Name) => Contender<Name>) => {
    await setTimeout(PUT_AWAY_MS);
    return of(["ours", "floor"], make, FLOOR_ROUNDS);
  };
  const manyBeside = await besideFloor(many);
  const singleBeside = await besideFloor(single);
  const others = ["ours", "indexed", "theirs"] as const;
  yield { what: "3 steps, 50 at once", unit: "/s", rates: await of(others, many), beside: manyBeside };
  yield { what: "3 steps, one at a time", unit: "ms", rates: await of(others, single), beside: singleBeside };
  const fanOut = await of(["ours", "queue", "theirs"], (name) =>
    ends(bench, name, name === "queue" ? "fanOutQueue" : "fanOut", 2, 1),
  );
  yield { what: "fan-out of 100 steps", unit: "ms", rates: fanOut };
  const event = await of(["ours", "indexed", "theirs"], (name) => events(bench, name, 10));
  yield { what: "event to the end of the step after it", unit: "ms", rates: event };
  const chain = await of(["ours", "theirs"], (name) => ends(bench, name, "chain", 1, 1), LONG_ROUNDS);
  yield { what: `chain of ${number(CHAIN_LENGTH)}, each step`, unit: "ms", per: CHAIN_LENGTH, rates: chain };
}

const told = ({ unit, per = 1 }: Measured, sample: Sample | undefined) =>
  sample === undefined
    ? "-"
    : unit === "/s"
      ? `${number(sample.median)}/s`
      : `${number(1_000 / sample.median / per)} ms`;
const ratio = (one: Sample | undefined, other: Sample | undefined) =>
  one && other ? number(ratioOf(one, other).median) : "-";

const machine = describeMachine();
const rows: string[][] = [];
const notes: string[] = [
  "All in one `wrangler dev`, driven from inside of the worker; the end is seen by a call in memory that the last step makes. A new object, and so a new file, for each instance.",
  "`with D1`: the same with the index in D1 told of each instance. The floor is a bare new object that writes three rows; where it says `-` there is none. Beside it ours is measured in rounds of their own, before anything else runs: what the index and Cloudflare Workflows leave to be done is not waited for there.",
];
const data: Record<string, Sample | number> = {};
for (const tracing of [false, true]) {
  const mode = tracing ? "on" : "off";
  await withServer(tracing, async (bench, restart) => {
    for await (const measured of measure(bench)) {
      const { rates, beside } = measured;
      const { ours, indexed, theirs, queue } = rates;
      const cells = [beside?.ours ?? ours, queue, indexed, theirs, beside?.floor].map((sample) =>
        told(measured, sample),
      );
      rows.push([measured.what, mode, ...cells, ratio(beside?.ours, beside?.floor), ratio(ours, theirs)]);
      console.error(rows.at(-1)?.join(" | "));
      for (const [name, sample] of Object.entries(rates)) data[`${measured.what}, ${name}, tracing ${mode}`] = sample;
      for (const [name, sample] of Object.entries(beside ?? {}))
        data[`${measured.what}, ${name} beside the floor, tracing ${mode}`] = sample;
    }
    const { first, last } = ends100(bench.witness);
    notes.push(
      `Tracing ${mode}: a step of our chain takes ${number(first.median)} ms among the first 100 and ${number(last.median)} ms among the last 100.`,
    );
    Object.assign(data, { [`chain, first 100, tracing ${mode}`]: first, [`chain, last 100, tracing ${mode}`]: last });
    const back = await comeBack(bench, restart);
    notes.push(
      `Tracing ${mode}: of ${IN_FLIGHT} instances each that were in flight when the server got a SIGKILL, ${back.ours} of ours and ${back.theirs} of theirs came to their ends after it was back.`,
    );
    Object.assign(data, { [`back, ours, tracing ${mode}`]: back.ours, [`back, theirs, tracing ${mode}`]: back.theirs });
  });
}
const columns = [
  { title: "edge" },
  { title: "tracing" },
  ...["ours", "by queue", "with D1", "Cloudflare Workflows", "floor", "of the floor", "faster than theirs by"].map(
    (title) => ({ title, align: "right" as const }),
  ),
];
publish({ name: "edge", columns, rows, notes, data }, machine);
