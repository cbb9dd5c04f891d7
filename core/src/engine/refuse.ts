import { HephaestusError } from "../definition/errors.ts";
import type { Draft } from "./draft.ts";

/** @throws HephaestusError STATUS_REFUSES with the status found */
export function refuseStatus(draft: Draft, what: string): never {
  const { id } = draft.base;
  throw new HephaestusError("STATUS_REFUSES", `${id} is ${draft.status}: it refuses ${what}`, {
    id,
    status: draft.status,
  });
}

export function notFound(id: string): HephaestusError {
  return new HephaestusError("INSTANCE_NOT_FOUND", `there is no instance ${id}`, { id });
}
