import { useEffect, useState } from "preact/hooks";

const TICK_MS = 1_000;
const listeners = new Set<(now: number) => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function listen(listener: (now: number) => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    const now = Date.now();
    if (document.visibilityState === "visible") for (const tell of listeners) tell(now);
  }, TICK_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** The time, told once a second to all who show it. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => listen(setNow), []);
  return now;
}
