import { env } from "cloudflare:workers";
import { HephaestusError } from "@hephaestus/core";
import { commitOf, headerOf, storageConformance } from "@hephaestus/core/testing/conformance";
import { MIGRATIONS } from "@hephaestus/sqlite";
import { beforeAll, expect, it } from "vitest";
import { type D1, d1Storage, migrate } from "./index.ts";

beforeAll(() => migrate(env.DB));

let lanes = 0;
storageConformance("d1", async () => {
  const open = async () => d1Storage(env.DB);
  return { open, reopen: open, prefix: `lane${++lanes}-` };
});

it("several may migrate at once, and again", async () => {
  await Promise.all([migrate(env.DB), migrate(env.DB)]);
  const { results } = await env.DB.prepare("SELECT number FROM hephaestus_migrations").all();
  expect(results).toEqual(MIGRATIONS.map(({ number }) => ({ number })));
});

it("namespaces are apart", async () => {
  const [one, two] = [d1Storage(env.DB, { namespace: "one" }), d1Storage(env.DB, { namespace: "two" })];
  expect(await one.commit([commitOf("apart", 0)])).toEqual(["ok"]);
  expect(await two.load("apart")).toBeUndefined();
});

it("holds the largest payload of characters of three bytes, of quotes and of control characters", async () => {
  const storage = d1Storage(env.DB);
  const texts = [
    JSON.stringify("漢".repeat(899_000)),
    JSON.stringify('"'.repeat(449_000)),
    JSON.stringify("\0".repeat(149_000)),
  ];
  for (const [index, text] of texts.entries()) {
    const header = headerOf(`large${index}`, { input: text });
    const payloads = { input: text, "result:s": text };
    expect(await storage.commit([commitOf(header.id, 0, { payloads, header })])).toEqual(["ok"]);
    const [read] = await storage.payloads(header.id, [1]);
    expect(read?.input === text && read?.["result:s"] === text).toBe(true);
  }
});

it("strings with any character are kept as they are", async () => {
  const storage = d1Storage(env.DB, { namespace: "\0ns\ud800" });
  for (const name of ["nul\0nul", "\ud800", "\udc00\ud800", "\ud800\ud800", "\u2028\u001a'\"\\", "😀", "\u001ad800"]) {
    const header = headerOf(name, { workflow: name, key: name, tags: [name], current: [name], metadata: { name } });
    const changes = { at: 1, steps: { [name]: { status: "waiting", metadata: name } } } as const;
    expect(await storage.commit([commitOf(name, 0, { nonce: name, changes, header })])).toEqual(["ok"]);
    expect(await storage.load(name)).toEqual([{ revision: 1, run: 1, nonce: name, changes }]);
    const filter = { id: name, key: name, workflow: name, tag: name, where: { "metadata.name": name } };
    expect((await storage.query(filter)).items).toEqual([header]);
    expect((await storage.query({ tag: name })).items).toEqual([header]);
  }
});

it("an ordinary commit writes one row, with a header three or two more", async () => {
  let written = 0;
  const storage = d1Storage(counting((rows) => (written += rows)));
  const cost = async (...args: Parameters<typeof commitOf>) => {
    written = 0;
    expect(await storage.commit([commitOf(...args)])).toEqual(["ok"]);
    return written;
  };
  const costs = [
    await cost("cost", 0, { header: headerOf("cost"), payloads: { input: "1" } }),
    await cost("cost", 1, { payloads: { "result:a": "1" } }),
    await cost("cost", 2),
    await cost("cost", 3, { header: headerOf("cost", { revision: 4, status: "completed" }) }),
    await cost("cost", 4, { payloads: { "result:a": JSON.stringify("x".repeat(899_000)) } }),
  ];
  expect(costs).toEqual([4, 1, 1, 3, 3]);
});

it("what D1 throws becomes an error with a code and its cause", async () => {
  const failing = (message: string): D1 => ({
    prepare: (sql) => env.DB.prepare(sql),
    batch: async () => {
      throw new Error(message);
    },
  });
  for (const [message, code] of [
    ["D1_ERROR: Network connection lost.", "STORAGE_UNAVAILABLE"],
    ["D1_ERROR: D1 DB is overloaded. Requests queued for too long.", "STORAGE_UNAVAILABLE"],
    ["D1_ERROR: Exceeded maximum DB size.", "STORAGE_FULL"],
    ["D1_ERROR: database or disk is full: SQLITE_FULL", "STORAGE_FULL"],
    ["D1_ERROR: database disk image is malformed: SQLITE_CORRUPT", "STORAGE_CORRUPT"],
    ["D1_ERROR: database disk image is malformed: SQLITE_CORRUPT_INDEX (extended: 779)", "STORAGE_CORRUPT"],
    ["D1_ERROR: string or blob too big: SQLITE_TOOBIG", "LIMIT_EXCEEDED"],
  ] as const) {
    const error: unknown = await d1Storage(failing(message))
      .load("a")
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(HephaestusError);
    expect(error).toMatchObject({ code, cause: { message } });
  }
});

it("when the last statement of a commit fails, nothing of it is kept", async () => {
  const storage = d1Storage(env.DB);
  await env.DB.prepare(
    "CREATE TRIGGER refuse BEFORE INSERT ON hephaestus_journal WHEN new.id = 'lost' BEGIN SELECT raise(ABORT, 'no'); END",
  ).run();
  const header = headerOf("lost", { tags: ["lost"] });
  const payloads = { input: JSON.stringify("x".repeat(600_000)) };
  await expect(storage.commit([commitOf("lost", 0, { header, payloads })])).rejects.toMatchObject({
    code: "STORAGE_UNAVAILABLE",
    details: { sqliteCode: "SQLITE_CONSTRAINT" },
  });
  await env.DB.prepare("DROP TRIGGER refuse").run();
  expect((await storage.query({ id: "lost" })).items).toEqual([]);
  for (const table of ["tags", "pieces"]) {
    const row = env.DB.prepare(`SELECT count(*) AS n FROM hephaestus_${table} WHERE id = 'lost'`);
    expect(await row.first("n")).toBe(0);
  }
});

/** The database, telling how many rows each batch wrote. */
function counting(tell: (rowsWritten: number) => void): D1 {
  return {
    prepare: (sql) => env.DB.prepare(sql),
    async batch<T>(statements: D1PreparedStatement[]) {
      const answers = await env.DB.batch<T>(statements);
      tell(answers.reduce((sum, answer) => sum + answer.meta.rows_written, 0));
      return answers;
    },
  };
}
