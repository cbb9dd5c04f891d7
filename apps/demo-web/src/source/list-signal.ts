import type { InstanceSource } from "./instance-source.ts";

/** A source that also says when its list may have changed: whenever one of its instances was touched or is heard of. */
export interface ListedSource extends InstanceSource {
  subscribeList(changed: () => void): () => void;
}

/** Adds the signal: what this page does, and what it hears of the instance that it shows, it need not wait for. */
export function withListSignal(source: InstanceSource): ListedSource {
  const listeners = new Set<() => void>();
  const tell = () => {
    for (const listener of listeners) listener();
  };
  return {
    ...source,
    start: (workflow, key, input) => source.start(workflow, key, input).finally(tell),
    send: (id, event, payload) => source.send(id, event, payload).finally(tell),
    act: (id, action) => source.act(id, action).finally(tell),
    subscribe: (id, changed) =>
      source.subscribe(id, () => {
        changed();
        tell();
      }),
    subscribeList(changed) {
      listeners.add(changed);
      return () => listeners.delete(changed);
    },
  };
}
