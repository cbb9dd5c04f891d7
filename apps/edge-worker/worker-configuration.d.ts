// The types of `env` and `exports` from "cloudflare:workers", as wrangler.jsonc and the secrets bind them.
declare namespace Cloudflare {
  interface GlobalProps {
    mainModule: typeof import("./src/index.ts");
  }
  interface Env {
    readonly ASSETS: Fetcher;
    readonly INSTANCES: DurableObjectNamespace<import("./src/index.ts").WorkflowInstance>;
    readonly DB: D1Database;
    readonly STEPS: Queue<import("@hephaestus/durable-objects").StepMessage>;
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
