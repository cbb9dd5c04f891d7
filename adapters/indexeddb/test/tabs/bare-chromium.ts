import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { CHROMIUM_ARGS } from "../../../../scripts/chromium-args.ts";

/** A tab that nobody pretends is in front. */
interface BareTab {
  send(method: string, params?: object): Promise<unknown>;
  /** Runs an expression there; a promise is awaited. */
  evaluate(expression: string): Promise<unknown>;
  /** Waits until an expression is true there. */
  until(expression: string): Promise<void>;
}

export interface BareChromium {
  open(url: string): Promise<BareTab>;
  close(): Promise<void>;
}

interface Answer {
  readonly id?: number;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

const findChromium = fileURLToPath(new URL("../../../../scripts/chromium.mjs", import.meta.url));
const POLL_MS = 50;
const UNANSWERED_MS = 1_000;
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/**
 * Chromium over DevTools' protocol and nothing else. Playwright tells every page that it is in front and has the focus,
 * and a page that is seen is never frozen: `Page.setWebLifecycleState` answers well there and does nothing.
 */
export async function bareChromium(): Promise<BareChromium> {
  const profile = await mkdtemp(join(tmpdir(), "hephaestus-bare-"));
  const executable = execFileSync(process.execPath, [findChromium], { encoding: "utf8" }).trim();
  const options = ["--headless", "--remote-debugging-port=0", `--user-data-dir=${profile}`, "about:blank"];
  const browser = spawn(executable, [...CHROMIUM_ARGS, ...options], { stdio: ["ignore", "ignore", "pipe"] });
  let address: string | undefined;
  for await (const line of createInterface(browser.stderr)) {
    address = /^DevTools listening on (ws:.*)$/.exec(line)?.[1];
    if (address) break;
  }
  browser.stderr.resume();
  const socket = new WebSocket(address ?? "");
  await once(socket, "open");

  let calls = 0;
  const waiting = new Map<number, (answer: Answer) => void>();
  socket.addEventListener("message", ({ data }) => {
    const answer = JSON.parse(String(data)) as Answer;
    waiting.get(answer.id ?? 0)?.(answer);
  });
  function send(method: string, params: object = {}, sessionId?: string): Promise<Record<string, unknown>> {
    const id = ++calls;
    return new Promise((resolve, reject) => {
      waiting.set(id, ({ result = {}, error }) => (error ? reject(new Error(error.message)) : resolve(result)));
      socket.send(JSON.stringify({ id, method, params, ...(sessionId ? { sessionId } : {}) }));
    });
  }

  return {
    async open(url) {
      const { targetId } = await send("Target.createTarget", { url });
      const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
      const inTab = (method: string, params: object = {}) => send(method, params, String(sessionId));
      const evaluate = async (expression: string) => {
        const answer = await inTab("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
        if (answer.exceptionDetails) throw new Error(JSON.stringify(answer.exceptionDetails));
        return (answer.result as { readonly value?: unknown }).value;
      };
      const until = async (expression: string) => {
        // A page that goes away under the question does not answer it.
        const asked = () => Promise.race([evaluate(expression).catch(() => false), pause(UNANSWERED_MS)]);
        while ((await asked()) !== true) await pause(POLL_MS);
      };
      await until("typeof tab === 'object'");
      return { send: inTab, evaluate, until };
    },
    async close() {
      const gone = once(browser, "exit");
      await send("Browser.close").catch(() => browser.kill());
      await gone;
      await rm(profile, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
