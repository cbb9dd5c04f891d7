import { DatabaseSync } from "node:sqlite";
import { headerOf } from "@hephaestus/core/testing/conformance";
import { beforeEach, expect, it } from "vitest";
import { type InstanceIndex, instanceIndex } from "./instance-index.ts";
import { migrate } from "./migrations.ts";
import { nodePort } from "./node.ts";
import { selectOverdue } from "./overdue.ts";
import type { SqlPort } from "./port.ts";

let port: SqlPort;
let index: InstanceIndex;
beforeEach(async () => {
  port = nodePort(new DatabaseSync(":memory:"));
  await migrate(port);
  index = instanceIndex(port);
});

const found = async (request: Parameters<InstanceIndex["overdue"]>[0]) =>
  (await index.overdue(request)).map((row) => row.id).sort();

it("answers what should have been woken by now, until a newer row says otherwise", async () => {
  await index.put([
    headerOf("due", { status: "waiting", wakeAt: 100 }),
    headerOf("stuck", { status: "running", wakeAt: 90 }),
    headerOf("later", { status: "waiting", wakeAt: 101 }),
    headerOf("untimed", { status: "waiting" }),
  ]);
  expect(await found({ before: 100, limit: 10 })).toEqual(["due", "stuck"]);
  expect(await found({ before: 100, limit: 1 })).toHaveLength(1);
  expect(await instanceIndex(port, { namespace: "other" }).overdue({ before: 100, limit: 10 })).toEqual([]);
  await index.put([headerOf("due", { revision: 2, status: "waiting", wakeAt: 200 })]);
  await index.put([headerOf("stuck", { revision: 2, status: "completed" })]);
  expect(await found({ before: 100, limit: 10 })).toEqual([]);
});

it("answers ended ones only of workflows with a retention, when that is over", async () => {
  const ended = { status: "completed", endedAt: 20, createdAt: 10, updatedAt: 20 } as const;
  await index.put([
    headerOf("old", { ...ended, workflow: "kept", wakeAt: 70 }),
    headerOf("young", { ...ended, workflow: "kept", createdAt: 60, wakeAt: 110 }),
    headerOf("other", { ...ended, workflow: "other", wakeAt: 70 }),
  ]);
  const retained = [{ workflow: "kept", retentionMs: 50 }];
  expect(await found({ before: 100, limit: 10, retained })).toEqual(["old"]);
  expect(await found({ before: 69, limit: 10, retained })).toEqual([]);
});

it("reads through indexes, never the whole table", async () => {
  const { sql, params } = selectOverdue("", { before: 1, limit: 1, retained: [{ workflow: "w", retentionMs: 1 }] });
  const [plan = []] = await port.batch([{ sql: `EXPLAIN QUERY PLAN ${sql}`, params }]);
  const scans = plan.map((row) => String(row.detail)).filter((detail) => detail.includes("hephaestus_instances"));
  expect(plan.map((row) => String(row.detail)).filter((detail) => detail.startsWith("SEARCH")).length).toBe(2);
  expect(scans.join("\n")).toContain("hephaestus_instances_status (ns=? AND status=?)");
  expect(scans.join("\n")).toContain("hephaestus_instances_workflow (ns=? AND workflow=? AND created<?)");
});
