/** Places for steps that run at once; who comes when all are taken waits in line. */
export interface Slots {
  /** Answers at once when a place is free. The answer gives it back, once. */
  take(): Promise<() => void> | (() => void);
}

export function makeSlots(count: number): Slots {
  let free = count;
  const waiting: ((release: () => void) => void)[] = [];
  function release(): void {
    const next = waiting.shift();
    if (next) next(release);
    else free += 1;
  }
  return {
    take() {
      if (free > 0) {
        free -= 1;
        return release;
      }
      return new Promise((resolve) => {
        waiting.push(resolve);
      });
    },
  };
}
