import { HephaestusError } from "../definition/errors.ts";
import { encodePayload, type Json } from "../definition/json.ts";
import { INSTANCE_ID_LENGTH_MAX, instanceIdOf } from "../definition/key.ts";
import { refuseOption } from "../definition/refuse-option.ts";
import { assertTags } from "../definition/validate.ts";
import type { Writable } from "../definition/writable.ts";
import type { StartCommand } from "../engine/commands.ts";
import { COMMAND_ID_LENGTH_MAX } from "../engine/limits.ts";
import type { Code } from "./registry.ts";

/** What can be asked of any command. */
export interface CommandOptions {
  /** Names this command: the same id again is answered like the first, and does nothing. */
  readonly id?: string;
  /**
   * `strict`: answered only when the disk has it, so that even a crash of the machine loses nothing of it. Otherwise as
   * the storage does it; only IndexedDB makes a difference.
   */
  readonly durability?: "strict";
}

export interface StartOptions extends CommandOptions {
  readonly tags?: readonly string[];
  readonly metadata?: { readonly [name: string]: Json };
  /** The id of the instance that starts this one: `list({ parent })` finds it by that. */
  readonly parent?: string;
  /** Told with every telemetry event of the run: a request id, a trace. */
  readonly telemetry?: { readonly [name: string]: Json };
  /** Of several versions of the workflow, this one. */
  readonly version?: number;
}

/**
 * A command's id, given or made, and how its commit is to be kept.
 * @throws HephaestusError OPTION_INVALID
 */
export function commandOf(
  { id, durability }: CommandOptions,
  newId: () => string,
): Pick<StartCommand, "commandId" | "durability"> {
  const commandId = id ?? newId();
  if (typeof commandId !== "string" || commandId.length === 0 || commandId.length > COMMAND_ID_LENGTH_MAX) {
    refuseOption("id", `1 to ${COMMAND_ID_LENGTH_MAX} characters`);
  }
  if (durability === undefined) return { commandId };
  if (durability === "strict") return { commandId, durability };
  return refuseOption("durability", '"strict", or not given');
}

/** @throws HephaestusError OPTION_INVALID */
export function checkId(id: unknown, field = "id"): string {
  if (typeof id === "string" && id.length > 0 && id.length <= INSTANCE_ID_LENGTH_MAX) return id;
  return refuseOption(field, `1 to ${INSTANCE_ID_LENGTH_MAX} characters`);
}

/**
 * The id of the instance that a start means. Where no key says it, the start's own id does: sent again, it finds what it
 * started.
 * @throws HephaestusError KEY_INVALID
 */
export function startedId({ definition, graph }: Code, key: string | undefined, start: string): string {
  if (key !== undefined) return instanceIdOf(definition, key, start);
  if (definition.unique === undefined) return `${graph.workflow}/${start}`;
  const message = `workflow ${graph.workflow} needs a key: ${definition.unique.key}`;
  throw new HephaestusError("KEY_INVALID", message, { field: "key" });
}

/**
 * What a run is from its start on: its workflow's options and the caller's.
 * @throws HephaestusError OPTION_INVALID, NOT_JSON, LIMIT_EXCEEDED
 */
export function runInfo(
  { definition, graph }: Code,
  key: string | undefined,
  given: StartOptions,
): StartCommand["info"] {
  const { workflow, version, fingerprint } = graph;
  const info: Writable<StartCommand["info"]> = { workflow, version, fingerprint };
  if (key !== undefined) info.key = key;
  if (given.parent !== undefined) info.parent = checkId(given.parent, "parent");
  if (definition.tags || given.tags) {
    if (given.tags) assertTags(given.tags);
    const tags = [...new Set([...(definition.tags ?? []), ...(given.tags ?? [])])];
    assertTags(tags);
    if (tags.length > 0) info.tags = tags;
  }
  if (definition.metadata || given.metadata) {
    assertRecord(given.metadata, "metadata");
    const metadata = { ...definition.metadata, ...given.metadata };
    encodePayload(metadata, "metadata");
    if (Object.keys(metadata).length > 0) info.metadata = metadata;
  }
  if (given.telemetry) {
    assertRecord(given.telemetry, "telemetry");
    encodePayload(given.telemetry, "telemetry");
    info.telemetry = given.telemetry;
  }
  return info;
}

/** What looks like an object of names with values, and not like a list or a text that would be spread into one. */
function assertRecord(value: unknown, field: string): void {
  if (value && (typeof value !== "object" || Array.isArray(value))) refuseOption(field, "an object");
}
