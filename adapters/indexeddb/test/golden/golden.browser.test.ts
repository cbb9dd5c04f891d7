/// <reference types="vite/client" />
import { describe, expect, it, onTestFinished } from "vitest";
import { databaseName } from "../../src/options.ts";
import { UPGRADES } from "../../src/schema.ts";
import { fresh, opened } from "../fresh.ts";
import { type Dump, dump, restore } from "./dump.ts";
import { article, engineOn, makeGolden, sleeper } from "./flows.ts";

/*
 * A database as each version of the schema left it. Whoever adds an upgrade runs this once: the file of the new version
 * is written, to be committed with it. A file that is there is never written again: databases of its kind are out there.
 */
const goldens = import.meta.glob<Dump>("./schema-*.json", { eager: true, import: "default" });
const fileOf = (version: number) => `./schema-${version}.json`;
const newest = UPGRADES.length;

it.runIf(goldens[fileOf(newest)] === undefined)(
  `schema ${newest} has no golden database yet: it is written`,
  async () => {
    const options = fresh();
    await makeGolden(options.name);
    const made = await dump(databaseName(options));
    await expect(`${JSON.stringify(made, undefined, 2)}\n`).toMatchFileSnapshot(fileOf(newest));
  },
);

describe.each(UPGRADES.map((_, index) => index + 1))("a database of schema %i", (version) => {
  const golden = goldens[fileOf(version)] as Dump;

  async function restored() {
    const options = fresh();
    await restore(databaseName(options), golden);
    return options;
  }

  it("is of that version", () => {
    expect(golden?.version).toBe(version);
  });

  it("gets the stores and indexes that a new one has", async () => {
    const [old, made] = [await restored(), fresh()];
    for (const options of [old, made]) await opened(options).load("opens it");
    const shapes = await Promise.all(
      [old, made].map(async (options) => {
        const { version: reached, stores } = await dump(databaseName(options));
        return [reached, Object.entries(stores).map(([name, { rows: _rows, ...shape }]) => [name, shape])];
      }),
    );
    expect(shapes[0]).toEqual(shapes[1]);
    expect(shapes[0]?.[0]).toBe(newest);
  });

  it("loses nothing: what ended is shown, what waits takes its event, what ran goes on, what failed may be retried", async () => {
    const { name } = await restored();
    const engine = engineOn(name, { isOld: false });
    onTestFinished(() => engine.close());
    const articles = engine.for(article);
    const all = await engine.list({ order: "oldest" });
    expect(all.items.map(({ key }) => key)).toEqual(
      expect.arrayContaining(["finished", "waiting", "failed", "running", "overdue"]),
    );
    expect(await articles.result("finished")).toEqual({ publish: { length: 2_100, good: true } });
    expect((await articles.history("finished")).length).toBeGreaterThan(5);

    // What came due while no page was open.
    expect(await engine.for(sleeper).result("overdue")).toEqual({ yawn: "late" });

    await expect(articles.result("failed")).rejects.toMatchObject({ code: "RUN_FAILED" });
    await articles.retry("failed");
    for (const key of ["waiting", "running", "failed"]) {
      expect(["delivered", "queued"]).toContain(await articles.resume(key, "given", { good: false }));
      expect(await articles.result(key)).toEqual({ publish: { length: 2_100, good: false } });
    }
    const left = await engine.list({ status: ["running", "waiting", "failed"] });
    expect(left.items).toEqual([]);
  });
});
