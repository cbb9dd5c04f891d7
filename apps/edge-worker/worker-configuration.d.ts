// The types of `env` and `exports` from "cloudflare:workers", as wrangler.jsonc binds them.
declare namespace Cloudflare {
  interface GlobalProps {
    mainModule: typeof import("./src/index.ts");
  }
  interface Env {
    readonly ASSETS: Fetcher;
    readonly INSTANCES: DurableObjectNamespace<import("./src/index.ts").WorkflowInstance>;
    readonly DB: D1Database;
    readonly STEPS: Queue<unknown>;
  }
}
