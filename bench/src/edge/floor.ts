import { DurableObject } from "cloudflare:workers";
import type { Contender, Env } from "./contender.ts";

/** What any engine on objects pays at least: a new object that writes a row for each of three steps. */
export class FloorObject extends DurableObject<Env> {
  writeRows(): void {
    for (let row = 0; row < 3; row++) this.ctx.storage.kv.put(`row:${row}`, { status: "completed", result: row });
  }
}

export const floor = (env: Env): Contender => ({
  start: async (_shape, id) => {
    await (env.FLOOR as DurableObjectNamespace<FloorObject>).getByName(id).writeRows();
  },
});
