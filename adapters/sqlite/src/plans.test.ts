import { DatabaseSync } from "node:sqlite";
import { checkFilter, type InstanceFilter } from "@hephaestus/core";
import { commitOf, headerOf } from "@hephaestus/core/testing/conformance";
import { expect, it } from "vitest";
import { filterSql } from "./filter-sql.ts";
import { migrate } from "./migrations.ts";
import { nodePort } from "./node.ts";
import { sqlStorage } from "./storage.ts";

/** An empty database, in which SQLite knows nothing of the rows, and one whose statistics speak for the wrong index. */
async function databases(indexes: readonly string[]) {
  const bare = nodePort(new DatabaseSync(":memory:"));
  await migrate(bare, { indexes });
  const database = new DatabaseSync(":memory:");
  const analyzed = nodePort(database);
  await migrate(analyzed, { indexes });
  const storage = sqlStorage(analyzed);
  for (let n = 0; n < 200; n++) {
    const id = `i${n}`;
    const header = headerOf(id, { key: `k${n}`, parent: `p${n % 3}`, tags: ["x"], createdAt: n, updatedAt: n });
    await storage.commit([commitOf(id, 0, { header: { ...header, input: `{"orderId":${n}}` } })]);
  }
  database.exec("ANALYZE");
  return [bare, analyzed] as const;
}

const CREATED = "(created,id,run)<(?,?,?)";
const cursor = "1.5.1.a";
const status = "hephaestus_instances_status (ns=? AND status=?";

/** What each filter reads: by the index named, only rows for which the conditions in brackets hold. */
const plans: readonly [InstanceFilter, string][] = [
  [{ id: "a" }, "PRIMARY KEY (ns=? AND id=?)"],
  [
    {
      id: "a",
      key: "k",
      workflow: "f",
      status: "failed",
      createdAfter: 1,
      updatedAfter: 1,
      cursor,
      tag: "x",
      parent: "p",
    },
    "PRIMARY KEY (ns=? AND id=?)",
  ],
  [{ key: "k" }, "hephaestus_instances_key (ns=? AND key=?)"],
  [{ key: "k", workflow: "f", status: "failed", cursor }, `hephaestus_instances_key (ns=? AND key=? AND ${CREATED})`],
  [{ parent: "p" }, "hephaestus_instances_parent (ns=? AND parent=?)"],
  [{ parent: "p", status: ["failed", "running"] }, "hephaestus_instances_parent (ns=? AND parent=?)"],
  [{ tag: "x" }, "PRIMARY KEY (ns=? AND tag=?)"],
  [{ tag: "x", cursor, workflow: "f" }, `PRIMARY KEY (ns=? AND tag=? AND ${CREATED})`],
  [{ tag: "x", createdBefore: 9 }, "PRIMARY KEY (ns=? AND tag=? AND created<?)"],
  [{}, `${status})`],
  [{ order: "oldest" }, `${status})`],
  [{ cursor }, `${status} AND ${CREATED})`],
  [{ createdAfter: 1, createdBefore: 5 }, `${status} AND created>? AND created<?)`],
  [{ status: "failed" }, `${status})`],
  [{ status: "failed", workflow: "f" }, `${status})`],
  [{ status: ["failed", "cancelled"], cursor }, `${status} AND ${CREATED})`],
  [{ workflow: "f" }, "hephaestus_instances_workflow (ns=? AND workflow=?)"],
  [{ workflow: "f", version: 2, cursor }, `hephaestus_instances_workflow (ns=? AND workflow=? AND ${CREATED})`],
  [{ workflow: "f", status: ["completed", "failed"] }, "hephaestus_instances_workflow (ns=? AND workflow=?)"],
  [{ workflow: "f", createdAfter: 1 }, "hephaestus_instances_workflow (ns=? AND workflow=? AND created>?)"],
  [{ workflow: "f", updatedAfter: 1 }, "hephaestus_instances_workflow (ns=? AND workflow=?)"],
  [{ updatedAfter: 1, updatedBefore: 5 }, "hephaestus_instances_updated (ns=? AND updated>? AND updated<?)"],
  [{ updatedBefore: 5, cursor }, "hephaestus_instances_updated (ns=? AND updated<?)"],
  [
    { workflow: "f", where: { "input.orderId": 5 } },
    "hephaestus_path_input.orderId (ns=? AND workflow=? AND <expr>=?)",
  ],
  [
    { workflow: "f", status: "running", cursor, where: { "input.orderId": { in: [5, 6] } } },
    `hephaestus_path_input.orderId (ns=? AND workflow=? AND <expr>=? AND ${CREATED})`,
  ],
  [
    { workflow: "f", where: { "results.charge.amount": 5, "metadata.team": "x" } },
    "hephaestus_path_results.charge.amount (ns=? AND workflow=? AND <expr>=?)",
  ],
  // What only a JSON path or `contains` narrows down is looked for among all rows, in the order of the page.
  [{ where: { "input.other": 5 } }, `${status})`],
  [
    { workflow: "f", where: { "input.orderId": { contains: "5" } } },
    "hephaestus_instances_workflow (ns=? AND workflow=?)",
  ],
];

