import type { Hephaestus } from "@hephaestus/core";
import type { InstanceSource } from "./instance-source.ts";

/** The list is read off the header rows, which tell nobody when they change: so it is looked at this often. */
const POLL_MS = 1_000;

/** The instances that this browser keeps, as the engine of this tab sees them. */
export function tabSource(hephaestus: Hephaestus): InstanceSource {
  return {
    name: "tab",
    pollMs: POLL_MS,
    list: ({ status, limit }) => hephaestus.list({ limit, ...(status === undefined ? {} : { status }) }),
    get: (id) => hephaestus.get(id),
    history: (id) => hephaestus.history(id),
    async start(workflow, key, input) {
      const { id, run } = await hephaestus.start(workflow, input, { key });
      return { id, run };
    },
    send: (id, event, payload) => hephaestus.resume(id, event, payload),
    async act(id, action) {
      await hephaestus[action](id);
    },
    subscribe: (id, changed) => hephaestus.subscribe(id, changed),
  };
}
