import { useEffect, useState } from "preact/hooks";
import type { SourceName } from "./source/instance-source.ts";

/** What the page shows, kept in the address, so that a reload shows it again. */
export type Route =
  | { readonly view: "list" | "new"; readonly source: SourceName }
  | { readonly view: "instance"; readonly source: SourceName; readonly id: string };

function parseRoute(hash: string): Route {
  const [, first, view, id] = hash.split("/");
  const source: SourceName = first === "edge" ? "edge" : "tab";
  if (view === "new") return { view, source };
  if (view === "instances" && id) {
    try {
      return { view: "instance", source, id: decodeURIComponent(id) };
    } catch {
      // Not an address of ours.
    }
  }
  return { view: "list", source };
}

export function hrefOf(route: Route): string {
  const base = `#/${route.source}`;
  if (route.view === "instance") return `${base}/instances/${encodeURIComponent(route.id)}`;
  return route.view === "new" ? `${base}/new` : base;
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  useEffect(() => {
    const changed = () => setRoute(parseRoute(location.hash));
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return route;
}
