import { decodePayload, type Json } from "../definition/json.ts";
import type { Writable } from "../definition/writable.ts";
import type { RunState } from "../engine/run-state.ts";
import type {
  CompensationState,
  Payloads,
  Revision,
  RunStatus,
  StepState,
  StepStatus,
  StoredError,
  Timestamp,
} from "../engine/state.ts";
import { resultText } from "./payload-reader.ts";
import type { Storage } from "./storage.ts";

/** One step of an instance, as callers see it. */
export interface StepView {
  readonly status: StepStatus;
  readonly event?: string;
  readonly result?: Json;
  readonly attempt: number;
  readonly failures: number;
  readonly interruptions: number;
  readonly wakeAt?: Timestamp;
  readonly startedAt?: Timestamp;
  readonly error?: StoredError;
  readonly metadata?: Json;
  readonly compensation?: CompensationState;
}

/** An instance, as callers see it: plain JSON. */
export interface InstanceView {
  readonly id: string;
  readonly run: number;
  readonly revision: Revision;
  readonly workflow: string;
  readonly version: number;
  readonly key?: string;
  /** The id of the instance that started this one. */
  readonly parent?: string;
  readonly status: RunStatus;
  /** The code of its definition is not here, or has another graph: it waits untouched. */
  readonly parked: boolean;
  readonly tags: readonly string[];
  readonly metadata: { readonly [name: string]: Json };
  readonly createdAt: Timestamp;
  readonly updatedAt: Timestamp;
  readonly endedAt?: Timestamp;
  readonly input?: Json;
  readonly steps: { readonly [step: string]: StepView };
  /** Events that were accepted and that no step has taken. */
  readonly inbox: readonly { readonly id: string; readonly event: string; readonly at: Timestamp }[];
  readonly error?: StoredError;
  readonly failedStep?: string;
}

/** Reads all payloads of a run that an answer shows. */
export async function loadPayloads(
  storage: Pick<Storage, "payloads">,
  state: RunState,
): Promise<ReadonlyMap<Revision, Payloads>> {
  const revisions = new Set([state.firstRevision]);
  for (const [, step] of state.steps) if (step.result !== undefined) revisions.add(step.result);
  const list = [...revisions];
  const payloads = await storage.payloads(state.id, list);
  return new Map(list.map((revision, index) => [revision, payloads[index] ?? {}]));
}

/** @returns undefined when there is no run, or it was deleted */
export function toInstanceView(
  state: RunState,
  payloads: ReadonlyMap<Revision, Payloads>,
  parked: boolean,
): InstanceView | undefined {
  const { info, ending } = state;
  if (info === undefined) return undefined;
  const input = decodePayload(payloads.get(state.firstRevision)?.input);
  const steps: Record<string, StepView> = {};
  for (const [name] of state.steps) steps[name] = toStepView(state, name, payloads);
  const view: Writable<InstanceView> = {
    id: state.id,
    run: state.run,
    revision: state.revision,
    workflow: info.workflow,
    version: info.version,
    status: state.status,
    parked,
    tags: info.tags ?? [],
    metadata: info.metadata ?? {},
    createdAt: state.createdAt,
    updatedAt: state.updatedAt,
    steps,
    inbox: [...state.inbox.values()].map(({ id, event, at }) => ({ id, event, at })),
  };
  if (info.key !== undefined) view.key = info.key;
  if (info.parent !== undefined) view.parent = info.parent;
  if (state.endedAt !== undefined) view.endedAt = state.endedAt;
  if (input !== undefined) view.input = input;
  if (ending?.error) view.error = ending.error;
  if (ending?.step !== undefined) view.failedStep = ending.step;
  return view;
}

function toStepView(state: RunState, name: string, payloads: ReadonlyMap<Revision, Payloads>): StepView {
  const step = state.steps.get(name) as StepState;
  const result = decodePayload(resultText(state, name, payloads));
  const { status, attempt = 1, failures = 0, interruptions = 0 } = step;
  const { event, wakeAt, startedAt, error, metadata, compensation } = step;
  const view: Writable<StepView> = { status, attempt, failures, interruptions };
  if (event !== undefined) view.event = event;
  if (result !== undefined) view.result = result;
  if (wakeAt !== undefined) view.wakeAt = wakeAt;
  if (startedAt !== undefined) view.startedAt = startedAt;
  if (error !== undefined) view.error = error;
  if (metadata !== undefined) view.metadata = metadata;
  if (compensation !== undefined) view.compensation = compensation;
  return view;
}
