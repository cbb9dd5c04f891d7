/** Those of the document pass the window on their way. A worker fires none of them but `online`. */
function listen(types: readonly string[], listener: (event: Event) => void): () => void {
  for (const type of types) addEventListener(type, listener, { capture: true });
  return () => {
    for (const type of types) removeEventListener(type, listener, { capture: true });
  };
}

/**
 * Tells when this page or worker may have missed something: it was in the background, where timers are held back, was
 * frozen, lay in the back-forward cache, or had no network.
 */
export function onWake(listener: () => void): () => void {
  return listen(["visibilitychange", "resume", "pageshow", "online"], ({ type }) => {
    // It is told on the way out as well.
    if (type !== "visibilitychange" || document.visibilityState === "visible") listener();
  });
}

/** Tells before the browser stops this page, for a while or for good, and when it goes on. */
export function onSleep(asleep: () => void, awake: () => void): () => void {
  const stops = [listen(["freeze", "pagehide"], asleep), listen(["resume", "pageshow"], awake)];
  return () => {
    for (const stop of stops) stop();
  };
}
