import {
  type Commit,
  createHephaestus,
  defineStep,
  defineWorkflow,
  HephaestusError,
  type HephaestusOptions,
  type Storage,
  type,
} from "../src/index.ts";

/** Steps that wait for the test, and a list of their runs. */
export function stage() {
  const runs: string[] = [];
  const gates = new Map<string, PromiseWithResolvers<unknown>>();
  const gate = (name: string) => {
    const existing = gates.get(name) ?? Promise.withResolvers<unknown>();
    gates.set(name, existing);
    return existing;
  };
  const gated = <const Name extends string>(name: Name) =>
    defineStep({
      name,
      run: async ({ attempt, instance }) => {
        runs.push(`${instance.key ?? ""}${name}@${attempt}`);
        return (await gate(name).promise) ?? null;
      },
    });
  const plain = <const Name extends string>(name: Name) =>
    defineStep({
      name,
      run: ({ attempt, instance }) => {
        runs.push(`${instance.key ?? ""}${name}@${attempt}`);
        return name;
      },
    });
  return { runs, gate, gated, plain };
}

export function keyed(
  name: string,
  steps: {
    start: Parameters<typeof defineWorkflow>[0]["start"];
    on: Parameters<typeof defineWorkflow>[0]["transitions"];
  },
) {
  return defineWorkflow({
    name,
    input: type<unknown>(),
    unique: { key: "n" },
    start: steps.start,
    transitions: steps.on,
  });
}

export function engines(options: HephaestusOptions, count = 2) {
  return Array.from({ length: count }, () =>
    createHephaestus({ ...options, local: { leaseMs: 1_000, sweepMs: 200, ...options.local } }),
  );
}

/** A storage that can die, answer late, or lose the answer of a commit that it made. */
export function dyingStorage(storage: Storage) {
  const faults = { dead: false, loseAnswer: (_commit: Commit) => false, refuse: (_commit: Commit) => false };
  return {
    faults,
    storage: {
      ...storage,
      commit: async (commits: readonly Commit[]) => {
        if (faults.dead) return new Promise<never>(() => {});
        if (commits.some(faults.refuse)) throw new HephaestusError("STORAGE_UNAVAILABLE", "not written");
        const results = await storage.commit(commits);
        if (commits.some(faults.loseAnswer))
          throw new HephaestusError("STORAGE_UNAVAILABLE", "written, but not heard of");
        return results;
      },
    } satisfies Storage,
  };
}

/** A storage that tells of a change only when the test says so. */
export function toldByHand(inner: Storage) {
  const hand = {
    tell: (_id: string): void => {},
    storage: {
      ...inner,
      watch(listener) {
        hand.tell = listener;
        return () => {};
      },
    } satisfies Storage,
  };
  return hand;
}
