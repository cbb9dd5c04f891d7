import type { RunStatus } from "../../engine/state.ts";
import type { InstanceView } from "../../runtime/instance-view.ts";
import { memoryStorage } from "../../runtime/memory-storage.ts";
import type { Commit, Storage } from "../../runtime/storage.ts";

/** A commit as a storage got it. */
export type KeptCommit = Commit;

/** What a golden file holds: an instance as one version of Hephaestus stored it. */
export interface GoldenFile {
  readonly format: number;
  readonly scenario: string;
  readonly id: string;
  readonly commits: readonly KeptCommit[];
  /** What callers saw of it. */
  readonly view: InstanceView | null;
  /** What it comes to when it goes on. */
  readonly ends: RunStatus;
}

/** A storage that remembers each commit that it made. */
export function keepingStorage(): { readonly storage: Storage; readonly commits: KeptCommit[] } {
  const memory = memoryStorage();
  const commits: KeptCommit[] = [];
  const commit: Storage["commit"] = async (asked) => {
    const results = await memory.commit(asked);
    asked.forEach((one, index) => {
      if (results[index] === "ok") commits.push(one);
    });
    return results;
  };
  return { storage: { ...memory, commit }, commits };
}

/** A storage that holds what a golden file does. */
export async function restore({ commits }: Pick<GoldenFile, "commits">): Promise<Storage> {
  const storage = memoryStorage();
  for (const commit of commits) {
    const [result] = await storage.commit([commit]);
    if (result !== "ok") throw new Error(`the golden file is broken at revision ${commit.expected + 1}`);
  }
  return storage;
}
