import { once } from "node:events";
import { appendFileSync, readFileSync } from "node:fs";
import { createServer } from "node:http";

/** One run of a step, as the code host saw it. */
export interface Sighting {
  readonly at: number;
  /** The step's idempotency key: `<instance>#<run>/<step>`. */
  readonly key: string;
  readonly path: string;
}

/** A stand-in for GitHub's API: the witness outside of the engine. Each call is a line in a file before it is answered. */
export interface FakeGitHub {
  readonly url: string;
  sightings(): readonly Sighting[];
  close(): void;
}

/** @param delayMs how long each call takes, so that there is something to be killed in the middle of */
export async function startFakeGitHub(file: string, delayMs: number): Promise<FakeGitHub> {
  appendFileSync(file, "");
  const server = createServer((request, response) => {
    const key = String(request.headers["idempotency-key"] ?? "");
    appendFileSync(file, `${JSON.stringify({ at: Date.now(), key, path: request.url })}\n`);
    request.resume();
    setTimeout(() => response.writeHead(201, { "content-type": "application/json" }).end("{}"), delayMs);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    sightings: () =>
      readFileSync(file, "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as Sighting),
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
