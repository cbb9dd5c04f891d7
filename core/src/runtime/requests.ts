import type { Json } from "../definition/json.ts";
import type { Command, Reply } from "../engine/commands.ts";
import type { Code } from "./registry.ts";

/** A command that somebody waits for. */
export interface Request {
  readonly command: Command;
  /** Of a start: the code of the new run. */
  readonly code: Code | undefined;
  readonly resolve: (value: Json) => void;
  readonly reject: (error: unknown) => void;
}

/** One commit holds at most about this much of payloads, in UTF-16 units, or one command that is larger. */
const COMMIT_LENGTH_MAX = 950_000;

/** Takes what shares the next commit off a queue. */
export function takeBatch(queue: Request[]): Request[] {
  if (queue.length === 1 || isAlone(queue[0] as Request)) return queue.splice(0, 1);
  let count = 0;
  let length = 0;
  for (const request of queue) {
    length += lengthOf(request.command);
    if (isAlone(request) || (count > 0 && length > COMMIT_LENGTH_MAX)) break;
    count += 1;
  }
  return queue.splice(0, count);
}

/** A start begins on an empty state, and an adoption under another graph. */
function isAlone({ command: { type } }: Request): boolean {
  return type === "start" || type === "adopt";
}

/** The code of an error, whatever it is. */
export function codeOf(error: unknown): unknown {
  return (error as { readonly code?: unknown } | undefined)?.code;
}

/** Tells every asker what the engine replied. */
export function answer(batch: readonly Request[], replies: readonly Reply[]): void {
  for (let index = 0; index < batch.length; index++) {
    const { resolve, reject } = batch[index] as Request;
    const reply = replies[index];
    if (reply?.error) reject(reply.error);
    else resolve(reply?.value ?? null);
  }
}

/** Those who asked from outside are told of the error; what is left is the driver's own. */
export function rejectCallers(batch: readonly Request[], error: unknown): readonly Request[] {
  rejectAll(
    batch.filter((request) => !isOwn(request)),
    error,
  );
  return batch.filter(isOwn);
}

/** What the driver's own attempts told is dropped; what is left was asked from outside. */
export function ignoreOwn(batch: readonly Request[]): readonly Request[] {
  for (const request of batch) if (isOwn(request)) request.resolve("ignored");
  return batch.filter((request) => !isOwn(request));
}

function isOwn({ command }: Request): boolean {
  return !("commandId" in command);
}

export function rejectAll(batch: readonly Request[], error: unknown): void {
  for (const { reject } of batch) reject(error);
}

function lengthOf(command: Command): number {
  if (command.type === "outcome") return command.result?.length ?? 0;
  if (command.type === "event") return command.payload?.length ?? 0;
  return command.type === "checkpoint" ? (command.value?.length ?? 0) : 0;
}
