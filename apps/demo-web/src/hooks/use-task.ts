import { useCallback, useState } from "preact/hooks";

export interface Task<T> {
  readonly busy: boolean;
  /** What the last one answered. */
  readonly value?: T;
  /** Why the last one failed. */
  readonly error?: unknown;
  /** Does something that the user asked for; its outcome is shown where it was asked. */
  run(work: () => Promise<T>): void;
}

export function useTask<T = void>(): Task<T> {
  const [state, setState] = useState<Omit<Task<T>, "run">>({ busy: false });
  const run = useCallback((work: () => Promise<T>) => {
    setState({ busy: true });
    work().then(
      (value) => setState({ busy: false, value }),
      (error: unknown) => setState({ busy: false, error }),
    );
  }, []);
  return { ...state, run };
}
