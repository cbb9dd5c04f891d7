import { HephaestusError } from "../../definition/errors.ts";
import type { Commit, CommitResult, Storage } from "../../runtime/storage.ts";
import { frozenCopy } from "./frozen-copy.ts";
import type { Fault, Port } from "./plan.ts";
import { checkOwner } from "./rules-calm.ts";
import type { Life } from "./scheduler.ts";
import { hold } from "./violation.ts";
import { chanceAt, delayOf, fail, guard, type World } from "./world.ts";

/** A call that never comes back: neither `catch` nor `finally` runs. */
export function never<T>(): Promise<T> {
  return new Promise(() => {});
}

const UNAVAILABLE = new HephaestusError("STORAGE_UNAVAILABLE", "the storage cannot be reached");
const FULL = new HephaestusError("STORAGE_FULL", "there is no room");

/** How a call on the storage has its effect. */
interface Effect<T> {
  /** All of it. */
  all(fault: Fault | undefined): Promise<T>;
  /** A part of it; undefined where there are no parts. */
  part?(): Promise<unknown>;
}

type Call = <T>(port: Port, effect: Effect<T>) => Promise<T>;

/** The world's storage as one life of a worker reaches it. */
export function storagePort(world: World, life: Life): Storage {
  const { storage, scheduler, faults, plan } = world;
  const { watch, locks } = plan.settings;

  function call<T>(port: Port, effect: Effect<T>): Promise<T> {
    if (!life.alive) return never();
    const nth = faults.touch(life, port);
    const fault = faults.strike(life, port, nth);
    const late = fault?.kind === "stall-before" ? fault.ms : 0;
    if (fault?.kind.startsWith("stall")) {
      const { slowCallMs } = plan.settings;
      world.stalledUntil = Math.max(world.stalledUntil, scheduler.now + slowCallMs + fault.ms);
    }
    return new Promise<T>((resolve, reject) => {
      const answer = (settle: () => void, ms: number) => {
        if (!life.alive) return;
        if (ms === 0 && life.frozenUntil <= scheduler.now) return settle();
        // A worker that was frozen meanwhile hears of it later still.
        world.stalledUntil = Math.max(world.stalledUntil, scheduler.now + ms);
        scheduler.park({ life, port, nth: nth + 32_768, outside: false, readyAt: scheduler.now + ms, run: settle });
      };
      scheduler.park({
        life,
        port,
        nth,
        outside: chanceAt(world, life, port, nth, 3) < 0.5,
        readyAt: scheduler.now + delayOf(world, life, port, nth) + late,
        run: () => perform(effect, life.alive ? fault : undefined, answer, resolve, reject),
      });
    });
  }

  async function perform<T>(
    effect: Effect<T>,
    fault: Fault | undefined,
    answer: (settle: () => void, ms: number) => void,
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
  ): Promise<void> {
    const refuse = (error: unknown) => answer(() => reject(error), 0);
    try {
      switch (fault?.kind) {
        case "crash-before":
          return world.crash(life, fault.ms);
        case "refused":
          return refuse(UNAVAILABLE);
        case "torn-group":
          if (effect.part) await effect.part();
          return refuse(UNAVAILABLE);
        case "full":
          // A call that was made before faults stopped may be answered after.
          if (!world.calm) world.fullUntil = scheduler.now + fault.ms;
          break;
        case "freeze":
          life.frozenUntil = scheduler.now + fault.ms;
          break;
        case "clock-jump":
          world.offsets[life.worker] = (world.offsets[life.worker] ?? 0) + fault.ms;
          break;
      }
      const value = await effect.all(fault);
      if (fault?.kind === "crash-after") return world.crash(life, fault.ms);
      if (fault?.kind === "lost-answer") return refuse(UNAVAILABLE);
      answer(() => resolve(value), fault?.kind === "stall-after" ? fault.ms : 0);
    } catch (error) {
      if (error instanceof HephaestusError) refuse(error);
      else fail(world, error);
    }
  }

  async function commitAll(commits: readonly Commit[]): Promise<readonly CommitResult[]> {
    if (world.fullUntil > scheduler.now) throw FULL;
    const results = await storage.commit(commits);
    for (const [index, commit] of commits.entries()) {
      const result = results[index];
      world.trace.add(`  ${commit.id} ${commit.expected + 1} ${result}: ${summaryOf(commit)}`);
      if (result !== "ok") continue;
      checkOwner(world, life, commit);
      world.journal.committed(commit, life, world.latest[life.worker] ?? 0, scheduler.tick);
      world.journal.account(commit.id).changedBy = life;
      const [record] = (await storage.load(commit.id, commit.expected)) ?? [];
      const found = record?.nonce === commit.nonce && record.revision === commit.expected + 1;
      hold(
        found,
        "commit-lost",
        () => `revision ${commit.expected + 1} of ${commit.id} was acknowledged and is not there`,
      );
      if (commit.changes.owner) world.witness.leased(life, commit.id, commit.changes.owner.until);
      tell(commit.id);
    }
    return results;
  }

  /** Every worker that watches is told, some time later. */
  function tell(id: string): void {
    for (const [watcher, listener] of world.listeners) if (watcher.alive) listener(id);
  }

  const port: Storage = {
    capabilities: storage.capabilities,
    load: (id, after) =>
      call("load", {
        all: () => storage.load(id, after),
      }),
    async commit(given) {
      // What is sent shares nothing with its sender, as with any storage that is not memory; and nobody may change it.
      const commits = guard(world, () => given.map(frozenCopy));
      if (commits === undefined) return never();
      const results = await call("commit", {
        all: () => commitAll(commits),
        part: () => commitAll(commits.slice(0, commits.length >> 1)),
      });
      commits.forEach(({ id, expected }, index) => {
        if (results[index] === "ok") world.witness.acknowledged(life, id, expected + 1);
      });
      return results;
    },
    payloads: (id, revisions) => call("payloads", { all: () => storage.payloads(id, revisions) }),
    due: (request) => call("due", { all: () => storage.due(request) }),
    query: (filter) => call("query", { all: () => storage.query(filter) }),
    remove: (id, through, standing) =>
      call("remove", {
        async all() {
          const known = standing && world.journal.account(id).records.get(standing.revision);
          const answer = await storage.remove(id, through, standing);
          const stood = standing === undefined || known?.nonce === standing.nonce;
          if (stood && !answer.more) world.journal.removed(id, through, scheduler.tick);
          return answer;
        },
      }),
  };
  if (watch) Object.assign(port, { watch: watchPort(world, life) });
  if (locks) Object.assign(port, locksPort(world, life, call));
  return port;
}

