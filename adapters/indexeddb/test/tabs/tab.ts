import { type Commit, type CommitResult, createHephaestus, type Hephaestus } from "@hephaestus/core";
import { indexedDbStorage, persistentStorage } from "../../src/index.ts";
import { type Desk, job, jobAndQuestion, question } from "./flows.ts";

/** Who began a step. */
export interface Beginning {
  readonly key: string;
  readonly step: string;
  readonly tab: string;
}

/** What a test does in a page, by `page.evaluate`. */
interface Tab {
  readonly engine: Hephaestus;
  /** What the storage answered to each commit of this page. */
  readonly results: readonly CommitResult[];
  readonly errors: readonly string[];
  /** How often this page was told that newer code has its database. */
  readonly outdated: number;
  /** Lets the work of a key end in this tab; without a key, all of it. */
  release(key?: string): void;
  beginnings(): readonly Beginning[];
  readonly persistentStorage: typeof persistentStorage;
}

declare global {
  var tab: Tab;
}

/*
 * `?tab=` names this page, `&database=` its database; with `&holds` its work ends only when it is told, `&sweepMs=` and
 * `&leaseMs=` are the runner's options.
 */
const query = new URLSearchParams(location.search);
const name = query.get("tab") ?? "tab";
const millis = (option: string) => (query.has(option) ? { [option]: Number(query.get(option)) } : {});
const database = query.get("database") ?? "tabs";
const begun = `begun:${database}:`;
const waiting = new Map<string, (() => void)[]>();
let holds = query.has("holds");
const results: CommitResult[] = [];
const errors: string[] = [];
let outdated = 0;

const desk: Desk = {
  tab: name,
  begin(step, key = "") {
    // A key for each: two tabs that change one value at once would lose a line.
    localStorage.setItem(begun + crypto.randomUUID(), JSON.stringify({ key, step, tab: name } satisfies Beginning));
  },
  release: (key) =>
    new Promise((resolve) => {
      if (holds) waiting.set(key, [...(waiting.get(key) ?? []), resolve]);
      else resolve();
    }),
};

const storage = indexedDbStorage({ name: database, onOutdated: () => (outdated += 1) });

const engine = createHephaestus({
  workflows: [job, question, jobAndQuestion],
  storage: {
    ...storage,
    async commit(commits: readonly Commit[]) {
      const answers = await storage.commit(commits);
      results.push(...answers);
      return answers;
    },
  },
  connectors: { desk },
  local: {
    ...millis("sweepMs"),
    ...millis("leaseMs"),
    onError: (error) => errors.push(String((error as { code?: unknown }).code ?? error)),
  },
});

globalThis.tab = {
  engine,
  results,
  errors,
  get outdated() {
    return outdated;
  },
  release(key) {
    if (key === undefined) holds = false;
    for (const one of key === undefined ? waiting.keys() : [key])
      for (const resolve of waiting.get(one) ?? []) resolve();
  },
  beginnings: () =>
    Object.keys(localStorage)
      .filter((key) => key.startsWith(begun))
      .map((key) => JSON.parse(localStorage.getItem(key) ?? "null") as Beginning),
  persistentStorage,
};
