import { foldRecords, type RunState } from "../engine/run-state.ts";
import type { RunInfo } from "../engine/state.ts";
import type { DriverHost } from "./driver-host.ts";
import type { Code, Registry } from "./registry.ts";
import type { StoredRecord } from "./storage.ts";

/** Loads and folds an instance under its own code. */
export async function loadState(
  { storage, registry }: Pick<DriverHost, "storage" | "registry">,
  id: string,
): Promise<LoadedState> {
  const records = (await storage.load(id)) ?? [];
  const code = codeOfRecords(records, registry);
  return { state: foldRecords(id, records, code?.graph), code, nonce: records.at(-1)?.nonce };
}

export interface LoadedState {
  readonly state: RunState;
  readonly code: Code | undefined;
  /** Of the last record: by it a state is known to be that of the journal, and not of one before it. */
  readonly nonce: string | undefined;
}

/** The code of a run; undefined when it is not here or has another graph: then the run is parked. */
export function codeOfRun(
  registry: Pick<Registry, "find">,
  info: RunInfo | undefined,
  fingerprint: string | undefined,
): Code | undefined {
  const code = info && registry.find(info.workflow, info.version);
  return code?.graph.fingerprint === fingerprint ? code : undefined;
}

/** The code of a run before it is folded: the records say last of which it is. */
function codeOfRecords(records: readonly StoredRecord[], registry: Pick<Registry, "find">): Code | undefined {
  let info: RunInfo | undefined;
  let fingerprint: string | undefined;
  for (const { changes } of records) {
    if (changes.run) info = changes.run;
    fingerprint = changes.run?.fingerprint ?? changes.fingerprint ?? fingerprint;
    if (changes.status === "deleted") info = undefined;
  }
  return codeOfRun(registry, info, fingerprint);
}
