/*
 * What is measured in the page: each function does some work and answers how many units of it. The program beside this
 * folder calls them in turn.
 */
import {
  type AnyStep,
  type Commit,
  createHephaestus,
  defineStep,
  defineWorkflow,
  done,
  type Hephaestus,
  type Storage,
  type,
  waitForEvent,
} from "@hephaestus/core";
import { indexedDbStorage } from "@hephaestus/indexeddb";

const EVENTS_EACH = 20;
const steps = [0, 1, 2].map((index) => defineStep({ name: `step_${index}`, run: () => index }));
const chain = defineWorkflow({
  name: "chain",
  input: type<unknown>(),
  start: steps[0] as AnyStep,
  transitions: ({ on }) => steps.map((step, index) => on(step, { done: steps[index + 1] ?? done })),
});
const reminder = waitForEvent({ name: "answer", events: { given: type<unknown>() }, timeout: { days: 30 } });
const question = defineWorkflow({
  name: "question",
  input: type<unknown>(),
  start: reminder,
  transitions: ({ on }) => [on(reminder, { given: done, timeout: done })],
});
const waits = Array.from({ length: EVENTS_EACH }, (_, index) =>
  waitForEvent({ name: `wait_${index}`, events: { go: type<{ n: number }>() } }),
);
const conversation = defineWorkflow({
  name: "conversation",
  input: type<unknown>(),
  start: waits[0] as AnyStep,
  transitions: ({ on }) => waits.map((step, index) => on(step as AnyStep, { go: waits[index + 1] ?? done })),
});

/** What one workflow costs its storage. */
interface Cost {
  commits: number;
  transactions: number;
  records: number;
  /** Of journals and payloads, before they are grouped. */
  reads: number;
}

/** A storage that counts what is written: rows of the journal, of headers and of payloads that lie apart. */
function counted(storage: Storage, cost: Cost): Storage {
  return {
    ...storage,
    commit(commits: readonly Commit[]) {
      cost.transactions += 1;
      cost.commits += commits.length;
      for (const { header } of commits) cost.records += header ? 2 : 1;
      return storage.commit(commits);
    },
    load(...request) {
      cost.reads += 1;
      return storage.load(...request);
    },
    payloads(...request) {
      cost.reads += 1;
      return storage.payloads(...request);
    },
  };
}

function engineOn(name: string, durability: IDBTransactionDurability, cost: Cost): Hephaestus {
  const storage = counted(indexedDbStorage({ name, durability }), cost);
  return createHephaestus({ workflows: [chain, conversation, question], storage });
}

const cost = { commits: 0, transactions: 0, records: 0, reads: 0 };
const engines = new Map<IDBTransactionDurability, Hephaestus>();
function engineOf(durability: IDBTransactionDurability): Hephaestus {
  const engine = engines.get(durability) ?? engineOn(`bench-${durability}`, durability, cost);
  engines.set(durability, engine);
  return engine;
}

let floor: Promise<IDBDatabase> | undefined;
let floorKey = 0;
function openFloor(): Promise<IDBDatabase> {
  floor ??= new Promise((resolve) => {
    const request = indexedDB.open("floor", 1);
    request.onupgradeneeded = () => request.result.createObjectStore("rows");
    request.onsuccess = () => resolve(request.result);
  });
  return floor;
}

/** As large as a record of the journal, with a key like one. */
function putRows(database: IDBDatabase, count: number, durability: IDBTransactionDurability): Promise<void> {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction("rows", "readwrite", { durability });
    const store = transaction.objectStore("rows");
    for (let row = 0; row < count; row++) {
      const id = ++floorKey;
      const changes = { at: 1_800_000_000_000, steps: { step_1: { status: "completed", event: "done" } } };
      store.put({ revision: 1, run: 1, nonce: `0mwt9s98bkfdbk38jkxmcgebk.${id}`, changes }, [`floor/${id}`, 1]);
    }
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
    transaction.commit();
  });
}

/** Calls `work` so many times, with so many of them under way at once. */
async function atOnce(count: number, callers: number, work: () => Promise<unknown>): Promise<void> {
  let left = count;
  const call = async () => {
    while (left-- > 0) await work();
  };
  await Promise.all(Array.from({ length: callers }, call));
}

const measures = {
  /** Transactions of one put. */
  async singlePuts(count: number, durability: IDBTransactionDurability = "default") {
    const database = await openFloor();
    for (let n = 0; n < count; n++) await putRows(database, 1, durability);
    return count;
  },
  /** Puts, in transactions of 100. */
  async batchedPuts(transactions: number) {
    const database = await openFloor();
    for (let n = 0; n < transactions; n++) await putRows(database, 100, "default");
    return transactions * 100;
  },
  async workflows(count: number, callers: number, durability: IDBTransactionDurability = "default") {
    const flows = engineOf(durability).for(chain);
    await atOnce(count, callers, async () => (await flows.start({})).result());
    return count;
  },
  /** What `count` workflows write. */
  async costOf(count: number, callers: number): Promise<Cost> {
    Object.assign(cost, { commits: 0, transactions: 0, records: 0, reads: 0 });
    await measures.workflows(count, callers);
    return { ...cost };
  },
  /** Events that instances wait for, their starts among them. */
  async events(instances: number) {
    const engine = engineOf("default");
    await atOnce(instances, instances, async () => {
      const { id } = await engine.for(conversation).start({});
      for (let n = 0; n < EVENTS_EACH; n++) await engine.resume(id, "go", { n });
    });
    return instances * EVENTS_EACH;
  },
  /** Fills a database of its own with instances that wait. */
  async fill(count: number) {
    const engine = engineOn("waiting", "default", cost);
    await atOnce(count, 50, () => engine.for(question).start({}));
    await engine.close();
    return count;
  },
  /** Opens that database as a page does: an engine, its first look at what is due, and a page of the list. */
  async open(name: string) {
    const storage = indexedDbStorage({ name });
    const looked = new Promise<void>((resolve) => {
      const engine = createHephaestus({
        workflows: [chain, conversation, question],
        storage: {
          ...storage,
          async due(request) {
            const rows = await storage.due(request);
            resolve();
            return rows;
          },
        },
      });
      globalThis.opened = engine;
    });
    await looked;
    return (await globalThis.opened.list({ limit: 50 })).items.length;
  },
};

declare global {
  var opened: Hephaestus;
  var measure: typeof measures;
}
globalThis.measure = measures;
