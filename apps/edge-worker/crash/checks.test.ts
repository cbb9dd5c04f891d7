import { createHephaestus, type HistoryEntry, type InstanceView } from "@hephaestus/core";
import type { Call } from "@hephaestus/dev-server";
import { beforeAll, describe, expect, it } from "vitest";
import { type Ended, findProblems } from "./checks.ts";
import { type IndexRow, indexProblems } from "./index-rows.ts";
import { type Shape, shapes } from "./shapes.ts";
import { workflows } from "./workflows.ts";

/*
 * The harness finds what it is there to find: real ends of instances, of the local engine, are made wrong in one thing
 * each.
 */
const shapeOf = (name: string) => shapes.find(({ workflow }) => workflow.name === name) as Shape;
const calls: Call[] = [];
let at = Date.now();
const tell = async (path: string, key: string): Promise<void> => void calls.push({ at: ++at, key, path });
const engine = createHephaestus({ workflows, connectors: { witness: { tell } } });

async function play(name: string, send: readonly string[] = []): Promise<Ended> {
  const shape = shapeOf(name);
  const started = await engine.start(name, { n: 1 }, { key: "1" });
  const sent = new Map<string, string>();
  for (const event of send) {
    sent.set(`${event}-1`, event);
    await started.resume(event, { id: `${event}-1` }, { id: `${event}-1` });
  }
  await started.result().catch(() => {});
  const [view, history] = [await started.get(), await started.history()];
  return { shape, player: { id: started.id, key: "1", sent }, view, history };
}

let inbox: Ended;
let timers: Ended;
let trip: Ended;
beforeAll(async () => {
  [inbox, timers, trip] = await Promise.all([play("inbox", ["signed", "paid"]), play("timers"), play("trip")]);
  // The records are older than what the witness of this test made of the time.
  for (const call of calls) Object.assign(call, { at: 0 });
});

const of = (one: Ended, change: Partial<Ended> = {}, more: readonly Call[] = []) =>
  findProblems([{ ...one, ...change }], [...calls.filter(({ key }) => key.startsWith(one.player.id)), ...more]);
const call = (path: string, key: string): Call => ({ at: 0, path, key });
const without = (one: Ended, gone: (entry: HistoryEntry) => boolean) => one.history.filter((entry) => !gone(entry));

describe("the checks of the crash harness", () => {
  it("find nothing wrong where nothing is", () => {
    expect([of(inbox), of(timers), of(trip)]).toEqual([[], [], []]);
  });

  it("find an instance that ended otherwise, or not at all", () => {
    const view = { ...inbox.view, status: "running" } as InstanceView;
    expect(of(inbox, { view })).toEqual([expect.stringContaining("ended running, not completed")]);
  });

  it("find a step that completed twice, or never", () => {
    const isBetween = (entry: HistoryEntry) =>
      entry.type === "step" && entry.step === "between" && entry.status === "completed";
    const again = inbox.history.filter(isBetween);
    expect(of(inbox, { history: [...inbox.history, ...again] })).toContain(
      "inbox/n::1: step between completed 2 times",
    );
    expect(of(inbox, { history: without(inbox, isBetween) })).toContain("inbox/n::1: step between completed 0 times");
  });

  it("find an event that was lost, counted twice, or sent by nobody", () => {
    const isEvent = (entry: HistoryEntry) => entry.type === "event" && entry.id === "paid-1";
    expect(of(inbox, { history: without(inbox, isEvent) })).toEqual(["inbox/n::1: paid-1 counts 0 times"]);
    expect(of(inbox, { history: [...inbox.history, ...inbox.history.filter(isEvent)] })).toEqual([
      "inbox/n::1: paid-1 counts 2 times",
    ]);
    const player = { ...inbox.player, sent: new Map([["paid-1", "paid"]]) };
    expect(of(inbox, { player })).toEqual(["inbox/n::1: nobody sent signed-1"]);
  });

  it("find a timer that never fired, or too early", () => {
    const isNap = (entry: HistoryEntry) =>
      entry.type === "step" && entry.step === "nap" && entry.status === "completed";
    expect(of(timers, { history: without(timers, isNap) })).toContain("timers/n::1: timer nap never fired");
    const early = timers.history.map((entry) => (isNap(entry) ? { ...entry, at: entry.at - 10_000 } : entry));
    expect(of(timers, { history: early })).toEqual([expect.stringMatching(/timer nap fired \d+ ms early/)]);
  });

  it("find a step that begins after its end was acknowledged, or after what follows it", () => {
    const acknowledged = [call("/acknowledged", "inbox/n::1#1/deliver"), call("/begin", "inbox/n::1#1/deliver")];
    expect(of(inbox, {}, acknowledged)).toEqual(["inbox/n::1#1/deliver began after its end had been acknowledged"]);
    expect(of(inbox, {}, [call("/begin", "inbox/n::1#1/prepare")])).toEqual([
      "inbox/n::1#1/prepare began after between, which follows it",
      "inbox/n::1#1/prepare began after deliver, which follows it",
    ]);
    const late = { ...call("/begin", "inbox/n::1#1/deliver"), at: Date.now() + 60_000 };
    expect(of(inbox, {}, [late])).toEqual([expect.stringContaining("after its result was acknowledged")]);
  });

  it("find a checkpoint that was repeated, and effects taken back twice or wrongly", () => {
    expect(of(trip, {}, [call("/effect", "trip/n::1#1/room")])).toEqual([
      "trip/n::1#1/room repeated its checkpoint after what followed it",
    ]);
    expect(of(trip, {}, [call("/undone", "trip/n::1#1/room"), call("/undo", "trip/n::1#1/room")])).toEqual([
      "trip/n::1#1/room was taken back after that had been acknowledged",
    ]);
    expect(of(inbox, {}, [call("/undo", "inbox/n::1#1/prepare")])).toEqual(["inbox/n::1#1/prepare was taken back"]);
  });

  it("find a step that nobody saw", () => {
    const rest = calls.filter(
      ({ key, path }) => key.startsWith("inbox/") && !(path === "/end" && key.endsWith("/between")),
    );
    expect(findProblems([inbox], rest)).toEqual(["inbox/n::1: between completed, and the witness saw no /end of it"]);
  });

  it("find where D1 and the objects differ", () => {
    const { view } = inbox;
    const row: IndexRow = {
      ...{ ns: "", id: view.id, run: 1, revision: view.revision, workflow: "inbox", version: 1, status: "completed" },
      ...{ key: "1", tags: "[]", metadata: "{}", current: "[]", created: view.createdAt, updated: view.updatedAt },
      ...{ ended: view.endedAt as number, error: null, input: '{"n":1}' },
    };
    expect(indexProblems([view], [row])).toEqual([]);
    expect(indexProblems([view], [])).toEqual(["D1 has no row of inbox/n::1"]);
    expect(indexProblems([view], [{ ...row, status: "running" }])).toEqual([
      "D1 has status running of inbox/n::1, its object has completed",
    ]);
    expect(indexProblems([view], [row, row])).toEqual(["D1 has two rows of one instance"]);
    expect(indexProblems([], [row])).toEqual(["D1 has a row of inbox/n::1, which nobody started"]);
  });
});
