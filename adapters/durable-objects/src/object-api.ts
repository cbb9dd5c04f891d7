import type {
  AttemptInput,
  AttemptReport,
  HistoryEntry,
  InstanceRequest,
  InstanceView,
  Json,
  JsonText,
  StartCommand,
  StartReply,
} from "@hephaestus/core";
import type { Wire } from "./wire.ts";

/**
 * The binding of the objects' class. Named by what is used of it: the platform's own type computes the types of all
 * calls, which does not end for recursive JSON.
 */
export interface ObjectNamespace {
  getByName(name: string): { fetch(url: string, init?: RequestInit): Promise<Response> };
}

/** The object of that name, to be called. */
export function objectOf(objects: ObjectNamespace, name: string): ObjectApi {
  return objects.getByName(name) as unknown as ObjectApi;
}

/** One attempt of one step, by its token. */
export interface AttemptToken {
  readonly run: number;
  readonly step: string;
  readonly attempt: number;
}

/**
 * A consumer's answer to a claim: what to run, in the order asked for; "later" for what is to be claimed once these are
 * reported; undefined for what is not to be run.
 */
export type ClaimAnswer = readonly (AttemptInput | "later" | undefined)[];

/** What can be called on an instance's object. All of it is idempotent, and plain JSON but for the promise. */
export interface ObjectApi {
  start(command: StartCommand): Promise<Wire<StartReply>>;
  send(request: InstanceRequest): Promise<Wire<Json>>;
  read(): Promise<Wire<InstanceView | undefined>>;
  history(): Promise<Wire<readonly HistoryEntry[]>>;
  /** Does what is due, as its alarm would have. @returns the latest run; 0 where there is no instance */
  look(): Promise<Wire<number>>;
  /** Gives a queue consumer what it needs to run these attempts, as far as they are current and nobody else's. */
  claim(tokens: readonly AttemptToken[], definitions: Definitions): Promise<Wire<ClaimAnswer>>;
  /** Keeps claims alive; answers which of the attempts are still wanted. */
  heartbeat(tokens: readonly AttemptToken[]): Promise<Wire<readonly boolean[]>>;
  /** Records how attempts ended: one commit. */
  report(run: number, reports: readonly AttemptReport[]): Promise<Wire<readonly ("recorded" | "ignored")[]>>;
  checkpoint(token: AttemptToken, name: string, value: JsonText | undefined): Promise<Wire<Json>>;
}

/** The code that a consumer has: work of another fingerprint is given back. */
export type Definitions = readonly {
  readonly workflow: string;
  readonly version: number;
  readonly fingerprint: string;
}[];
