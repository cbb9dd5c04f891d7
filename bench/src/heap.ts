/*
 * What workflows that have ended leave in memory: on memory storage, what is kept of them for good, and what is garbage
 * that only a full collection takes away.
 *
 *   npm run bench -- heap
 */
import { measureHeap } from "./lib/heap.ts";
import { describeMachine } from "./lib/machine.ts";
import { effect, hephaestus, resonate, xstate } from "./lib/peers.ts";
import { publish } from "./lib/report.ts";
import { number } from "./lib/table.ts";

const PEERS = { Hephaestus: hephaestus, "XState 5": xstate, "Effect 4": effect, Resonate: resonate };
const CALLERS = [1, 50];
const WORKFLOWS = 5_000;

const machine = describeMachine();
const rows: string[][] = [];
const data: Record<string, number> = {};
for (const [name, make] of Object.entries(PEERS)) {
  for (const callers of CALLERS) {
    const peer = make({ steps: 3 });
    const { kept, survived } = await measureHeap(peer, callers, WORKFLOWS);
    await peer.close();
    rows.push([name, String(callers), number(kept), number(survived)]);
    data[`${name}, ${callers} callers: bytes kept`] = kept;
    data[`${name}, ${callers} callers: bytes after young collections`] = survived;
  }
}

publish(
  {
    name: "heap",
    columns: [
      { title: "3 steps, bytes a workflow" },
      { title: "callers", align: "right" },
      { title: "kept", align: "right" },
      { title: "after young collections", align: "right" },
    ],
    rows,
    notes: [
      "A workflow's journal is kept by Hephaestus and Resonate, the exits of its activities by Effect, nothing by XState.",
    ],
    data,
  },
  machine,
);
