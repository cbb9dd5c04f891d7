import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { HistoryEntry, InstanceSummary, InstanceView } from "@hephaestus/core";
import { freePort, isUp, type Server, startServer, startWitness, type Witness } from "@hephaestus/dev-server";
import { send } from "./deliveries.ts";
import { makeScenarios, type Scenario } from "./scenarios.ts";
import { builtWorker } from "./server.ts";
import { timeline } from "./timeline.ts";
import { findRestarts } from "./witness.ts";

/*
 * Replays recorded GitHub deliveries against the worker and follows each instance to its end.
 *
 *   npm run demo                 against http://localhost:8787 (PORT), or a server of its own when none is running
 *   npm run demo -- --kill       a server of its own, killed with SIGKILL while instances are in flight, several times
 *   npm run demo -- --rounds N   how many of each scenario
 */
const SECRET = "development";
/** An instance that has not ended by then does not: longer than every lease and watchdog together. */
const END_MS_MAX = 120_000;
const POLL_MS = 100;
const KILLS = 4;
const KILL_EVERY_MS = [700, 1_600] as const;

const { values } = parseArgs({
  options: { kill: { type: "boolean", default: false }, rounds: { type: "string" } },
});
const rounds = Number(values.rounds ?? (values.kill ? 4 : 1));

interface World {
  url(): string;
  /** Waits while the server is down. */
  ready(): Promise<void>;
}

