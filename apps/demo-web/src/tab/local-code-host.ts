import type { CodeHost } from "@hephaestus/example-workflows";

/** A call that a step made: a witness of when each step was begun, that outlives the page. */
export interface CodeHostCall {
  readonly method: keyof CodeHost;
  readonly detail: string;
  /** The same on every attempt of a step in a run: `<instance>#<run>/<step>`. */
  readonly idempotencyKey: string;
  /** The life of the page in which it was made. */
  readonly page: string;
  readonly startedAt: number;
  /** Absent while it is under way, and for ever when its page went away under it. */
  readonly endedAt?: number;
  readonly outcome?: "done" | "repeated" | "refused";
}

interface CodeHostSettings {
  /** How long each call takes, in milliseconds: time enough to watch it, and to reload in the middle of it. */
  readonly callMs: number;
  /** Whether it refuses every call, so that one can watch steps being tried again. */
  readonly down: boolean;
}

/** A code host that exists only in this browser. */
export interface LocalCodeHost {
  readonly connector: CodeHost;
  readonly page: string;
  calls(): readonly CodeHostCall[];
  settings(): CodeHostSettings;
  configure(settings: Partial<CodeHostSettings>): void;
  subscribe(changed: () => void): () => void;
}

export const CALLS_KEY = "hephaestus-demo:calls";
const SETTINGS_KEY = "hephaestus-demo:code-host";
/** Calls that are remembered: older ones make room. */
const CALLS_MAX = 500;
const DEFAULTS: CodeHostSettings = { callMs: 1_500, down: false };

export function localCodeHost(store: Storage = localStorage): LocalCodeHost {
  const page = crypto.randomUUID();
  const listeners = new Set<() => void>();

  const calls = () => read<readonly CodeHostCall[]>(store, CALLS_KEY) ?? [];
  const settings = () => ({ ...DEFAULTS, ...read<Partial<CodeHostSettings>>(store, SETTINGS_KEY) });

  function write(key: string, value: unknown): void {
    store.setItem(key, JSON.stringify(value));
    for (const listener of listeners) listener();
  }

  /** Like a real one with idempotency keys: it takes a key once, and answers the second call as it did the first. */
  async function call(method: keyof CodeHost, idempotencyKey: string, detail: string): Promise<void> {
    const begun: CodeHostCall = { method, detail, idempotencyKey, page, startedAt: Date.now() };
    write(CALLS_KEY, [...calls(), begun].slice(-CALLS_MAX));
    await new Promise((resolve) => setTimeout(resolve, settings().callMs));
    const known = calls().some((one) => one.idempotencyKey === idempotencyKey && one.outcome === "done");
    const refused = settings().down;
    const ended: CodeHostCall = {
      ...begun,
      endedAt: Date.now(),
      outcome: refused ? "refused" : known ? "repeated" : "done",
    };
    write(
      CALLS_KEY,
      calls().map((one) => (isSame(one, begun) ? ended : one)),
    );
    if (refused) throw new Error("the code host is down");
  }

  return {
    page,
    calls,
    settings,
    connector: {
      setStatus: (_pull, state, description, key) => call("setStatus", key, `${state}: ${description}`),
      addLabels: (_pull, labels, key) => call("addLabels", key, labels.join(", ")),
      requestReviewers: (_pull, reviewers, key) => call("requestReviewers", key, reviewers.join(", ")),
      comment: (_pull, text, key) => call("comment", key, text),
    },
    configure: (changed) => write(SETTINGS_KEY, { ...settings(), ...changed }),
    subscribe(changed) {
      listeners.add(changed);
      // Told of what other tabs write.
      const foreign = (event: StorageEvent) => event.storageArea === store && changed();
      addEventListener("storage", foreign);
      return () => {
        listeners.delete(changed);
        removeEventListener("storage", foreign);
      };
    },
  };
}

function isSame(one: CodeHostCall, other: CodeHostCall): boolean {
  return one.page === other.page && one.idempotencyKey === other.idempotencyKey && one.startedAt === other.startedAt;
}

function read<T>(store: Storage, key: string): T | undefined {
  try {
    return JSON.parse(store.getItem(key) ?? "null") ?? undefined;
  } catch {
    // Something else wrote there: as if nothing had.
    return undefined;
  }
}
