import { HephaestusError, type InstanceChange, type Runner } from "@hephaestus/core";
import { type ObjectApi, type ObjectNamespace, objectOf } from "./object-api.ts";
import { objectName } from "./object-name.ts";
import type { EdgeBindings } from "./options.ts";
import { callObject, fromWire, type Wire } from "./wire.ts";

/**
 * The facade's runner in a Worker: every call goes to the instance's object, lists go to the index.
 * @param namespace the engine's name; engines of other names never see its instances
 */
export function objectRunner({ objects, index }: Pick<EdgeBindings, "objects" | "index">, namespace = ""): Runner {
  const nameOf = (id: string) => objectName({ namespace, id });
  const call = async <T>(id: string, use: (object: ObjectApi) => Promise<Wire<T>>): Promise<T> =>
    fromWire(await callObject(() => objectOf(objects, nameOf(id)), use));
  return {
    start: (id, command) => call(id, (stub) => stub.start(command)),
    send: (id, request) => call(id, (stub) => stub.send(request)),
    read: (id) => call(id, (stub) => stub.read()),
    history: (id) => call(id, (stub) => stub.history()),
    async list(filter) {
      if (index) return index.query(filter);
      throw new HephaestusError("NOT_SUPPORTED", "this engine has no index: lists are not answered");
    },
    subscribe: (id, listener) => listen(objects, nameOf(id), listener),
    // Objects live by themselves: there is nothing here to close.
    async close() {},
  };
}

/** How long to wait before a lost connection is opened again. */
const REOPEN_MS = 1_000;

/** Each connection begins with how the instance stands, so that nothing is missed between two of them. */
function listen(objects: ObjectNamespace, name: string, listener: (change: InstanceChange) => void): () => void {
  let stopped = false;
  let socket: WebSocket | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const reopen = () => {
    if (!stopped) timer = setTimeout(open, REOPEN_MS);
  };
  const open = () => {
    openSocket(objects, name).then((opened) => {
      socket = opened;
      opened.accept();
      if (stopped) return opened.close(1000);
      opened.addEventListener("message", ({ data }) => {
        if (!stopped) listener(JSON.parse(String(data)) as InstanceChange);
      });
      opened.addEventListener("close", reopen);
    }, reopen);
  };
  open();
  return () => {
    stopped = true;
    if (timer !== undefined) clearTimeout(timer);
    socket?.close(1000);
  };
}

async function openSocket(objects: ObjectNamespace, name: string): Promise<WebSocket> {
  const response = await objects.getByName(name).fetch("https://object/changes", { headers: { Upgrade: "websocket" } });
  if (response.webSocket) return response.webSocket;
  throw new HephaestusError("STORAGE_UNAVAILABLE", "the instance's object opened no WebSocket");
}
