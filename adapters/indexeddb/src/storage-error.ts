import { HephaestusError } from "@hephaestus/core";

/** Why the storage could not be used, as `details.reason` says beside the names of DOMExceptions. */
export type UnavailableReason = "closed" | "blocked";

export function unavailable(reason: UnavailableReason, message: string): HephaestusError {
  return new HephaestusError("STORAGE_UNAVAILABLE", message, { reason });
}

/** What a storage may throw, made of what IndexedDB throws. `details.reason` is the name of the DOMException. */
export function storageError(error: unknown): HephaestusError {
  if (error instanceof HephaestusError) return error;
  const reason = nameOf(error);
  const options = { cause: error };
  switch (reason) {
    case "QuotaExceededError":
      return new HephaestusError("STORAGE_FULL", "the browser gives this site no more space", { reason }, options);
    case "NotReadableError":
    case "DataError":
      return new HephaestusError("STORAGE_CORRUPT", "the browser cannot read what it stored", { reason }, options);
    case "VersionError":
      return new HephaestusError(
        "STORAGE_UNAVAILABLE",
        "newer code has changed the database: load the page again",
        { reason },
        options,
      );
    default:
      return new HephaestusError("STORAGE_UNAVAILABLE", `IndexedDB failed: ${String(error)}`, { reason }, options);
  }
}

/** Whether a new connection may help: the old one is closing, was torn down, or lost its server. */
export function isLost(error: unknown): boolean {
  return ["InvalidStateError", "AbortError", "UnknownError"].includes(nameOf(error));
}

function nameOf(error: unknown): string {
  return error instanceof Error || error instanceof DOMException ? error.name : "unknown";
}
