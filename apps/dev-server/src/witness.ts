import { once } from "node:events";
import { appendFileSync } from "node:fs";
import { createServer } from "node:http";

/** One call, as the witness saw it. */
export interface Call {
  readonly at: number;
  /** What the caller named itself by: a step's idempotency key, `<instance>#<run>/<step>`. */
  readonly key: string;
  readonly path: string;
}

/** A server outside of the engine, which remembers who called it, in order. Each call is a line in a file before it is answered. */
export interface Witness {
  readonly url: string;
  readonly calls: readonly Call[];
  /** Adds a line of the harness's own, in the order of the calls. */
  note(path: string, key: string): void;
  close(): void;
}

export interface WitnessOptions {
  /** How long a call takes, in milliseconds, so that there is something to be killed in the middle of. */
  readonly delayMs?: (call: Call) => number;
  /** The status of the answer; 201 unless said otherwise. */
  readonly status?: (call: Call) => number;
}

export async function startWitness(
  file: string,
  { delayMs = () => 0, status = () => 201 }: WitnessOptions = {},
): Promise<Witness> {
  const calls: Call[] = [];
  function note(path: string, key: string): Call {
    const call = { at: Date.now(), key, path };
    calls.push(call);
    appendFileSync(file, `${JSON.stringify(call)}\n`);
    return call;
  }
  appendFileSync(file, "");
  const server = createServer((request, response) => {
    const call = note(request.url ?? "", String(request.headers["idempotency-key"] ?? ""));
    request.resume();
    const answer = () => response.writeHead(status(call), { "content-type": "application/json" }).end("{}");
    const timer = setTimeout(answer, delayMs(call));
    // Nobody waits for the answer any more, and this process need not either.
    response.once("close", () => clearTimeout(timer));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    calls,
    note,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
