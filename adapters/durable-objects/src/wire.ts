import { fromStoredError, HephaestusError, type StoredError, toStoredError } from "@hephaestus/core";

/** What an object answers: a value or an error as plain data, since errors lose their class and fields over RPC. */
export type Wire<T> = { readonly value: T; readonly error?: undefined } | { readonly error: StoredError };

/** Runs a method of the object and puts its end on the wire. What is not ours is thrown: the platform retries it. */
export async function toWire<T>(run: () => Promise<T>): Promise<Wire<T>> {
  try {
    return { value: await run() };
  } catch (error) {
    if (error instanceof HephaestusError) return { error: toStoredError(error) };
    throw error;
  }
}

/** @throws HephaestusError */
export function fromWire<T>(wire: Wire<T>): T {
  if (wire.error) throw fromStoredError(wire.error);
  return wire.value;
}

/** How often a call is tried again that failed on the way, each time with a fresh stub. */
const CALL_RETRIES = 3;

/**
 * Calls an object, again when the platform says that the call may be repeated. Every call is idempotent: commands
 * carry an id, reports a token.
 *
 * @throws HephaestusError STORAGE_UNAVAILABLE when the object cannot be reached
 */
export async function callObject<Stub, T>(getStub: () => Stub, call: (stub: Stub) => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await call(getStub());
    } catch (error) {
      const { retryable, overloaded } = error as { readonly retryable?: boolean; readonly overloaded?: boolean };
      if (retryable && !overloaded && tries < CALL_RETRIES) continue;
      throw new HephaestusError("STORAGE_UNAVAILABLE", "the instance's object did not answer", {}, { cause: error });
    }
  }
}
