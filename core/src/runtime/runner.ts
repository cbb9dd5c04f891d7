import type { Json } from "../definition/json.ts";
import { parsePayload } from "../definition/schema.ts";
import type {
  ControlCommand,
  EventCommand,
  RestartCommand,
  ScheduleCommand,
  StartCommand,
  StartReply,
} from "../engine/commands.ts";
import type { Changes, Revision, RunStatus, StepState, StepStatus, Timestamp } from "../engine/state.ts";
import type { DrivenInstance } from "./driver-host.ts";
import type { HistoryEntry } from "./history.ts";
import type { InstanceView } from "./instance-view.ts";
import type { Code } from "./registry.ts";
import type { InstanceFilter, InstanceSummary, Page } from "./storage.ts";

/** What can be asked of an instance from outside. Plain JSON: it can be sent to where the instance lives. */
export type InstanceRequest = EventCommand | ScheduleCommand | RestartCommand | ControlCommand;

/** A change that was committed, as subscribers see it. */
export interface InstanceChange {
  readonly id: string;
  readonly run: number;
  readonly revision: Revision;
  readonly at: Timestamp;
  readonly status: RunStatus;
  /** The steps that changed. */
  readonly steps: { readonly [step: string]: StepStatus };
}

/**
 * The place where instances are driven. The facade stands before it and is the same for all of them.
 * Errors are HephaestusErrors.
 */
export interface Runner {
  /** @throws HephaestusError ALREADY_RUNNING */
  start(id: string, command: StartCommand): Promise<StartReply>;
  /** @throws HephaestusError INSTANCE_NOT_FOUND, and what the command's semantics say */
  send(id: string, request: InstanceRequest): Promise<Json>;
  /** Undefined when there is no such instance. */
  read(id: string): Promise<InstanceView | undefined>;
  /** Empty when there is no such instance. */
  history(id: string): Promise<readonly HistoryEntry[]>;
  list(filter: InstanceFilter): Promise<Page<InstanceSummary>>;
  /**
   * Tells how the instance stands ("deleted" where there is none) and then of every committed change; the answer ends
   * it. A change may be told twice, by its revision.
   */
  subscribe(id: string, listener: (change: InstanceChange) => void): () => void;
  /** Finishes or hands back what runs; afterwards every call is refused. */
  close(): Promise<void>;
}

/**
 * Checks an event's payload by its schema; what the schema made of it goes on.
 * @throws HephaestusError PAYLOAD_INVALID
 */
export async function checkRequest(code: Code | undefined, request: InstanceRequest): Promise<InstanceRequest> {
  const schema = request.type === "event" ? code?.payloads.get(request.event) : undefined;
  if (request.type !== "event" || schema === undefined) return request;
  const { payload: given, ...event } = request;
  const value: unknown = given === undefined ? undefined : JSON.parse(given);
  const payload = await parsePayload(schema, value, `payload of event "${request.event}"`, "PAYLOAD_INVALID");
  return { ...event, ...(payload === undefined ? {} : { payload }) };
}

/** A committed change, as subscribers see it. */
export function toChange({ id, state }: Pick<DrivenInstance, "id" | "state">, changes: Changes): InstanceChange {
  const steps: Record<string, StepStatus> = {};
  for (const name in changes.steps) steps[name] = (changes.steps[name] as StepState).status;
  return { id, run: state.run, revision: state.revision, at: changes.at, status: state.status, steps };
}

/** How an instance stands, as subscribers are told first. */
export function toStanding({ id, state }: Pick<DrivenInstance, "id" | "state">): InstanceChange {
  const steps: Record<string, StepStatus> = {};
  for (const [name, { status }] of state.steps) steps[name] = status;
  return { id, run: state.run, revision: state.revision, at: state.updatedAt, status: state.status, steps };
}
