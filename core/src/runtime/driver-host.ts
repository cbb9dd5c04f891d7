import type { Json } from "../definition/json.ts";
import type { Connectors } from "../definition/step.ts";
import type { Command } from "../engine/commands.ts";
import type { Lessee } from "../engine/decide.ts";
import type { RunState } from "../engine/run-state.ts";
import type { Changes, Timestamp } from "../engine/state.ts";
import type { TelemetryProbe } from "../telemetry/probe.ts";
import type { Clock, Random } from "./clock.ts";
import type { MaybePromise } from "./maybe-promise.ts";
import type { PayloadReader } from "./payload-reader.ts";
import type { Code, Registry } from "./registry.ts";
import type { Commit, CommitResult, Storage } from "./storage.ts";

/** An instance that is being driven, as its host and its helpers see it. */
export interface DrivenInstance {
  readonly id: string;
  readonly state: RunState;
  /** Undefined when the instance is parked. */
  readonly code: Code | undefined;
  readonly payloads: PayloadReader;
  /** Of the last record that is folded into the state. */
  readonly lastNonce: string | undefined;
  submit(command: Command): Promise<Json>;
}

/** What a driver needs of its runner. */
export interface DriverHost {
  readonly clock: Clock;
  readonly random: Random;
  /** Tells what happens, where somebody may listen. */
  readonly telemetry?: TelemetryProbe | undefined;
  readonly connectors: Connectors;
  readonly storage: Pick<Storage, "load" | "payloads">;
  /** Undefined where nobody else can drive, as in a Durable Object. */
  readonly runner?: Lessee;
  /** A text that no other commit has. */
  nonce(): string;
  /** @throws HephaestusError STORAGE_UNAVAILABLE, STORAGE_FULL: the outcome is unknown then */
  commit(commit: Commit): MaybePromise<CommitResult>;
  readonly registry: Pick<Registry, "find">;
  /** Waits for a place among the steps that may run at once; the answer gives it back. */
  slot(): Promise<() => void> | (() => void);
  /** Takes charge of running some of these steps elsewhere, once for each attempt, and answers which. */
  dispatch?(driver: DrivenInstance, steps: readonly string[]): ReadonlySet<string>;
  /** Whether an attempt of this step may have begun elsewhere: then it is told there that the run is ending. */
  runsElsewhere?(driver: DrivenInstance, step: string): boolean;
  /** A record was committed, or was found to be. */
  committed(driver: DrivenInstance, changes: Changes): void;
  /** Nothing is left to do until `wakeAt`; the driver is not needed any more. */
  rested(driver: DrivenInstance, wakeAt: Timestamp | undefined): void;
  /** Something failed that no caller waits for. */
  failed(driver: DrivenInstance, error: unknown): void;
}
