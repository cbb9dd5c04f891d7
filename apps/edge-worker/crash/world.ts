import { HephaestusError } from "@hephaestus/core";
import { type Server, type ServerCommand, startServer } from "@hephaestus/dev-server";
import { createClient, type HephaestusClient, HttpError } from "@hephaestus/http/client";

const AGAIN_MS = 100;

/** The server as its clients see it: it dies, and it comes back. */
export interface World {
  /** Calls until it is answered, as any client of a server does that may be killed under the call. */
  call<T>(use: (client: HephaestusClient) => Promise<T>): Promise<T>;
  /** As `call`, for what is not the engine's. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Kills the server a while after it began to start, or after it answered, and starts it again. */
  kill(when: { readonly after: "spawn" | "ready"; readonly ms: number }): Promise<void>;
  ready(): Promise<void>;
  close(): Promise<void>;
}

export function makeWorld(command: ServerCommand): World {
  let server: Server = startServer(command);
  // A server that is killed while it starts is nobody's error; one that ends by itself is found by whoever waits.
  server.ready.catch(() => {});
  const client = createClient({ baseUrl: server.url });

  async function again<T>(use: () => Promise<T>): Promise<T> {
    for (;;) {
      await server.ready;
      try {
        return await use();
      } catch (error) {
        if (!isOutage(error)) throw error;
        await sleep(AGAIN_MS);
      }
    }
  }

  return {
    call: (use) => again(() => use(client)),
    fetch: (path, init) =>
      again(async () => {
        const response = await fetch(server.url + path, init);
        if (response.ok) return response;
        throw new HttpError(response.status, `${path} was answered ${response.status}`);
      }),
    async kill({ after, ms }) {
      if (after === "ready") await server.ready;
      await sleep(ms);
      await server.kill();
      server = startServer(command);
      server.ready.catch(() => {});
    },
    ready: () => server.ready,
    close: () => server.kill(),
  };
}

/** The server was killed under the call, or is not up yet. */
function isOutage(error: unknown): boolean {
  if (error instanceof HttpError) return error.status >= 500;
  return error instanceof TypeError || (error instanceof HephaestusError && error.code === "STORAGE_UNAVAILABLE");
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
