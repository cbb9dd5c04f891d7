import type { StepNode } from "../../definition/graph.ts";
import type { AnyWorkflow } from "../../definition/workflow.ts";
import type { Changes, StepState } from "../../engine/state.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Commit, CommitResult, Storage, StoredRecord } from "../../runtime/storage.ts";

/** Something that is broken on purpose: a simulator that does not catch it proves nothing. */
export interface Canary {
  /** What is broken, as one would find it in a real program. */
  readonly broken: string;
  readonly storage?: (storage: Storage) => Storage;
  readonly clock?: (clock: Clock) => Clock;
  /** The storage as one life of a worker sees it, which has these workflows. */
  readonly port?: (port: Storage, own: readonly AnyWorkflow[]) => Storage;
  /** Steps with the same names and fingerprint, and another behaviour. */
  readonly workflow?: (workflow: AnyWorkflow) => AnyWorkflow;
}

/** A storage whose commits go through something first; undefined drops one that is then answered all the same. */
function committing(storage: Storage, change: (commit: Commit) => Commit | undefined): Storage {
  return {
    ...storage,
    async commit(commits) {
      const results: CommitResult[] = [];
      for (const commit of commits) {
        const changed = change(commit);
        const [result] = changed ? await storage.commit([changed]) : (["ok"] as const);
        results.push(result as CommitResult);
      }
      return results;
    },
  };
}

/** A storage whose records come back changed. */
function loading(storage: Storage, change: (changes: Changes) => Changes): Storage {
  return {
    ...storage,
    async load(id, after) {
      const records = await storage.load(id, after);
      return records?.map((record): StoredRecord => ({ ...record, changes: change(record.changes) }));
    },
  };
}

function eachStep(changes: Changes, change: (step: StepState) => StepState): Changes {
  if (changes.steps === undefined) return changes;
  const steps = Object.entries(changes.steps).map(([name, step]) => [name, change(step)]);
  return { ...changes, steps: Object.fromEntries(steps) as Record<string, StepState> };
}

function without<T extends object, Key extends keyof T>(value: T, key: Key): Omit<T, Key> {
  const { [key]: _left, ...rest } = value;
  return rest;
}

/** Writes whatever it is given behind what it has. */
function blind(storage: Storage): Storage {
  return {
    ...storage,
    async commit(commits) {
      const results: CommitResult[] = [];
      for (const commit of commits) {
        const records = (await storage.load(commit.id)) ?? [];
        const expected = records.at(-1)?.revision ?? 0;
        const [result] = await storage.commit([{ ...commit, expected }]);
        results.push(result as CommitResult);
      }
      return results;
    },
  };
}

/** The same workflow with nodes that the engine reads otherwise than the author wrote them. */
function rewired(workflow: AnyWorkflow, change: (node: StepNode) => StepNode): AnyWorkflow {
  const nodes = workflow.graph.nodes.map(change);
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const receivers = new Map(
    [...workflow.graph.receivers].map(([event, list]) => [event, list.map(({ name }) => byName.get(name) as StepNode)]),
  );
  return { ...workflow, graph: { ...workflow.graph, nodes, byName, receivers } };
}

/** Answers at once and writes later: what is under way when the next commit comes is lost. */
function hasty(storage: Storage): Storage {
  let commits = 0;
  return committing(storage, (commit) => (++commits % 5 === 0 ? undefined : commit));
}

/** Each run is loaded as one of the graph that is here: a check of fingerprints that lets everything pass. */
function allOwn(port: Storage, own: readonly AnyWorkflow[]): Storage {
  const stored = new Map<string, string>();
  return {
    ...port,
    async load(id, after) {
      const fingerprint = own.find(({ name }) => id.startsWith(`${name}/`))?.graph.fingerprint ?? "";
      const records = await port.load(id, after);
      return records?.map(({ changes, ...record }): StoredRecord => {
        const named = changes.run?.fingerprint ?? changes.fingerprint;
        if (named === undefined) return { ...record, changes };
        stored.set(id, named);
        const own = changes.run ? { run: { ...changes.run, fingerprint } } : { fingerprint };
        return { ...record, changes: { ...changes, ...own } };
      });
    },
    commit: (commits) =>
      port.commit(
        commits.map(({ header, ...commit }) => {
          const fingerprint = commit.changes.run ? undefined : stored.get(commit.id);
          return { ...commit, ...(header ? { header: { ...header, ...(fingerprint ? { fingerprint } : {}) } } : {}) };
        }),
      ),
  };
}

/** What completed before a run was adopted is not among what is loaded. */
function forgetful(storage: Storage): Storage {
  return {
    ...storage,
    async load(id, after) {
      const records = await storage.load(id, after);
      const adopted = records?.findLastIndex(({ changes }) => changes.fingerprint !== undefined) ?? -1;
      return records?.map((record, index): StoredRecord => {
        if (index >= adopted || record.changes.steps === undefined) return record;
        const steps = Object.entries(record.changes.steps).filter(([, { status }]) => status !== "completed");
        return { ...record, changes: { ...record.changes, steps: Object.fromEntries(steps) } };
      });
    },
  };
}

