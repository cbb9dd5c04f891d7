import { useCallback, useEffect, useRef, useState } from "preact/hooks";

export interface Polled<T> {
  /** The last answer; it stays while later ones fail. */
  readonly value?: T;
  /** Why the last try failed. */
  readonly error?: unknown;
  refresh(): void;
}

const FAILED_WAIT_MS_MAX = 30_000;

/**
 * Reads something again and again while the page is visible, more seldom while it fails.
 * @param key names what is read: another key forgets the answer and begins anew
 */
export function usePolled<T>(
  key: string,
  load: () => Promise<T>,
  intervalMs: number,
  subscribe?: (changed: () => void) => () => void,
): Polled<T> {
  const [state, setState] = useState<{ readonly key: string; readonly value?: T; readonly error?: unknown }>({ key });
  const current = useRef({ load, subscribe });
  current.current = { load, subscribe };
  const poll = useRef(() => {});

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let unsubscribe: (() => void) | undefined;
    let gone = false;
    let loading = false;
    let again = false;
    let failures = 0;

    async function read(): Promise<void> {
      clearTimeout(timer);
      again = loading;
      if (loading || gone) return;
      loading = true;
      try {
        const value = await current.current.load();
        failures = 0;
        if (gone) return;
        setState({ key, value });
        // Not before there is something: a stream from where nobody answers would only fail.
        unsubscribe ??= current.current.subscribe?.(next);
      } catch (error) {
        failures += 1;
        if (gone) return;
        setState((before) => ({
          key,
          error,
          ...(before.key === key && before.value !== undefined ? { value: before.value } : {}),
        }));
      } finally {
        loading = false;
      }
      if (again) next();
      else if (document.visibilityState === "visible") {
        timer = setTimeout(next, Math.min(intervalMs * 2 ** failures, Math.max(intervalMs, FAILED_WAIT_MS_MAX)));
      }
    }

    const next = () => void read();
    poll.current = next;
    next();
    document.addEventListener("visibilitychange", next);
    return () => {
      gone = true;
      clearTimeout(timer);
      unsubscribe?.();
      document.removeEventListener("visibilitychange", next);
    };
  }, [key, intervalMs]);

  const refresh = useCallback(() => poll.current(), []);
  return state.key === key ? { ...state, refresh } : { refresh };
}
