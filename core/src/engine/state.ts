import type { ErrorCode, ErrorDetails } from "../definition/errors.ts";
import type { Json, JsonText } from "../definition/json.ts";

/** Milliseconds since the epoch, by the clock of the runner that made the commit. */
export type Timestamp = number;

/** Counts the records of an instance's journal, from 1; it goes on across runs. 0 is "nothing yet". */
export type Revision = number;

export type RunStatus =
  | "pending"
  | "running"
  | "waiting"
  | "paused"
  | "compensating"
  | "completed"
  | "failed"
  | "cancelled"
  | "deleted";

/**
 * idle: not reached yet, or reset by a retry. active: to be run, running, or to be run again at `wakeAt`.
 * waiting: for an event or a timer. choosing: has its outcome, and its `choose` is still to be run.
 */
export type StepStatus = "idle" | "active" | "waiting" | "choosing" | "completed" | "skipped" | "cancelled" | "failed";

/** An error as it is stored: what was thrown, without its prototype. */
export interface StoredError {
  readonly name: string;
  readonly message: string;
  readonly code?: ErrorCode | string;
  readonly stack?: string;
  readonly cause?: StoredError;
  readonly details?: ErrorDetails;
}

/** How far the compensation of a completed step has come. */
export interface CompensationState {
  readonly status: "active" | "completed" | "failed";
  readonly attempt?: number;
  readonly failures?: number;
  readonly interruptions?: number;
  readonly wakeAt?: Timestamp;
  readonly error?: StoredError;
}

/** One step of one run. Values are never changed, only replaced; absent fields have the default named. */
export interface StepState {
  readonly status: StepStatus;
  /** The token of the current attempt; 1 when absent. A result that names another one changes nothing. */
  readonly attempt?: number;
  /** Attempts that ended in an error or a timeout; 0 when absent. */
  readonly failures?: number;
  /** Attempts that never came back; 0 when absent. */
  readonly interruptions?: number;
  /** Rises when a compensated step is run again, so that its effects get a new idempotency key; 0 when absent. */
  readonly epoch?: number;
  /** The timer of a wait, of an event's timeout or of a back-off. */
  readonly wakeAt?: Timestamp;
  /** The event that the timer of a waiting step emits. */
  readonly wakeEvent?: string;
  /** The revision in which it was reached: it sees no optional result of a later one, on any attempt. */
  readonly since?: Revision;
  /** When the attempt that completed it began. */
  readonly startedAt?: Timestamp;
  /** The event that it ended with; a failed step has one when it failed in its choice, after its effect. */
  readonly event?: string;
  /** What `choose` answered; "done" among them is the end of the workflow. */
  readonly targets?: readonly string[];
  /** The revision of the record in which its result stands. */
  readonly result?: Revision;
  /** The id of the event that it took from the inbox; its payload is the step's result. */
  readonly taken?: string;
  /** The revision in which it took that event, where the event had waited in an earlier one. */
  readonly takenAt?: Revision;
  /** What the step told about its outcome beside the result. */
  readonly metadata?: Json;
  /** The last error. */
  readonly error?: StoredError;
  /** An attempt of it ended with nothing known about its outcome: its effect may have happened. */
  readonly unknown?: true;
  /** A join that it led to started without it. */
  readonly outrun?: true;
  /** Named effects inside the step that are done: the revision of the record with the value. */
  readonly checkpoints?: Readonly<Record<string, Revision>>;
  readonly compensation?: CompensationState;
  /** The last token of a compensation that a retry left behind: the next one goes on from there; 0 when absent. */
  readonly compensations?: number;
}

/** An external event that was accepted. It is never removed: the step that took it names it. */
export interface InboxEntry {
  readonly id: string;
  readonly event: string;
  /** Only this step may take it. */
  readonly step?: string;
  /** Present when the event has a payload, which stands in the same record under `event:<id>`. */
  readonly payload?: true;
}

export type CommandType =
  | "start"
  | "event"
  | "schedule"
  | "pause"
  | "unpause"
  | "cancel"
  | "retry"
  | "adopt"
  | "delete";

/** A command that took effect: a second one with the same id is answered with this. */
export interface CommandRecord {
  readonly id: string;
  readonly type: CommandType;
  readonly at: Timestamp;
  /** The run that it belonged to. */
  readonly run: number;
  /** Until when it is remembered; absent while its run goes on. */
  readonly until?: Timestamp;
  readonly reply?: Json;
}

/** What a run is from its start on. Stands in the first record of the run. */
export interface RunInfo {
  /** The format of this run's records. */
  readonly format: typeof STATE_FORMAT;
  readonly run: number;
  readonly workflow: string;
  readonly version: number;
  readonly fingerprint: string;
  readonly key?: string;
  /** The id of the instance that started it, as its starter said. */
  readonly parent?: string;
  readonly tags?: readonly string[];
  readonly metadata?: { readonly [name: string]: Json };
  readonly telemetry?: { readonly [name: string]: Json };
  /** Commands of the runs before that may still be delivered again. */
  readonly commands?: readonly CommandRecord[];
}

/** Why and how a run ends other than by completing. While it is there without `endedAt`, the run is compensating. */
export interface Ending {
  readonly outcome: "failed" | "cancelled";
  readonly step?: string;
  readonly error?: StoredError;
  /** Aborted attempts may report until then. */
  readonly until: Timestamp;
}

/** Who drives the run, and until when nobody else should try. A hint that spares work; the journal is the fence. */
export interface Owner {
  readonly id: string;
  readonly until: Timestamp;
}

/** The version of the stored format. A record of a newer one is refused, an older one is always read. */
export const STATE_FORMAT = 1;

/** What one commit changes: plain JSON, in the order in which it was decided. */
export interface Changes {
  readonly at: Timestamp;
  /** Only in the first record of a run. */
  readonly run?: RunInfo;
  readonly status?: RunStatus;
  readonly steps?: Readonly<Record<string, StepState>>;
  readonly inbox?: readonly InboxEntry[];
  readonly commands?: readonly CommandRecord[];
  readonly paused?: boolean;
  readonly ending?: Ending | null;
  readonly owner?: Owner | null;
  /** The graph under which the run goes on, after `adopt`. */
  readonly fingerprint?: string;
}

/** JSON texts beside the changes: `input`, `result:<step>`, `event:<id>`, `checkpoint:<step>:<name>`. */
export type Payloads = Readonly<Record<string, JsonText>>;
