import type { HistoryEntry, InstanceView } from "@hephaestus/core";
import type { Call } from "@hephaestus/dev-server";

/** Runs of a step that began after its result had been acknowledged: there must be none. */
export function findRestarts(
  calls: readonly Call[],
  instances: readonly { readonly view: InstanceView; readonly history: readonly HistoryEntry[] }[],
): string[] {
  const acknowledged = new Map<string, number>();
  for (const { view, history } of instances) {
    for (const entry of history) {
      if (entry.type !== "step" || entry.status !== "completed") continue;
      acknowledged.set(`${view.id}#${view.run}/${entry.step}`, entry.at);
    }
  }
  const known = new Set(instances.map(({ view }) => `${view.id}#${view.run}`));
  return calls.flatMap(({ key, at }) => {
    if (!known.has(key.slice(0, key.lastIndexOf("/")))) return [`the witness saw ${key}, which nobody started`];
    const since = acknowledged.get(key);
    return since !== undefined && at > since ? [`${key} began ${at - since} ms after its result was acknowledged`] : [];
  });
}
