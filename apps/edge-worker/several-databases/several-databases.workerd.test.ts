import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env as bound } from "cloudflare:workers";
import { migrate } from "@hephaestus/d1";
import { afterEach, beforeAll, expect, it, vi } from "vitest";
import { down, edge, fleeting, RETENTION_MS, waiting } from "./worker.ts";

// What runs over the bindings that a user would configure: two databases, one index.
const env = bound as unknown as Cloudflare.SeveralDatabasesEnv;
const engine = edge.engine(env);

beforeAll(() => migrate([env.INDEX_0, env.INDEX_1]));
afterEach(() => {
  down.clear();
  vi.useRealTimers();
});

/** The rows of each database, read without the engine. */
async function rows(workflow: string): Promise<Record<string, string>[]> {
  const sql = "SELECT id, status FROM hephaestus_instances WHERE workflow = ?";
  const answers = await Promise.all(
    [env.INDEX_0, env.INDEX_1].map((database) =>
      database.prepare(sql).bind(workflow).all<{ id: string; status: string }>(),
    ),
  );
  return answers.map(({ results }) => Object.fromEntries(results.map(({ id, status }) => [id, status])));
}
const statusOf = async (id: string) => Object.assign({}, ...(await rows(id.split("/")[0] ?? "")))[id];
const isIn = (id: string, status: string | undefined) =>
  vi.waitFor(async () => expect(await statusOf(id)).toBe(status), { timeout: 20_000 });

async function ringAnew(id: string): Promise<void> {
  await evictDurableObject(env.INSTANCES.getByName(id));
  await runDurableObjectAlarm(env.INSTANCES.getByName(id));
}

it("each instance is told to the database that the hash of its id says, and a list is one list in order", async () => {
  const ids: string[] = [];
  for (let n = 0; n < 24; n++) ids.push((await engine.for(waiting).start(`list${n}`, { n })).id);
  await vi.waitFor(
    async () => {
      const found = await rows("waiting");
      expect(found.map((one) => Object.keys(one).length).reduce((sum, count) => sum + count)).toBe(24);
      for (const one of found) expect(Object.keys(one).length).toBeGreaterThan(4);
    },
    { timeout: 20_000 },
  );
  const seen: { id: string; createdAt: number }[] = [];
  for (let cursor: string | undefined; ; ) {
    const filter = { workflow: "waiting", status: "waiting", order: "oldest", limit: 5 } as const;
    const page = await engine.list({ ...filter, ...(cursor === undefined ? {} : { cursor }) });
    seen.push(...page.items);
    cursor = page.next;
    if (cursor === undefined) break;
  }
  expect(new Set(seen.map(({ id }) => id))).toEqual(new Set(ids));
  expect(seen).toHaveLength(24);
  const times = seen.map(({ createdAt }) => createdAt);
  expect(times).toEqual(times.toSorted((one, other) => one - other));
  expect((await engine.list({ where: { "input.n": 7 } })).items.map(({ id }) => id)).toEqual([ids[7]]);
});

it("an instance that is deleted goes from its database, and what comes later is told to it", async () => {
  const [one, other] = [
    await engine.for(waiting).start("deleted", { n: 1 }),
    await engine.for(waiting).start("goes-on", { n: 1 }),
  ];
  for (const { id } of [one, other]) await isIn(id, "waiting");
  await one.resume("yes");
  await other.resume("yes");
  for (const { id } of [one, other]) await isIn(id, "completed");
  await one.delete();
  await isIn(one.id, undefined);
  expect(await statusOf(other.id)).toBe("completed");
});

it("retention removes ended instances from both", async () => {
  const started = await Promise.all(Array.from({ length: 8 }, (_, n) => engine.for(fleeting).start(`r${n}`, { n })));
  for (const { id } of started) await isIn(id, "completed");
  for (const one of await rows("fleeting")) expect(Object.keys(one).length).toBeGreaterThan(0);
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(Date.now() + RETENTION_MS + 1);
  for (const { id } of started) await ringAnew(id);
  await vi.waitFor(async () => expect(await rows("fleeting")).toEqual([{}, {}]), { timeout: 20_000 });
});

it("while one is down the other is told; the rest catches up, and a sweep finds overdue ones of the one that is up", async () => {
  down.add("INDEX_1");
  const started = await Promise.all(Array.from({ length: 8 }, (_, n) => engine.for(fleeting).start(`d${n}`, { n })));
  const isKnown = async () => {
    const found = Object.assign({}, ...(await rows("fleeting")));
    return started.filter(({ id }) => found[id] === "completed").length;
  };
  await vi.waitUntil(async () => (await isKnown()) > 0, { timeout: 20_000 });
  expect(Object.keys((await rows("fleeting"))[1] ?? {})).toEqual([]);
  await expect(engine.list()).rejects.toMatchObject({ code: "STORAGE_UNAVAILABLE" });

  // Their alarms are lost, and their time is over: one database says so, the other does not answer.
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(Date.now() + RETENTION_MS + 1);
  const alarms = async (id: string) =>
    runInDurableObject(env.INSTANCES.getByName(id), (_, { storage }) => storage.deleteAlarm());
  const [upIds, downIds] = [Object.keys((await rows("fleeting"))[0] ?? {}), [] as string[]];
  for (const { id } of started) if (!upIds.includes(id)) downIds.push(id);
  for (const id of upIds) await alarms(id);
  await edge.scheduled({}, env);
  await vi.waitFor(async () => expect(await rows("fleeting")).toEqual([{}, {}]), { timeout: 20_000 });

  down.clear();
  vi.useRealTimers();
  expect(downIds.length).toBeGreaterThan(0);
  for (const id of downIds) {
    await ringAnew(id);
    await isIn(id, "completed");
  }
});
