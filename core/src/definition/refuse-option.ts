import { HephaestusError } from "./errors.ts";

/** @throws HephaestusError OPTION_INVALID that names the field */
export function refuseOption(field: string, why: string): never {
  throw new HephaestusError("OPTION_INVALID", `${field}: ${why}`, { field });
}