async function getJson<T>(world: World, path: string): Promise<T> {
  for (;;) {
    await world.ready();
    try {
      const response = await fetch(world.url() + path);
      if (response.ok) return (await response.json()) as T;
      if (response.status < 500) throw new Error(`${path} was answered ${response.status}: ${await response.text()}`);
    } catch (error) {
      // The server was killed under the request.
      if (!(error instanceof TypeError)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Sends until it is answered: what was cut off by a kill is sent again, as GitHub's redelivery does. */
async function deliver(world: World, one: Scenario["deliveries"][number]["delivery"]) {
  for (;;) {
    await world.ready();
    try {
      return await send(world.url(), SECRET, one);
    } catch (error) {
      if (!values.kill) throw error;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
}

async function until(
  world: World,
  id: string,
  holds: (view: InstanceView) => boolean,
  what: string,
): Promise<InstanceView> {
  const end = Date.now() + END_MS_MAX;
  for (;;) {
    const view = await getJson<InstanceView>(world, `/instances/${encodeURIComponent(id)}`);
    if (holds(view)) return view;
    if (Date.now() > end)
      throw new Error(
        `${id} is ${view.status} and never came to this: ${what}\n${JSON.stringify(view.steps, null, 1)}`,
      );
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

const isEnd = ({ status }: InstanceView) => ["completed", "failed", "cancelled"].includes(status);

async function play(world: World, scenario: Scenario) {
  let id: string | undefined;
  for (const { delivery, when } of scenario.deliveries) {
    if (id !== undefined && when) {
      const [step, status] = when;
      const settled = ["completed", "cancelled"];
      await until(
        world,
        id,
        (view) => [status, ...settled].includes(view.steps[step]?.status ?? ""),
        `${step} ${status}`,
      );
    }
    id = (await deliver(world, delivery)).id ?? id;
  }
  if (id === undefined) throw new Error(`${scenario.title}: no instance`);
  const view = await until(world, id, isEnd, "its end");
  const { items } = await getJson<{ items: HistoryEntry[] }>(world, `/instances/${encodeURIComponent(id)}/history`);
  const wrong = [
    ...(view.status === scenario.ends ? [] : [`ended ${view.status}, not ${scenario.ends}`]),
    ...scenario.completed
      .filter((step) => view.steps[step]?.status !== "completed")
      .map((step) => `${step} is not completed`),
    ...doubled(items),
  ];
  return { scenario, view, history: items, wrong };
}

/** Steps that completed more than once, and events that were accepted more than once. */
function doubled(history: readonly HistoryEntry[]): string[] {
  const seen = new Set<string>();
  return history.flatMap((entry) => {
    const name =
      entry.type === "step" && entry.status === "completed" && entry.compensation === undefined
        ? `step ${entry.step}`
        : entry.type === "event"
          ? `event ${entry.id}`
          : undefined;
    if (name === undefined) return [];
    if (seen.has(name)) return [`${name} counts twice`];
    seen.add(name);
    return [];
  });
}

/** Kills the server and starts it again on the same state, some times at random moments. */
async function killer(
  start: () => Promise<Server>,
  world: { server: Server; down: Promise<void> | undefined },
  done: { yet: boolean },
) {
  let kills = 0;
  while (kills < KILLS && !done.yet) {
    const [least, most] = KILL_EVERY_MS;
    await new Promise((resolve) => setTimeout(resolve, least + Math.random() * (most - least)));
    kills += 1;
    console.log(`  kill ${kills}: SIGKILL to the server's process group`);
    world.down = world.server.kill().then(async () => {
      world.server = await start();
    });
    await world.down;
    world.down = undefined;
  }
  return kills;
}

async function withOwnServer(
  use: (world: World, gitHub: Witness, kill: (done: { yet: boolean }) => Promise<number>) => Promise<boolean>,
) {
  const folder = mkdtempSync(join(tmpdir(), "hephaestus-demo-"));
  // A stand-in for GitHub's API: each call takes a while, so that there is something to be killed in the middle of.
  const gitHub = await startWitness(join(folder, "witness.jsonl"), { delayMs: () => (values.kill ? 250 : 20) });
  const port = await freePort();
  const vars = { GITHUB_API_URL: gitHub.url, WATCHDOG_SECONDS: "1" };
  async function start(): Promise<Server> {
    const server = startServer(builtWorker(port, join(folder, "state"), vars));
    await server.ready;
    return server;
  }
  const own = { server: await start(), down: undefined as Promise<void> | undefined };
  const world: World = { url: () => own.server.url, ready: async () => own.down };
  try {
    return await use(world, gitHub, (done) => killer(start, own, done));
  } finally {
    await own.down?.catch(() => {});
    await own.server.kill();
    gitHub.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function replay(
  world: World,
  kill?: (done: { yet: boolean }) => Promise<number>,
  gitHub?: Witness,
): Promise<boolean> {
  // Numbers of their own, so that the demo can be run again against the same server.
  const first = Math.floor(Date.now() / 1_000) % 1_000_000_000;
  const scenarios = Array.from({ length: rounds }, (_, round) => makeScenarios(first + round * 100)).flat();
  console.log(`Replaying ${scenarios.length} pull requests against ${world.url()}`);
  const done = { yet: false };
  const killing = kill?.(done);
  const played = await Promise.all(scenarios.map((scenario) => play(world, scenario)));
  done.yet = true;
  const kills = await killing;
  let good = true;
  for (const { scenario, view, history, wrong } of played) {
    console.log(`\n${scenario.title}\n${timeline(view, history)}`);
    for (const problem of wrong) console.log(`  WRONG: ${problem}`);
    good &&= wrong.length === 0;
  }
  for (const { view } of played) good = (await agreesWithIndex(world, view)) && good;
  if (gitHub) {
    const { calls } = gitHub;
    const restarts = findRestarts(calls, played);
    for (const problem of restarts) console.log(`WRONG: ${problem}`);
    good &&= restarts.length === 0;
    const again = calls.length - new Set(calls.map((one) => one.key)).size;
    console.log(
      `\nThe witness saw ${calls.length} step runs, ${again} of them again after a kill, none after its result.`,
    );
  }
  if (kills !== undefined) console.log(`The server was killed ${kills} times.`);
  console.log(
    good ? `\nAll ${played.length} instances ended as they should.` : "\nNot all instances ended as they should.",
  );
  return good && (kills === undefined || kills > 0);
}

/** What lists answer comes from D1; it must come to agree with the object. */
async function agreesWithIndex(world: World, view: InstanceView): Promise<boolean> {
  const end = Date.now() + END_MS_MAX;
  for (;;) {
    const path = `/instances?workflow=pull_request_flow&status=${view.status}&key=${view.key}`;
    const { items } = await getJson<{ items: InstanceSummary[] }>(world, path);
    if (items[0]?.id === view.id && items[0].revision === view.revision) return true;
    if (Date.now() > end) {
      console.log(`WRONG: D1 has ${JSON.stringify(items[0] ?? null)} for ${view.id} at revision ${view.revision}`);
      return false;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

const url = `http://localhost:${process.env.PORT || "8787"}`;
const running = !values.kill && (await isUp(url));
const good = running
  ? await replay({ url: () => url, ready: async () => {} })
  : await withOwnServer((world, gitHub, kill) => replay(world, values.kill ? kill : undefined, gitHub));
process.exit(good ? 0 : 1);
