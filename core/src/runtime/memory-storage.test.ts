import { storageConformance } from "../testing/storage-suite.ts";
import { memoryStorage } from "./memory-storage.ts";

storageConformance("memory", async () => {
  const storage = memoryStorage();
  return { open: async () => storage, reopen: async () => storage };
});
