import { HephaestusError } from "../definition/errors.ts";
import type { Command, Reply } from "../engine/commands.ts";
import { knownReply } from "../engine/decide.ts";
import { foldRecords, type RunState } from "../engine/run-state.ts";
import type { RunInfo } from "../engine/state.ts";
import type { DriverHost } from "./driver-host.ts";
import type { Code } from "./registry.ts";
import type { StoredRecord } from "./storage.ts";

/** Loads and folds an instance under its own code. */
export async function loadState(
  host: Pick<DriverHost, "storage" | "codeOf">,
  id: string,
): Promise<{ readonly state: RunState; readonly code: Code | undefined }> {
  const records = (await host.storage.load(id)) ?? [];
  const code = codeOfRecords(records, host);
  return { state: foldRecords(id, records, code?.graph), code };
}

/** The code of a run, before it is folded: what the records say last of which it is. */
function codeOfRecords(records: readonly StoredRecord[], { codeOf }: Pick<DriverHost, "codeOf">): Code | undefined {
  let info: RunInfo | undefined;
  let fingerprint: string | undefined;
  for (const { changes } of records) {
    if (changes.run) info = changes.run;
    fingerprint = changes.run?.fingerprint ?? changes.fingerprint ?? fingerprint;
    if (changes.status === "deleted") info = undefined;
  }
  return info && codeOf({ info, fingerprint: fingerprint ?? info.fingerprint });
}

/** What is said to a command of an instance whose code is not here, or which there is not. */
export function replyWithoutCode({ id, info, run, status, commands }: RunState, command: Command): Reply {
  const known = "commandId" in command ? commands.get(command.commandId) : undefined;
  if (known) return knownReply(known, command);
  if (info === undefined) {
    return { error: new HephaestusError("INSTANCE_NOT_FOUND", `there is no instance ${id}`, { id }) };
  }
  if (command.type === "start") {
    return { error: new HephaestusError("ALREADY_RUNNING", `${id} is ${status}`, { id, run, status }) };
  }
  const { workflow, version } = info;
  const message = `${id} is parked: the code of ${workflow} version ${version} is not here, or has another graph`;
  return { error: new HephaestusError("PARKED", message, { id, workflow, version }) };
}
