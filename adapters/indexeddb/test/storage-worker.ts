import type { Commit } from "@hephaestus/core";
import { holdOwnerLock, indexedDbStorage, persistentStorage } from "../src/index.ts";

// A dedicated worker: no window, no document. It commits what it is sent and holds a lock until it is terminated.
addEventListener("message", async ({ data }: MessageEvent<{ name: string; owner: string; commits: Commit[] }>) => {
  const { name, owner, commits } = data;
  const storage = indexedDbStorage({ name });
  const held = await holdOwnerLock(owner, { name }).held;
  const results = await storage.commit(commits);
  const loaded = await storage.load(commits[0]?.id ?? "");
  postMessage({ held, results, loaded: loaded?.length, persistent: (await persistentStorage()).outcome });
});
