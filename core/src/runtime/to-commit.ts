import type { Command } from "../engine/commands.ts";
import type { Decision } from "../engine/decide.ts";
import { toHeader } from "../engine/header.ts";
import type { Changes } from "../engine/state.ts";
import type { Commit } from "./storage.ts";

/** What a decision on these commands is written as. What one caller asks for, those who share the commit get too. */
export function toCommit(
  { draft, payloads, writesHeader }: Decision,
  changes: Changes,
  nonce: string,
  commands: readonly Command[],
): Commit {
  const strict = commands.some((command) => "durability" in command && command.durability === "strict");
  return {
    id: draft.base.id,
    run: draft.run,
    expected: draft.revision - 1,
    nonce,
    changes,
    ...(payloads ? { payloads } : {}),
    ...(writesHeader ? { header: toHeader(draft) } : {}),
    ...(strict ? { durability: "strict" as const } : {}),
  };
}
