import { type MaybePromise, whenThere } from "./maybe-promise.ts";
import type { Commit, CommitResult, Storage } from "./storage.ts";

interface Waiting {
  readonly commit: Commit;
  readonly resolve: (result: CommitResult) => void;
  readonly reject: (error: unknown) => void;
}

/** How many commits share one call of the storage at most. */
const GROUP_SIZE_MAX = 256;
/** How much of payloads and changes one group holds at most, roughly, in UTF-16 units. */
const GROUP_LENGTH_MAX = 4_000_000;

/**
 * Group commit: the commits of many instances that are ready together go to the storage in one call, while the call
 * before is under way. Each still succeeds or conflicts by itself.
 */
export function commitQueue(storage: Pick<Storage, "commit">): (commit: Commit) => MaybePromise<CommitResult> {
  const waiting: Waiting[] = [];
  let busy = false;
  /** The storage was seen to take no time. */
  let isImmediate = false;

  async function flush(): Promise<void> {
    busy = true;
    while (waiting.length > 0) {
      const group = takeGroup(waiting);
      try {
        const answered = storage.commit(group.map(({ commit }) => commit));
        isImmediate = !(answered instanceof Promise);
        const results = await answered;
        group.forEach(({ resolve }, index) => {
          resolve(results[index] as CommitResult);
        });
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    busy = false;
  }

  return (commit) => {
    if (isImmediate && !busy) return whenThere(storage.commit([commit]), ([result]) => result as CommitResult);
    return new Promise((resolve, reject) => {
      waiting.push({ commit, resolve, reject });
      // Whatever is submitted in this turn joins the group.
      if (!busy) {
        busy = true;
        queueFlush(flush);
      }
    });
  };
}

function queueFlush(flush: () => Promise<void>): void {
  void Promise.resolve().then(flush);
}

function takeGroup(waiting: Waiting[]): Waiting[] {
  let count = 0;
  let length = 0;
  while (count < waiting.length && count < GROUP_SIZE_MAX) {
    const { payloads } = (waiting[count] as Waiting).commit;
    for (const name in payloads) length += (payloads[name] as string).length;
    if (count > 0 && length > GROUP_LENGTH_MAX) break;
    count += 1;
  }
  return waiting.splice(0, count);
}
