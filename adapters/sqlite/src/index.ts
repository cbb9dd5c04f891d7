export { storageError } from "./errors.ts";
export { type InstanceIndex, instanceIndex } from "./instance-index.ts";
export {
  MIGRATIONS,
  type MigrateOptions,
  type Migration,
  type MigrationFile,
  migrate,
  migrationFiles,
  pendingMigrations,
  readMigrations,
} from "./migrations.ts";
export type { Overdue, OverdueRequest } from "./overdue.ts";
export type { BatchOptions, Row, SqlPort, SqlValue, Statement } from "./port.ts";
export { type SqlStorageOptions, sqlStorage } from "./storage.ts";
export { compareKept } from "./text.ts";
