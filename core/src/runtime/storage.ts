import type { Json } from "../definition/json.ts";
import type { Header } from "../engine/header.ts";
import type { Changes, Payloads, Revision, RunStatus, Timestamp } from "../engine/state.ts";
import type { MaybePromise } from "./maybe-promise.ts";

export type { Header };

/**
 * One atomic change of one instance. It succeeds exactly if the record `expected` exists (or `expected` is 0 and the
 * instance has no record at all) and the record `expected + 1` does not: that the key is free is the whole fence, and no revision is stored elsewhere.
 */
export interface Commit {
  readonly id: string;
  readonly run: number;
  readonly expected: Revision;
  /** Names this try of this writer, so that it can recognise its own record after a lost answer. */
  readonly nonce: string;
  readonly changes: Changes;
  readonly payloads?: Payloads;
  /** To be written with the record; the row of (id, run) is replaced. */
  readonly header?: Header;
  /** Acknowledged only when the disk has it; a storage that always waits for that need not look. */
  readonly durability?: "strict";
}

export type CommitResult = "ok" | "conflict";

/** Tells a record from one that another writer put in its place after it was removed. */
export interface RecordName {
  readonly revision: Revision;
  readonly nonce: string;
}

/** A record as it is loaded: without its payloads. */
export interface StoredRecord {
  readonly revision: Revision;
  readonly run: number;
  readonly nonce: string;
  readonly changes: Changes;
}

export interface DueRequest {
  /** Rows whose `wakeAt` is at or before this time. */
  readonly before: Timestamp;
  /** At most this many, soonest first. */
  readonly limit: number;
  /** Only what this runner has the code for. */
  readonly definitions: readonly {
    readonly workflow: string;
    readonly version: number;
    readonly fingerprint: string;
  }[];
}

export interface DueInstance {
  readonly id: string;
  readonly run: number;
  readonly wakeAt: Timestamp;
  readonly owner?: string;
}

/** What `list` takes. All conditions hold together. */
export interface InstanceFilter {
  readonly id?: string;
  readonly key?: string;
  readonly status?: RunStatus | readonly RunStatus[];
  /** The workflow's name: its instances of all versions. */
  readonly workflow?: string;
  /** One version of `workflow`, which must be named too: each workflow counts its own. */
  readonly version?: number;
  readonly tag?: string;
  /** The id of the instance that started them. */
  readonly parent?: string;
  readonly createdAfter?: Timestamp;
  readonly createdBefore?: Timestamp;
  readonly updatedAfter?: Timestamp;
  readonly updatedBefore?: Timestamp;
  /** JSON paths into input, results and metadata: `{ "input.orderId": 123, "metadata.team": { in: ["a", "b"] } }`. */
  readonly where?: Readonly<Record<string, WhereCondition>>;
  /** Newest first unless said otherwise. */
  readonly order?: "newest" | "oldest";
  /** Rows per page; 50 unless said otherwise, at most `PAGE_SIZE_MAX`. */
  readonly limit?: number;
  /** The `next` of the page before. */
  readonly cursor?: string;
}

export type Scalar = string | number | boolean | null;
export type WhereCondition =
  | Scalar
  | {
      readonly in?: readonly Scalar[];
      readonly gt?: string | number;
      readonly gte?: string | number;
      readonly lt?: string | number;
      readonly lte?: string | number;
      readonly exists?: boolean;
      readonly contains?: string;
    };

export const PAGE_SIZE_DEFAULT = 50;
export const PAGE_SIZE_MAX = 500;

/** A header as `list` answers it: without what only runners need, payloads decoded. */
export interface InstanceSummary extends Omit<Header, "owner" | "wakeAt" | "input" | "results"> {
  readonly input?: Json;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  /** Where the next page begins; absent on the last one. */
  readonly next?: string;
}

/** What a storage cannot do is said here; the conformance suite reads it. */
export interface StorageCapabilities {
  /** `query` and `due` answer from header rows. An object's own journal has none: D1 answers for it. */
  readonly headers: boolean;
  /** `query` understands `where`. */
  readonly where: boolean;
}

/**
 * What a runner needs of a place that keeps instances. An implementation only stores: it decides nothing, encodes no
 * payload and knows no workflow. Errors are HephaestusErrors STORAGE_UNAVAILABLE, STORAGE_FULL or STORAGE_CORRUPT;
 * after any of them the outcome of a commit is unknown, and the caller reloads.
 */
export interface Storage {
  readonly capabilities: StorageCapabilities;
  /**
   * The journal of the instance's latest run, in order of revision: all of it, or the records after a revision.
   * Undefined when there is none (with `after`: no record after it is an empty array if the instance exists).
   */
  load(id: string, after?: Revision): Promise<readonly StoredRecord[] | undefined>;
  /**
   * Each commit is atomic by itself; one that conflicts harms no other. At most one per instance in a call. A storage
   * that takes no time, as one in this process's memory, answers without a promise: then nobody waits for a group.
   */
  commit(commits: readonly Commit[]): MaybePromise<readonly CommitResult[]>;
  /** The payloads of these records, in the order asked for; empty for a record without any. */
  payloads(id: string, revisions: readonly Revision[]): Promise<readonly Payloads[]>;
  due(request: DueRequest): Promise<readonly DueInstance[]>;
  query(filter: InstanceFilter): Promise<Page<InstanceSummary>>;
  /**
   * Removes the records of `id` up to and including revision `through`, and the header rows of the runs that ended
   * there (header revision at or below `through`), in steps that do not block: `more` asks for another call.
   * @param standing only while this record stands: what has its id since may be another instance, made anew
   */
  remove(id: string, through: Revision, standing?: RecordName): Promise<{ readonly more: boolean }>;
  /** Tells of instances that another writer changed. Sparing: a missed call costs time, never correctness. */
  watch?(listener: (id: string) => void): () => void;
  /**
   * Tells that this process may have slept, or that its timers were held back: what is due has to be looked for now.
   * Sparing, like `watch`.
   */
  onWake?(listener: () => void): () => void;
  /**
   * Holds the lock by which others know that this owner lives, until it is released or the process is gone. `held`
   * settles before the first commit that names the owner.
   */
  holdOwner?(owner: string): { readonly held: Promise<unknown>; release(): void };
  /**
   * A lock that says earlier than the lease that an owner will not come back. One that is known to live gets more time
   * than its lease; undefined is not known.
   */
  ownerIsDead?(owner: string): Promise<boolean | undefined>;
  close?(): Promise<void>;
}
