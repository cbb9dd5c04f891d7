import { decodePayload, type Json } from "../definition/json.ts";
import { assertFormat } from "../engine/run-state.ts";
import type {
  CommandType,
  Payloads,
  Revision,
  RunStatus,
  StepState,
  StepStatus,
  StoredError,
  Timestamp,
} from "../engine/state.ts";
import type { Storage, StoredRecord } from "./storage.ts";

interface Entry {
  readonly revision: Revision;
  readonly at: Timestamp;
}

/** One thing that happened to an instance. The history is read off the journal; nothing is written twice. */
export type HistoryEntry = Entry &
  (
    | {
        readonly type: "started";
        readonly run: number;
        readonly workflow: string;
        readonly version: number;
        readonly input?: Json;
      }
    | {
        readonly type: "step";
        readonly step: string;
        readonly status: StepStatus;
        readonly event?: string;
        readonly result?: Json;
        readonly attempt: number;
        readonly wakeAt?: Timestamp;
        readonly startedAt?: Timestamp;
        readonly error?: StoredError;
        readonly compensation?: "active" | "completed" | "failed";
      }
    | {
        readonly type: "event";
        readonly id: string;
        readonly event: string;
        readonly payload?: Json;
        readonly consumed: boolean;
      }
    | { readonly type: "command"; readonly command: CommandType; readonly id: string }
    | { readonly type: "status"; readonly status: RunStatus; readonly error?: StoredError }
  );

/** Reads the history of an instance's latest run; empty when there is none. */
export async function readHistory(storage: Pick<Storage, "load" | "payloads">, id: string): Promise<HistoryEntry[]> {
  const records = (await storage.load(id)) ?? [];
  for (const { changes } of records) if (changes.run) assertFormat(id, changes.run);
  const revisions = records.filter(hasPayloads).map((record) => record.revision);
  const payloads = await storage.payloads(id, revisions);
  const byRevision = new Map(revisions.map((revision, index) => [revision, payloads[index] ?? {}]));
  const taken = new Set(records.flatMap(({ changes }) => Object.values(changes.steps ?? {}).map((step) => step.taken)));
  return records.flatMap((record) => entriesOf(record, byRevision, taken));
}

function hasPayloads({ changes }: StoredRecord): boolean {
  return changes.run !== undefined || changes.inbox !== undefined || changes.steps !== undefined;
}

function entriesOf(
  { revision, changes }: StoredRecord,
  payloads: ReadonlyMap<Revision, Payloads>,
  taken: ReadonlySet<string | undefined>,
): HistoryEntry[] {
  const { at, run } = changes;
  const own = payloads.get(revision) ?? {};
  const entries: HistoryEntry[] = [];
  if (run) {
    const input = decodePayload(own.input);
    const { workflow, version } = run;
    entries.push({
      revision,
      at,
      type: "started",
      run: run.run,
      workflow,
      version,
      ...(input === undefined ? {} : { input }),
    });
  }
  for (const { id, event } of changes.inbox ?? []) {
    const payload = decodePayload(own[`event:${id}`]);
    entries.push({
      revision,
      at,
      type: "event",
      id,
      event,
      ...(payload === undefined ? {} : { payload }),
      consumed: taken.has(id),
    });
  }
  for (const { id, type } of changes.commands ?? []) {
    if (type !== "start" && type !== "event") entries.push({ revision, at, type: "command", command: type, id });
  }
  for (const [step, state] of Object.entries(changes.steps ?? {})) {
    entries.push({ revision, at, ...stepEntry(step, state, payloads) });
  }
  if (changes.status && changes.status !== "deleted") {
    const error = changes.ending?.error;
    entries.push({ revision, at, type: "status", status: changes.status, ...(error ? { error } : {}) });
  }
  return entries;
}

function stepEntry(step: string, state: StepState, payloads: ReadonlyMap<Revision, Payloads>) {
  const { status, event, attempt = 1, wakeAt, startedAt, error, compensation, taken } = state;
  const stored = payloads.get(state.result ?? -1)?.[taken === undefined ? `result:${step}` : `event:${taken}`];
  const result = compensation ? undefined : decodePayload(stored);
  return {
    type: "step" as const,
    step,
    status,
    ...(event === undefined ? {} : { event }),
    ...(result === undefined ? {} : { result }),
    attempt,
    ...(wakeAt === undefined ? {} : { wakeAt }),
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(error === undefined ? {} : { error }),
    ...(compensation === undefined ? {} : { compensation: compensation.status }),
  };
}
