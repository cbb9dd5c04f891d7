import { assert } from "../definition/errors.ts";
import type { Json, JsonText } from "../definition/json.ts";
import type { Writable } from "../definition/writable.ts";
import type { Draft } from "./draft.ts";
import { COMMAND_RETENTION_MS } from "./limits.ts";
import type { Revision, RunStatus, StoredError, Timestamp } from "./state.ts";
import { nextTimer } from "./timers.ts";

/**
 * The row that queries and `due` read. It is derived from the journal, written in the same atomic commit, and only
 * when a run starts, comes to rest, ends or renews its lease. Rows are keyed by (id, run).
 */
export interface Header {
  readonly id: string;
  readonly run: number;
  /** The revision of the commit that wrote this row. Says how fresh it is; it is not the fence. */
  readonly revision: Revision;
  readonly workflow: string;
  readonly version: number;
  readonly fingerprint: string;
  readonly status: RunStatus;
  readonly key?: string;
  /** The id of the instance that started this one. */
  readonly parent?: string;
  readonly tags: readonly string[];
  readonly metadata: { readonly [name: string]: Json };
  /** The steps that are active or waiting. */
  readonly current: readonly string[];
  readonly createdAt: Timestamp;
  readonly updatedAt: Timestamp;
  readonly endedAt?: Timestamp;
  readonly error?: StoredError;
  readonly owner?: string;
  /** When a runner must look at it next: the next timer, or the end of the lease while anything can run. */
  readonly wakeAt?: Timestamp;
  /** The workflow's input. Present in the first header of a run; a storage keeps what it has when it is absent. */
  readonly input?: JsonText;
  /** The results that the workflow declared as queryable, by step. Absent ones keep what the storage has. */
  readonly results?: Readonly<Record<string, JsonText>>;
}

const NO_TAGS: Header["tags"] = [];
const NO_METADATA: Header["metadata"] = {};

/** Derives the row from a state and what is being committed on top of it. */
export function toHeader(draft: Draft): Header {
  const { base, now, status, owner, endedAt } = draft;
  const info = draft.info ?? base.info;
  assert(info, "a header is of a run");
  const next = status === "deleted" ? now + COMMAND_RETENTION_MS : owner ? owner.until : nextTimer(draft);
  const wakeAt = draft.lookAt ?? next;
  const error = endedAt !== undefined || status === "compensating" ? draft.ending?.error : undefined;
  const input = draft.info ? draft.payloads?.input : undefined;
  const { key, parent, tags = NO_TAGS, metadata = NO_METADATA } = info;
  const header: Writable<Header> = {
    id: base.id,
    run: info.run,
    revision: draft.revision,
    workflow: info.workflow,
    version: info.version,
    fingerprint: draft.fingerprint,
    status,
    tags,
    metadata,
    current: [...draft.open()],
    createdAt: draft.info ? now : base.createdAt,
    updatedAt: now,
  };
  if (key !== undefined) header.key = key;
  if (parent !== undefined) header.parent = parent;
  if (endedAt !== undefined) header.endedAt = endedAt;
  if (error) header.error = error;
  if (owner) header.owner = owner.id;
  if (wakeAt !== undefined) header.wakeAt = wakeAt;
  if (input !== undefined) header.input = input;
  return header;
}
