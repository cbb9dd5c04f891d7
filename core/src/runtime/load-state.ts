import { HephaestusError } from "../definition/errors.ts";
import type { Command } from "../engine/commands.ts";
import { foldRecords, type RunState } from "../engine/run-state.ts";
import type { DriverHost } from "./driver-host.ts";
import type { Code } from "./registry.ts";

/** Loads and folds an instance under its own code. */
export async function loadState(
  host: Pick<DriverHost, "storage" | "codeOf">,
  id: string,
): Promise<{ readonly state: RunState; readonly code: Code | undefined }> {
  const records = (await host.storage.load(id)) ?? [];
  const bare = foldRecords(id, records, undefined);
  const code = bare.info && host.codeOf(bare);
  return code ? { state: foldRecords(id, records, code.graph), code } : { state: bare, code: undefined };
}

/** Why commands of an instance without code are refused. */
export function parkedOrMissing({ id, info, run, status }: RunState, [first]: readonly Command[]): HephaestusError {
  if (info === undefined) return new HephaestusError("INSTANCE_NOT_FOUND", `there is no instance ${id}`, { id });
  if (first?.type === "start") return new HephaestusError("ALREADY_RUNNING", `${id} is ${status}`, { id, run, status });
  const what = `${info.workflow} version ${info.version}`;
  return new HephaestusError("PARKED", `${id} is parked: the code of ${what} is not here, or has another graph`, {
    id,
    workflow: info.workflow,
    version: info.version,
  });
}
