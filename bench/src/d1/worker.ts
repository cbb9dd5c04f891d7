import type { Commit, Header, Storage } from "@hephaestus/core";
import { type D1, d1Storage, migrate } from "@hephaestus/d1";
import type { Asked } from "./asked.ts";

interface Env {
  readonly DB: D1;
}

const NAMESPACE = "bench";
const at = 1_795_439_564_541;
let counter = 0;

function commitOf(withHeader: boolean): Commit {
  const id = `order_flow/${String(at + counter++)}${Math.random().toString(36).slice(2, 10)}`;
  const header: Header = {
    id,
    run: 1,
    revision: 1,
    workflow: "order_flow",
    version: 1,
    fingerprint: "54509fdb8524c3c1",
    status: "waiting",
    key: `k${counter}`,
    tags: [],
    metadata: { team: "shipping" },
    current: ["payment"],
    createdAt: at + counter,
    updatedAt: at + counter,
    input: '{"orderId":123}',
  };
  return {
    id,
    run: 1,
    expected: 0,
    nonce: `0mwsi1hc0cilba5hclxjb22pv.${counter}`,
    changes: { at, steps: { validate: { startedAt: at, result: 2, status: "completed", event: "done" } } },
    payloads: { "result:validate": '{"total":1230}' },
    ...(withHeader ? { header } : {}),
  };
}

/** The same rows in the same tables, inserted as they are: nothing is asked, merged or guarded. */
async function insertBare(database: D1, commits: readonly Commit[]): Promise<void> {
  const journal = database.prepare("INSERT INTO hephaestus_journal VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  const row = database.prepare(`INSERT INTO hephaestus_instances
(ns, id, run, revision, workflow, version, fingerprint, status, key, tags, metadata, current, created, updated, input)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const statements = commits.flatMap(({ id, run, nonce, changes, payloads, header }) => [
    ...(header
      ? [
          row.bind(
            ...["bare", id, run, header.revision, header.workflow, header.version, header.fingerprint, header.status],
            ...[header.key, JSON.stringify(header.tags), JSON.stringify(header.metadata)],
            ...[JSON.stringify(header.current), header.createdAt, header.updatedAt, header.input],
          ),
        ]
      : []),
    journal.bind("bare", id, 1, run, 1, nonce, JSON.stringify(changes), JSON.stringify(payloads)),
  ]);
  await database.batch(statements);
}

async function answer(env: Env, storage: Storage, { how, groups, size, headers }: Asked): Promise<Response> {
  for (let group = 0; group < groups; group++) {
    const commits = Array.from({ length: size }, () => commitOf(headers));
    if (how === "bare") await insertBare(env.DB, commits);
    else if ((await storage.commit(commits)).includes("conflict")) return new Response("conflict", { status: 500 });
  }
  return new Response("done");
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    if (request.method === "GET") {
      await migrate(env.DB);
      return new Response("ready");
    }
    return answer(env, d1Storage(env.DB, { namespace: NAMESPACE }), await request.json<Asked>());
  },
};
