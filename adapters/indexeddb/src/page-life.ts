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

/**
 * Tells before the browser stops this page for a while, frozen or in the back-forward cache, and when it goes on. What
 * it holds then is held against every other page: nobody could take back a lock or end a transaction there.
 */
export function onSleep(fallAsleep: () => void, wakeUp: () => void): () => void {
  let asleep = false;
  const stops = [
    listen(["freeze", "pagehide"], (event) => {
      // One that is going for good takes everything with it.
      if (asleep || (event.type === "pagehide" && !(event as PageTransitionEvent).persisted)) return;
      asleep = true;
      fallAsleep();
    }),
    // A page that was just loaded is shown, too.
    listen(["resume", "pageshow"], () => {
      if (!asleep) return;
      asleep = false;
      wakeUp();
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
