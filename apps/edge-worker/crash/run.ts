import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type InstanceView, MAX_INTERRUPTIONS } from "@hephaestus/core";
import { type Call, freePort, startWitness, wranglerDev } from "@hephaestus/dev-server";
import { type Ended, findProblems } from "./checks.ts";
import { type IndexRow, indexProblems } from "./index-rows.ts";
import { makeObserver } from "./observer.ts";
import { seededRandom } from "./random.ts";
import { makePlayer, type Player, type Shape, shapes } from "./shapes.ts";
import { makeWorld, sleep, type World } from "./world.ts";

/** How long the server lives at most before it is killed, in milliseconds, once it answers. */
const LIFE_MS_MAX = 2_500;
/** Every so many kills, one comes while the server starts, at most so long after its spawn. */
const BOOT_KILL_EVERY = 5;
const BOOT_MS_MAX = 4_000;
/** After so many kills all instances so far come to their ends, before the next one: fewer than `MAX_INTERRUPTIONS`. */
const WAVE_KILLS = MAX_INTERRUPTIONS - 1;
/** How long a call of a step takes at most, so that most kills are in the middle of some. */
const STEP_MS_MAX = 150;
/** How often the flaky step is answered with an error. */
const FLAKY_CALLS = 2;
/** An instance that has not ended so long after the last kill does not. */
const END_MS_MAX = 120_000;
const POLL_MS = 200;

export interface CrashRun {
  readonly instances: number;
  readonly kills: number;
  readonly seed: number;
  /** Told what happens meanwhile. */
  readonly log?: (line: string) => void;
}

export interface CrashReport {
  readonly problems: readonly string[];
  readonly kills: number;
  /** By the status that they ended with. */
  readonly ended: Readonly<Record<string, number>>;
  /** Runs of steps that the witness saw, and those of them that came again. */
  readonly begun: number;
  readonly begunAgain: number;
  /** Ends of steps that had been read from the history before the last kill. */
  readonly acknowledged: number;
  readonly seconds: number;
}

interface Cast {
  readonly shape: Shape;
  readonly player: Player;
}

/** Drives instances through a server that is killed and started again, and says what is wrong at the end. */
export async function runCrashes({ instances, kills, seed, log = () => {} }: CrashRun): Promise<CrashReport> {
  const begun = Date.now();
  const folder = mkdtempSync(join(tmpdir(), "hephaestus-crash-"));
  const random = seededRandom(seed);
  const witness = await startWitness(join(folder, "witness.jsonl"), witnessOptions(seededRandom(-seed)));
  const world = makeWorld(
    wranglerDev({
      config: fileURLToPath(new URL("wrangler.jsonc", import.meta.url)),
      port: await freePort(),
      state: join(folder, "state"),
      vars: { WITNESS_URL: witness.url },
    }),
  );
  const observer = makeObserver(world, witness);
  const acknowledged = () => witness.calls.filter(({ path }) => path === "/acknowledged").length;
  const cast: Cast[] = [];
  const failures: string[] = [];
  try {
    await world.fetch("/migrate", { method: "POST" });
    const plays: Promise<void>[] = [];
    for (let kill = 1; kill <= kills; kill++) {
      for (let n = cast.length; n < Math.ceil((instances * kill) / kills); n++) {
        const shape = shapes[n % shapes.length] as Shape;
        const player = makePlayer(shape, String(n), world, observer, seededRandom(seed + n));
        cast.push({ shape, player });
        plays.push(shape.play(player).catch((error: unknown) => void failures.push(`${player.id}: ${error}`)));
      }
      const moment = momentOf(kill, random);
      // What was cut off comes to its end now and then: by MAX_INTERRUPTIONS a step that never does fails, and rightly.
      if (kill % WAVE_KILLS === 0) await Promise.race([Promise.all(plays), sleep(END_MS_MAX)]);
      // Else no kill might show that what was acknowledged begins again.
      if (kill === kills) while (acknowledged() === 0) await sleep(POLL_MS);
      const before = witness.calls.length;
      await world.kill(moment);
      const cut = cutOff(witness.calls.slice(before));
      const after = `${Math.round(moment.ms)} ms after ${moment.after}`;
      log(`kill ${kill}, ${after}: ${cast.length} instances started, ${cut} steps cut off`);
    }
    const acknowledgedAtLastKill = acknowledged();
    await Promise.race([Promise.all(plays), sleep(END_MS_MAX)]);
    await observer.stop();
    const { problems, ended } = await check(world, cast, witness.calls);
    const seconds = (Date.now() - begun) / 1_000;
    const figures = { ...sumUp(ended, witness.calls), kills, acknowledged: acknowledgedAtLastKill, seconds };
    return { ...figures, problems: [...failures, ...problems] };
  } finally {
    await world.close();
    witness.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function momentOf(kill: number, random: () => number) {
  const inBoot = kill % BOOT_KILL_EVERY === 0;
  return { after: inBoot ? "spawn" : "ready", ms: random() * (inBoot ? BOOT_MS_MAX : LIFE_MS_MAX) } as const;
}

function witnessOptions(random: () => number) {
  const flaky = new Map<string, number>();
  return {
    delayMs: () => random() * STEP_MS_MAX,
    status({ key, path }: Call) {
      if (path !== "/end" || !key.endsWith("/flaky")) return 201;
      const calls = (flaky.get(key) ?? 0) + 1;
      flaky.set(key, calls);
      return calls <= FLAKY_CALLS ? 500 : 201;
    },
  };
}

async function check(
  world: World,
  cast: readonly Cast[],
  calls: readonly Call[],
): Promise<{ problems: string[]; ended: Ended[] }> {
  const ended: Ended[] = [];
  for (const { shape, player } of cast) {
    const view = await world.call((client) => client.get(player.id));
    const history = await world.call((client) => client.history(player.id));
    ended.push({ shape, player, view, history });
  }
  const views = ended.map(({ view }) => view);
  return { problems: [...findProblems(ended, calls), ...(await indexAtEnd(world, views))], ended };
}

/** D1 is told after the object: it has to come to agree, by itself. */
async function indexAtEnd(world: World, views: readonly InstanceView[]): Promise<string[]> {
  for (const end = Date.now() + END_MS_MAX; ; ) {
    const rows = (await (await world.fetch("/rows")).json()) as IndexRow[];
    const problems = indexProblems(views, rows);
    if (problems.length === 0 || Date.now() > end) return problems;
    await sleep(POLL_MS);
  }
}

function sumUp(ended: readonly Ended[], calls: readonly Call[]) {
  const byStatus: Record<string, number> = {};
  for (const { view } of ended) byStatus[view.status] = (byStatus[view.status] ?? 0) + 1;
  const begins = calls.filter(({ path }) => path === "/begin");
  const begunAgain = begins.length - new Set(begins.map(({ key }) => key)).size;
  return { ended: byStatus, begun: begins.length, begunAgain };
}

/** Steps that had begun and not ended. */
function cutOff(calls: readonly Call[]): number {
  const open = new Set<string>();
  for (const { key, path } of calls) {
    if (path === "/begin") open.add(key);
    if (path === "/end") open.delete(key);
  }
  return open.size;
}
