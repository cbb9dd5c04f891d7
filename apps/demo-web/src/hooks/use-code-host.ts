import { useEffect, useState } from "preact/hooks";
import type { LocalCodeHost } from "../tab/local-code-host.ts";

/** Something that the code host knows, read again when it changes. */
export function useCodeHost<T>(codeHost: LocalCodeHost, read: () => T): T {
  const [, setChanges] = useState(0);
  useEffect(() => codeHost.subscribe(() => setChanges((changes) => changes + 1)), [codeHost]);
  return read();
}
