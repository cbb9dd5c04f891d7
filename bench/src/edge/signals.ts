/*
 * How the end of a workflow is seen: its last step rings for its id. All of the worker is one isolate on this machine,
 * so that a ring costs nothing, for every contender alike.
 */
const waiting = new Map<string, () => void>();

/** Resolves when the id is rung for. Asked before the workflow is started. */
export function rung(id: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  waiting.set(id, resolve);
  return promise;
}

export function ring(id: string): void {
  waiting.get(id)?.();
  waiting.delete(id);
}
