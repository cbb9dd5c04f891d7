import type { Changes, Revision } from "../engine/state.ts";
import type { Commit, Header, Storage } from "../runtime/storage.ts";

/** One writer's connection to the place under test. Two writers share the place and nothing else. */
export interface StorageLane {
  /** Opens a writer on a place that is empty for this test: its ids are unique, or the place is new. */
  open(): Promise<Storage>;
  /** A second writer on the same place. */
  reopen(): Promise<Storage>;
  /** Ids of this test begin with it, where the place is shared by several tests. */
  readonly prefix?: string;
}

/** A commit with a recognisable record. */
export function commitOf(id: string, expected: Revision, over: Partial<Commit> = {}): Commit {
  const changes: Changes = {
    at: 1_000 + expected,
    steps: { [`s${expected}`]: { status: "completed", event: "done" } },
  };
  return { id, run: 1, expected, nonce: `n${expected}`, changes, ...over };
}

export function headerOf(id: string, over: Partial<Header> = {}): Header {
  return {
    id,
    run: 1,
    revision: 1,
    workflow: "flow",
    version: 1,
    fingerprint: "f1",
    status: "running",
    tags: [],
    metadata: {},
    current: [],
    createdAt: 1_000,
    updatedAt: 1_000,
    ...over,
  };
}