function sleepy(clock: Clock): Clock {
  let lead = 0;
  return {
    now: () => clock.now() + lead,
    schedule(at, callback) {
      return clock.schedule(at - 1_000, () => {
        // It takes itself for on time.
        lead = Math.max(lead, at - clock.now());
        callback();
      });
    },
  };
}

export const CANARIES: Readonly<Record<string, Canary>> = {
  "blind-commit": { broken: "a commit succeeds whatever revision it was based on", storage: blind },
  "lost-inbox": {
    broken: "an event that no step takes at once is not stored",
    storage: (storage) =>
      committing(storage, (commit) => ({ ...commit, changes: without(commit.changes, "inbox") as Changes })),
  },
  "early-timer": { broken: "timers ring a second early, and the clock is set to what they say", clock: sleepy },
  "double-join": {
    broken: "a join starts at its first edge",
    workflow: (workflow) => rewired(workflow, (node) => ({ ...node, atLeast: 1 })),
  },
  "join-again": {
    broken: "a step that has completed is loaded as one that is to be run",
    storage: (storage) =>
      loading(storage, (changes) =>
        eachStep(changes, (step) => (step.status === "completed" && step.startedAt ? { status: "active" } : step)),
      ),
  },
  "forgotten-recovery": {
    broken: "a runner does not ask for what was left by others",
    storage: (storage) => ({ ...storage, due: async () => [] }),
  },
  "old-attempt": {
    broken: "tokens are not stored: the result of an old attempt is taken for that of the current one",
    storage: (storage) =>
      committing(storage, (commit) => ({
        ...commit,
        changes: eachStep(commit.changes, (step) => without(step, "attempt")),
      })),
  },
  "hasty-answer": { broken: "a commit is acknowledged before it is made, and some are never made", storage: hasty },
  "command-again": {
    broken: "ids of commands are forgotten when their run has ended",
    storage: (storage) =>
      loading(storage, (changes) => (changes.run ? { ...changes, run: without(changes.run, "commands") } : changes)),
  },
  "command-for-ever": {
    broken: "ids of commands that were carried into a run are never forgotten",
    storage: (storage) =>
      loading(storage, ({ run, ...changes }) => {
        if (run === undefined) return changes;
        const commands = run.commands?.map((command) => ({ ...command, until: Number.MAX_SAFE_INTEGER }));
        return { ...changes, run: { ...run, ...(commands ? { commands } : {}) } };
      }),
  },
  "ending-goes-on": {
    broken: "what completed while its run ended is loaded as if it had taken its edges",
    storage: (storage) =>
      loading(storage, (changes) =>
        eachStep(changes, (step) =>
          step.status === "completed" && step.targets?.length === 0 ? without(step, "targets") : step,
        ),
      ),
  },
  "torn-record": {
    broken: "the row of an instance is not written with its record when both are busy",
    storage(storage) {
      let commits = 0;
      return committing(storage, (commit) => (++commits % 3 === 0 ? (without(commit, "header") as Commit) : commit));
    },
  },
  "torn-group": {
    broken: "of a group of commits the conflict of one is that of all, although the others were made",
    storage: (storage) => ({
      ...storage,
      async commit(commits) {
        const results = await storage.commit(commits);
        return results.includes("conflict") ? results.map(() => "ok" as const) : results;
      },
    }),
  },
  "no-lease": {
    broken: "nobody is said to own anything, and nothing is fenced",
    storage(storage) {
      const unfenced = blind(storage);
      return loading(unfenced, (changes) => without(changes, "owner"));
    },
  },
  "lost-payloads": {
    broken: "results of earlier runs of a process cannot be read any more",
    storage(storage) {
      const written = new Set<string>();
      return {
        ...storage,
        commit(commits) {
          for (const { id, expected } of commits) written.add(`${id} ${expected + 1}`);
          return storage.commit(commits);
        },
        async payloads(id, revisions) {
          const found = await storage.payloads(id, revisions);
          return found.map((payloads, index) => ((revisions[index] as number) % 4 === 3 ? {} : payloads));
        },
      };
    },
  },
  "eager-removal": {
    broken: "removing a deleted run removes the run after it",
    storage: (storage) => ({ ...storage, remove: (id) => storage.remove(id, Number.MAX_SAFE_INTEGER) }),
  },
  "endless-retry": {
    broken: "failed attempts are repeated once too often",
    workflow: (workflow) =>
      rewired(workflow, (node) => ({ ...node, retry: { ...node.retry, maxAttempts: node.retry.maxAttempts + 1 } })),
  },
  "forgotten-compensation": {
    broken: "the first step of a workflow is not undone",
    workflow: (workflow) => rewired(workflow, (node) => (node.index === 0 ? { ...node, compensates: false } : node)),
  },
  "other-graph": { broken: "a worker drives what began under another graph as if it were its own", port: allOwn },
  "adopted-anew": { broken: "what was done before a run was adopted is forgotten", storage: forgetful },
  "adopted-in-name": {
    broken: "the graph under which an adopted run goes on is not stored",
    storage: (storage) =>
      committing(storage, (commit) => ({ ...commit, changes: without(commit.changes, "fingerprint") as Changes })),
  },
};
