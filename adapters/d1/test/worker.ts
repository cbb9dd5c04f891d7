// The types of `env` in the tests.
declare global {
  namespace Cloudflare {
    interface Env {
      readonly DB: D1Database;
      readonly DB2: D1Database;
      readonly DB3: D1Database;
    }
  }
}

/** The tests use the binding; the worker itself answers nothing. */
export default {} satisfies ExportedHandler;
