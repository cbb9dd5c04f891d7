import type { Writable } from "../definition/writable.ts";
import type { Decision } from "../engine/decide.ts";
import { toHeader } from "../engine/header.ts";
import type { Changes } from "../engine/state.ts";
import type { Request } from "./requests.ts";
import type { Commit } from "./storage.ts";

/** What a decision on these requests is written as. What one caller asks for, those who share the commit get too. */
export function toCommit(
  { draft, payloads, writesHeader }: Decision,
  changes: Changes,
  nonce: string,
  batch: readonly Request[],
): Commit {
  const { base, run, revision } = draft;
  const commit: Writable<Commit> = { id: base.id, run, expected: revision - 1, nonce, changes };
  if (payloads) commit.payloads = payloads;
  if (writesHeader) commit.header = toHeader(draft);
  if (batch.some(isStrict)) commit.durability = "strict";
  return commit;
}

function isStrict({ command }: Request): boolean {
  return "durability" in command && command.durability === "strict";
}
