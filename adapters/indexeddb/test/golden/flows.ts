import {
  type Clock,
  createHephaestus,
  defineStep,
  defineWorkflow,
  done,
  type Hephaestus,
  systemClock,
  type,
  waitForEvent,
} from "@hephaestus/core";
import { indexedDbStorage } from "../../src/index.ts";

/** Long enough to lie apart from its record. */
const LONG = "golden ".repeat(300);

const draft = defineStep({
  name: "draft",
  input: type<{ readonly mood: "well" | "ill" | "stuck" }>(),
  retry: { maxAttempts: 1 },
  run: ({ input, connectors: { world } }) => {
    if (input.mood === "ill" && world.isOld) throw new Error("the world was not ready");
    return input.mood === "stuck" && world.isOld ? new Promise<{ text: string }>(() => {}) : { text: LONG };
  },
});
const verdict = waitForEvent({ name: "verdict", events: { given: type<{ good: boolean }>() } });
const publish = defineStep({
  name: "publish",
  needs: [draft, verdict],
  run: ({ results }) => ({ length: results.draft.text.length, good: results.verdict.good }),
});

declare module "@hephaestus/core" {
  interface Connectors {
    /** Of the time when the database was made, or of now. */
    readonly world: { readonly isOld: boolean };
  }
}

/** Never change these: golden databases hold their instances. */
export const article = defineWorkflow({
  name: "article",
  input: type<{ readonly mood: "well" | "ill" | "stuck" }>(),
  unique: { key: "key" },
  tags: ["golden"],
  start: draft,
  transitions: ({ on }) => [on(draft, { done: verdict }), on(verdict, { given: publish }), on(publish, { done })],
  output: [publish],
});

const nap = waitForEvent({ name: "nap", events: { woken: type<unknown>() }, timeout: { days: 2 } });
const yawn = defineStep({ name: "yawn", run: () => "late" });
export const sleeper = defineWorkflow({
  name: "sleeper",
  input: type<unknown>(),
  unique: { key: "key" },
  start: nap,
  transitions: ({ on }) => [on(nap, { woken: done, timeout: yawn }), on(yawn, { done })],
  output: [yawn],
});

export function engineOn(name: string, { isOld, clock = systemClock }: { isOld: boolean; clock?: Clock }): Hephaestus {
  let chance = 0;
  return createHephaestus({
    workflows: [article, sleeper],
    storage: indexedDbStorage({ name }),
    connectors: { world: { isOld } },
    clock,
    // The same ids each time that a golden database is made.
    ...(isOld ? { random: () => (++chance % 997) / 997 } : {}),
  });
}

/** November 2023: whatever came due then is long overdue. */
const THEN = 1_700_000_000_000;

/** One instance in each state that a database may be left in. */
export async function makeGolden(name: string): Promise<void> {
  const engine = engineOn(name, { isOld: true, clock: { ...systemClock, now: () => THEN } });
  const articles = engine.for(article);
  await articles.start("finished", { mood: "well" });
  await articles.resume("finished", "given", { good: true });
  await articles.result("finished");
  const started = await articles.start("waiting", { mood: "well" });
  await reaches(started, "waiting");
  await articles.start("failed", { mood: "ill" });
  await articles.result("failed").catch(() => {});
  await engine.for(sleeper).start("overdue", {});
  await articles.start("running", { mood: "stuck" });
}

async function reaches({ subscribe }: Pick<Awaited<ReturnType<Hephaestus["start"]>>, "subscribe">, wanted: string) {
  await new Promise<void>((resolve) => {
    const stop = subscribe(({ status }) => {
      if (status !== wanted) return;
      stop();
      resolve();
    });
  });
}
