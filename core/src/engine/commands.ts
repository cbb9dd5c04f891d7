import type { HephaestusError } from "../definition/errors.ts";
import type { Json, JsonText } from "../definition/json.ts";
import type { Owner, RunInfo, StoredError, Timestamp } from "./state.ts";

/** What a caller may ask of the commit of its command. */
interface CallersCommand {
  /** Answered only when the disk has it, where the storage makes a difference. */
  readonly durability?: "strict";
}

/** Begins a run: the first of an id, or the next one when the run before has ended. */
export interface StartCommand extends CallersCommand {
  readonly type: "start";
  readonly commandId: string;
  readonly info: Omit<RunInfo, "format" | "run" | "commands">;
  readonly input?: JsonText;
}

/** An external event. */
export interface EventCommand extends CallersCommand {
  readonly type: "event";
  readonly commandId: string;
  readonly event: string;
  readonly payload?: JsonText;
  readonly step?: string;
}

/** Gives a waiting step a timer that ends it with an event. */
export interface ScheduleCommand extends CallersCommand {
  readonly type: "schedule";
  readonly commandId: string;
  readonly step: string;
  readonly delayMs: number;
  /** Its event `timeout`, or its only one, unless said otherwise. */
  readonly event?: string;
}

/** Asks what a restart of this id was answered, of an instance that is not there any more. */
export interface RestartCommand extends CallersCommand {
  readonly type: "restart";
  readonly commandId: string;
}

export interface ControlCommand extends CallersCommand {
  readonly type: "pause" | "unpause" | "cancel" | "retry" | "adopt" | "delete";
  readonly commandId: string;
}

/** The token of an attempt. One that is not the current attempt of an open step tells nothing. */
export interface AttemptToken {
  /** The latest run unless said: an attempt may come back after its run has ended and the next has begun. */
  readonly run?: number;
  readonly step: string;
  readonly attempt: number;
}

/** An attempt ended with an outcome. */
export interface OutcomeCommand extends AttemptToken {
  readonly type: "outcome";
  readonly startedAt: Timestamp;
  readonly event: string;
  readonly result?: JsonText;
  readonly metadata?: Json;
  /** What `choose` answered, where the event has one. */
  readonly targets?: readonly string[];
  /** Why it answered nothing: the step has had its effect and fails all the same. */
  readonly choiceError?: StoredError;
}

/** An attempt ended in an error. */
export interface FailureCommand extends AttemptToken {
  readonly type: "failure";
  readonly error: StoredError;
  readonly retryable: boolean;
  /** 0 to 1, from the runner's random source: where the back-off falls in its range. */
  readonly jitter: number;
}

/** An attempt ended without an outcome: the step waits for one of its events. */
export interface PendingCommand extends AttemptToken {
  readonly type: "pending";
}

/** An aborted attempt, or one that was never begun, is over without a result. */
export interface AbortedCommand extends AttemptToken {
  readonly type: "aborted";
  /** It had begun, so its effect may have happened. */
  readonly begun: boolean;
}

/** What `choose` answered for a step whose event came from outside or from a timer. */
export interface ChoiceCommand {
  readonly type: "choice";
  /** The latest run unless said. */
  readonly run?: number;
  readonly step: string;
  readonly targets?: readonly string[];
  readonly error?: StoredError;
}

/** These attempts were begun by somebody who is gone; undefined means all that may have been. */
export interface InterruptedCommand {
  readonly type: "interrupted";
  readonly steps?: readonly string[];
  /** The lease of the one who was found to be gone. When the run is somebody else's by now, or it was renewed, nothing is done. */
  readonly owner?: Owner;
}

export interface CheckpointCommand extends AttemptToken {
  readonly type: "checkpoint";
  readonly name: string;
  readonly value?: JsonText;
}

/** A compensation ended, well or badly. */
export interface CompensatedCommand extends AttemptToken {
  readonly type: "compensated";
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
  | RestartCommand
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
