import type { HephaestusError } from "../definition/errors.ts";
import type { Json, JsonText } from "../definition/json.ts";
import type { RunInfo, StoredError, Timestamp } from "./state.ts";

/** Begins a run: the first of an id, or the next one when the run before has ended. */
export interface StartCommand {
  readonly type: "start";
  readonly commandId: string;
  readonly info: Omit<RunInfo, "format" | "run" | "commands">;
  readonly input?: JsonText;
}

/** An external event. */
export interface EventCommand {
  readonly type: "event";
  readonly commandId: string;
  readonly event: string;
  readonly payload?: JsonText;
  readonly step?: string;
}

/** Gives a waiting step a timer that ends it with an event. */
export interface ScheduleCommand {
  readonly type: "schedule";
  readonly commandId: string;
  readonly step: string;
  readonly delayMs: number;
  readonly event: string;
}

export interface ControlCommand {
  readonly type: "pause" | "unpause" | "cancel" | "retry" | "adopt" | "delete";
  readonly commandId: string;
}

/** An attempt ended with an outcome. */
export interface OutcomeCommand {
  readonly type: "outcome";
  readonly step: string;
  readonly attempt: number;
  readonly startedAt: Timestamp;
  readonly event: string;
  readonly result?: JsonText;
  readonly metadata?: Json;
  /** What `choose` answered, where the event has one. */
  readonly targets?: readonly string[];
}

/** An attempt ended in an error. */
export interface FailureCommand {
  readonly type: "failure";
  readonly step: string;
  readonly attempt: number;
  readonly error: StoredError;
  readonly retryable: boolean;
  /** 0 to 1, from the runner's random source: where the back-off falls in its range. */
  readonly jitter: number;
}

/** An attempt ended without an outcome: the step waits for one of its events. */
export interface PendingCommand {
  readonly type: "pending";
  readonly step: string;
  readonly attempt: number;
}

/** An aborted attempt, or one that was never begun, is over without a result. */
export interface AbortedCommand {
  readonly type: "aborted";
  readonly step: string;
  readonly attempt: number;
  /** It had begun, so its effect may have happened. */
  readonly begun: boolean;
}

/** What `choose` answered for a step whose event came from outside or from a timer. */
export interface ChoiceCommand {
  readonly type: "choice";
  readonly step: string;
  readonly targets?: readonly string[];
  readonly error?: StoredError;
}

/** These attempts were begun by somebody who is gone; undefined means all that may have been. */
export interface InterruptedCommand {
  readonly type: "interrupted";
  readonly steps?: readonly string[];
}

export interface CheckpointCommand {
  readonly type: "checkpoint";
  readonly step: string;
  readonly attempt: number;
  readonly name: string;
  readonly value?: JsonText;
}

/** A compensation ended, well or badly. */
export interface CompensatedCommand {
  readonly type: "compensated";
  readonly step: string;
  readonly attempt: number;
  readonly error?: StoredError;
  readonly retryable?: boolean;
  readonly jitter?: number;
}

/** Time has passed: what is due fires. Also renews the lease when that is due. */
export interface WakeCommand {
  readonly type: "wake";
}

export type Command =
  | StartCommand
  | EventCommand
  | ScheduleCommand
  | ControlCommand
  | OutcomeCommand
  | FailureCommand
  | PendingCommand
  | AbortedCommand
  | ChoiceCommand
  | InterruptedCommand
  | CheckpointCommand
  | CompensatedCommand
  | WakeCommand;

export interface StartReply {
  readonly run: number;
}
export type EventReply = "delivered" | "queued";

/** What a command's sender is told: a value, or why nothing changed. */
export type Reply = { readonly value: Json; readonly error?: undefined } | { readonly error: HephaestusError };
