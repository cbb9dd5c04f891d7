import { COMMAND_RETENTION_MS } from "../../engine/limits.ts";
import type { Timestamp } from "../../engine/state.ts";
import type { Commit, Header } from "../../runtime/storage.ts";
import { type Account, isOpenStep, isOver, retentionEndOf } from "./account.ts";
import { wakeOf } from "./rules-joins.ts";
import { hold } from "./violation.ts";

/** Checks the row that stands beside the journal after a commit. @throws Violation */
export function checkHeader(account: Account, commit: Commit): void {
  const label = () => `the header of ${account.id} at revision ${commit.expected + 1}`;
  if (commit.header) checkWritten(account, commit, commit.header, label);
  if (account.status === "deleted") return;
  const row = account.header;
  hold(row !== undefined, "header", () => `${account.id} has no header`);
  if (isOver(account.status)) {
    hold(row.status === account.status, "header", () => `${label()} says ${row.status} after the end`);
    const kept = retentionEndOf(account);
    hold(
      row.wakeAt === kept,
      "header",
      () => `${label()} wakes at ${row.wakeAt} what has ended, and is kept until ${kept}`,
    );
    return;
  }
  const { owner, lookAt } = account;
  const looks = lookAt !== undefined && row.wakeAt === lookAt;
  hold(row.owner === owner?.id, "header", () => `${label()} names the owner ${row.owner}, not ${owner?.id}`);
  if (owner) {
    const { until } = owner;
    hold(
      row.wakeAt === until || looks,
      "header",
      () => `${label()} wakes at ${row.wakeAt}, its lease ends at ${until}`,
    );
    return;
  }
  checkCurrent(account, row, label);
  hold(row.status === account.status, "header", () => `${label()} says ${row.status} at rest in ${account.status}`);
  if (looks) return;
  const wake = wakeOf(account);
  hold(wake !== 0, "header", () => `${account.id} has something to do at ${commit.expected + 1}, and no owner`);
  hold(row.wakeAt === wake, "header", () => `${label()} wakes at ${row.wakeAt}, something is due at ${wake}`);
}

/** What a row says as it is written: all that the journal has of it. */
function checkWritten(account: Account, commit: Commit, header: Header, label: () => string): void {
  const { expected, changes, payloads } = commit;
  const { info, ending, status, run } = account;
  const is = <T>(field: string, found: T, expected: T) =>
    hold(found === expected, "header", () => `${label()} has ${field} ${found}, not ${expected}`);
  is("revision", header.revision, expected + 1);
  is("status", header.status, status);
  is("run", header.run, run);
  is("owner", header.owner, account.owner?.id);
  is("updatedAt", header.updatedAt, changes.at);
  if (status === "deleted") {
    is("wakeAt", header.wakeAt, changes.at + COMMAND_RETENTION_MS);
    return;
  }
  is("workflow", header.workflow, info?.workflow);
  is("version", header.version, info?.version);
  is("fingerprint", header.fingerprint, account.fingerprint);
  is("key", header.key, info?.key);
  is("createdAt", header.createdAt, beganAt(account));
  is("endedAt", header.endedAt, isOver(status) ? account.ends.get(run) : undefined);
  is("error", header.error?.message, ending?.error?.message);
  if (changes.run) is("input", header.input, payloads?.input);
  checkCurrent(account, header, label);
}

function beganAt({ records, firstRevision }: Account): Timestamp | undefined {
  return records.get(firstRevision)?.changes.at;
}

function checkCurrent({ steps }: Account, row: Header, label: () => string): void {
  const open: string[] = [];
  for (const [name, step] of steps) if (isOpenStep(step)) open.push(name);
  const isSame = row.current.length === open.length && open.every((name) => row.current.includes(name));
  hold(isSame, "header", () => `${label()} names ${row.current}, not ${open}`);
}
