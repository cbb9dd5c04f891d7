import { HephaestusError } from "../definition/errors.ts";
import type { Command, Reply } from "../engine/commands.ts";
import { knownReply } from "../engine/decide.ts";
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
