import { type ErrorCode, type ErrorDetails, HephaestusError } from "../definition/errors.ts";
import type { StoredError } from "../engine/state.ts";

const MESSAGE_LENGTH_MAX = 2_000;
const STACK_LENGTH_MAX = 4_000;
const DETAILS_LENGTH_MAX = 4_000;
const CAUSES_MAX = 4;

/** What is kept of anything that was thrown; what throws itself when it is looked at is thrown all the same. */
export function toStoredError(thrown: unknown, depth = 0): StoredError {
  try {
    return storedError(thrown, depth);
  } catch {
    return { name: "Error", message: "an object that cannot be read was thrown" };
  }
}

function storedError(thrown: unknown, depth: number): StoredError {
  if (typeof thrown !== "object" || thrown === null) {
    return { name: "Error", message: cut(String(thrown), MESSAGE_LENGTH_MAX) };
  }
  const { name, message, code, stack, cause } = thrown as Record<string, unknown>;
  return {
    name: typeof name === "string" ? cut(name, 100) : "Error",
    message: cut(
      typeof message === "string" ? message : "an object that is not an Error was thrown",
      MESSAGE_LENGTH_MAX,
    ),
    ...(typeof code === "string" ? { code: cut(code, 100) } : {}),
    ...(typeof stack === "string" ? { stack: cut(stack, STACK_LENGTH_MAX) } : {}),
    ...(cause === undefined || depth >= CAUSES_MAX ? {} : { cause: toStoredError(cause, depth + 1) }),
    ...(thrown instanceof HephaestusError ? detailsOf(thrown) : {}),
  };
}

/** Details are whatever the error was made with; what is no JSON, or too much of it, is left out. */
function detailsOf({ details }: HephaestusError): Pick<StoredError, "details"> {
  try {
    const text = JSON.stringify(details);
    return text.length > DETAILS_LENGTH_MAX ? {} : { details: JSON.parse(text) as ErrorDetails };
  } catch {
    return {};
  }
}

/** An error that came over a wire or out of a storage, as one that can be thrown. */
export function fromStoredError(stored: StoredError): HephaestusError {
  const error = new HephaestusError((stored.code ?? "STEP_FAILED") as ErrorCode, stored.message, stored.details ?? {}, {
    cause: stored.cause,
  });
  return error;
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}