/** A commit as a line of the trace. */
function summaryOf({ run, nonce, changes }: Commit): string {
  const { steps = {}, inbox, commands = [], status, owner, paused } = changes;
  const parts = [
    `run ${run}`,
    ...(status === undefined ? [] : [status]),
    ...(paused === undefined ? [] : [`paused ${paused}`]),
    ...(owner === undefined ? [] : [`owner ${owner === null ? "-" : `${owner.id.slice(-4)} until ${owner.until}`}`]),
    ...(inbox ?? []).map(({ id, event }) => `event ${id} ${event}`),
    ...commands.map(({ id, type }) => `${type} ${id}`),
    ...Object.entries(steps).map(([name, { status: now, attempt = 1, event = "", wakeAt = "", compensation }]) => {
      return `${name}@${attempt} ${now} ${event}${wakeAt}${compensation ? ` undo ${compensation.status}` : ""}`;
    }),
  ];
  return `${parts.join(", ")} (${nonce.slice(-8)})`;
}

function watchPort(world: World, life: Life): NonNullable<Storage["watch"]> {
  const { scheduler, faults, listeners } = world;
  return (listener) => {
    const parked = new Set<string>();
    listeners.set(life, (id) => {
      // A life that has much to hear hears of an instance once.
      if (parked.has(id)) return;
      const nth = faults.touch(life, "watch");
      const fault = faults.strike(life, "watch", nth);
      if (fault?.kind === "lost-watch") return;
      parked.add(id);
      const run = () => {
        parked.delete(id);
        guard(world, () => listener(id));
      };
      const readyAt = scheduler.now + delayOf(world, life, "watch", nth) + (fault?.ms ?? 0);
      scheduler.park({ life, port: "watch", nth, outside: false, readyAt, run });
    });
    return () => listeners.delete(life);
  };
}

function locksPort({ owners }: World, life: Life, call: Call): Pick<Storage, "holdOwner" | "ownerIsDead"> {
  return {
    holdOwner(owner) {
      owners.set(owner, life);
      return { held: Promise.resolve(), release: () => owners.delete(owner) };
    },
    ownerIsDead: (owner) =>
      call("owner", { all: async (fault) => fault?.kind === "stolen-lock" || owners.get(owner)?.alive !== true }),
  };
}