it("each filter searches an index for what it names, in the order of the page, whatever SQLite knows of the rows", async () => {
  const indexes = ["updated", "input.orderId", "results.charge.amount"];
  for (const port of await databases(indexes)) {
    for (const [filter, expected] of plans) {
      const { statement } = filterSql("", checkFilter(filter), indexes);
      const [rows = []] = await port.batch([{ ...statement, sql: `EXPLAIN QUERY PLAN ${statement.sql}` }]);
      const plan = rows.map((row) => String(row.detail));
      const searches = plan.filter((line) => /^SEARCH [it] /.test(line));
      expect(searches.length, JSON.stringify(filter)).toBeGreaterThan(0);
      for (const line of searches) {
        // The rows of a page are then read by their key.
        if (line.endsWith("PRIMARY KEY (ns=? AND id=? AND run=?)")) continue;
        expect(line.replace(/^.* USING (COVERING )?(INDEX )?/, ""), JSON.stringify(filter)).toBe(expected);
      }
      expect(plan.filter((line) => line.startsWith("SCAN") && !/^SCAN (json_each|k|\(subquery)/.test(line))).toEqual(
        [],
      );
      const isSortedByIndex = !/PRIMARY KEY \(ns=\? AND id|_path_|_updated/.test(expected);
      const sorts = plan.filter((line) => line.includes("TEMP B-TREE")).length;
      if (isSortedByIndex) expect(sorts, JSON.stringify(filter)).toBe(0);
    }
  }
});

it("the plans that are shown are those of all filters", () => {
  const named = new Set(plans.flatMap(([filter]) => Object.keys(filter)));
  const all = ["id", "key", "status", "workflow", "version", "tag", "parent", "where", "cursor", "order"];
  expect(
    [...all, "createdAfter", "createdBefore", "updatedAfter", "updatedBefore"].filter((one) => !named.has(one)),
  ).toEqual([]);
});

it("a page of all statuses reads as many rows as it answers, however many there are", async () => {
  const database = new DatabaseSync(":memory:");
  const port = nodePort(database);
  await migrate(port);
  const storage = sqlStorage(port);
  for (let n = 0; n < 3_000; n++) {
    const header = headerOf(`i${n}`, { status: n % 2 ? "completed" : "waiting", createdAt: n });
    await storage.commit([commitOf(header.id, 0, { header })]);
  }
  await storage.commit([commitOf("rare", 0, { header: headerOf("rare", { status: "failed", createdAt: 1 }) })]);
  let read = 0;
  database.function("counted", (_id) => ++read);
  const counted = sqlStorage({
    batch: (statements) =>
      port.batch(
        statements.map(({ sql, params }) => ({
          sql: sql.replaceAll("WHERE i.status =", "WHERE counted(i.id) AND i.status ="),
          params,
        })),
      ),
  });
  const { items } = await counted.query({ limit: 20 });
  expect(items.map((item) => item.createdAt)).toEqual(Array.from({ length: 20 }, (_, n) => 2_999 - n));
  expect(read).toBeGreaterThanOrEqual(21);
  expect(read).toBeLessThanOrEqual(21 + 3);
  expect((await counted.query({ status: ["failed", "cancelled"] })).items.map((item) => item.id)).toEqual(["rare"]);
});
it("LESSONS 14: loads, guards, due rows and removals search an index", async () => {
  const inner = nodePort(new DatabaseSync(":memory:"));
  await migrate(inner);
  const plans: string[] = [];
  const storage = sqlStorage({
    async batch(statements) {
      for (const { sql, params } of statements) {
        const [rows = []] = await inner.batch([{ sql: `EXPLAIN QUERY PLAN ${sql}`, params }]);
        plans.push(...rows.map((row) => String(row.detail)));
      }
      return inner.batch(statements);
    },
  });
  await storage.commit([
    commitOf("a", 0, { header: headerOf("a", { tags: ["x"], wakeAt: 1 }), payloads: { input: "1" } }),
  ]);
  await storage.load("a");
  await storage.payloads("a", [1]);
  await storage.due({ before: 1, limit: 1, definitions: [{ workflow: "flow", version: 1, fingerprint: "f1" }] });
  await storage.remove("a", 1);
  expect(plans.join("\n")).toContain("USING INDEX hephaestus_instances_due (ns=? AND wake_at<?)");
  expect(
    plans.filter((plan) => /^SCAN \w+( |$)/.test(plan) && !/json_each|latest|SCAN [chkt]\b|CONSTANT/.test(plan)),
  ).toEqual([]);
});
