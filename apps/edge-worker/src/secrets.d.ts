// What `wrangler secret put` may add to the bindings of wrangler.jsonc, which `wrangler types` writes down.
declare namespace Cloudflare {
  interface Env {
    /** Callers of the API name it as a bearer token. Without it only this machine may call. */
    readonly API_TOKEN?: string;
    /** The secret of the GitHub webhook. Without it deliveries are refused. */
    readonly GITHUB_WEBHOOK_SECRET?: string;
    /** Where the code host is called, for example https://api.github.com. Without it calls are only logged. */
    readonly GITHUB_API_URL?: string;
    readonly GITHUB_TOKEN?: string;
    /** Seconds within which lost work is noticed; the engine's own defaults unless given. */
    readonly WATCHDOG_SECONDS?: string;
  }
}
