import { useEffect, useState } from "preact/hooks";
import type { KeptPage } from "../offline/keep-page.ts";

/** What there is to know about the page itself: that it is offline, that there is a newer one. Mostly nothing. */
export function PageNotice({ page }: { readonly page: KeptPage }) {
  const [{ online, reload }, setState] = useState(page.state);
  useEffect(() => page.subscribe(() => setState(page.state())), [page]);
  return (
    <div class="page-notice" aria-live="polite">
      {reload && (
        <button type="button" class="pill pill-action" onClick={reload}>
          New version: reload
        </button>
      )}
      {!online && (
        <span class="pill" title="Workflows in this tab go on. The edge is told when the network is back.">
          Offline
        </span>
      )}
    </div>
  );
}
