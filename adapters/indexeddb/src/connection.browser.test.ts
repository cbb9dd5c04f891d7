import { commitOf } from "@hephaestus/core/testing/conformance";
import { deleteDB, openDB } from "idb";
import { afterEach, describe, expect, it, vi } from "vitest";
import { fresh, opened } from "../test/fresh.ts";
import { BLOCKED_WAIT_MS, connect, TRIES_MAX } from "./connection.ts";
import { databaseName } from "./options.ts";
import { UPGRADES } from "./schema.ts";

describe("the connection", () => {
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it("lets another connection delete the database, and opens a new one afterwards", async () => {
    const onOutdated = vi.fn();
    const options = { ...fresh(), onOutdated };
    const storage = opened(options);
    await storage.commit([commitOf("a", 0)]);
    const blocked = vi.fn();
    await deleteDB(databaseName(options), { blocked });
    expect(blocked).not.toHaveBeenCalled();
    expect(onOutdated).not.toHaveBeenCalled();
    expect(await storage.load("a")).toBeUndefined();
    expect(await storage.commit([commitOf("a", 0)])).toEqual(["ok"]);
  });

  it("loses no commit while the database is deleted again and again", async () => {
    const options = fresh();
    const storage = opened(options);
    const deletions = (async () => {
      for (let n = 0; n < 10; n++) await deleteDB(databaseName(options));
    })();
    const answers = await Promise.all(
      Array.from({ length: 60 }, async (_, n) => {
        await new Promise((resolve) => setTimeout(resolve, n * 2));
        return storage.commit([commitOf(`i${n}`, 0)]);
      }),
    );
    await deletions;
    expect(new Set(answers.flat())).toEqual(new Set(["ok"]));
  });

  it("reads again on a new connection when the old one was closed under it", async () => {
    const options = fresh();
    const storage = opened(options);
    await storage.commit([commitOf("a", 0)]);
    vi.spyOn(IDBDatabase.prototype, "transaction").mockImplementationOnce(function (this: IDBDatabase) {
      this.close();
      throw new DOMException("closing", "InvalidStateError");
    });
    expect((await storage.load("a"))?.length).toBe(1);
  });

  it("says so when the browser keeps nothing here, as in some private windows and sandboxed frames", async () => {
    const open = vi.spyOn(IDBFactory.prototype, "open").mockImplementation(() => {
      throw new DOMException("denied", "SecurityError");
    });
    const storage = opened(fresh());
    const refused = { code: "STORAGE_UNAVAILABLE", details: { reason: "SecurityError" } };
    await expect(storage.load("a")).rejects.toMatchObject(refused);
    await expect(storage.commit([commitOf("a", 0)])).rejects.toMatchObject(refused);
    open.mockRestore();
    expect(await storage.commit([commitOf("a", 0)])).toEqual(["ok"]);
  });

  it("holds nothing while the page is frozen, which every other page would wait for, and goes on afterwards", async () => {
    const options = fresh();
    const [storage, other] = [opened(options), opened(options)];
    await storage.load("open the database first");
    const begin = vi.spyOn(IDBDatabase.prototype, "transaction");
    const [writing, reading] = [storage.commit([commitOf("b", 0)]), storage.load("a")];
    const refused = expect(writing).rejects.toMatchObject({ code: "STORAGE_UNAVAILABLE" });
    await vi.waitFor(() => expect(begin).toHaveBeenCalledTimes(2), { interval: 0 });
    document.dispatchEvent(new Event("freeze"));
    await refused;
    // Neither connections nor transactions are left: nobody is in the way of an upgrade.
    const blocked = vi.fn();
    const newer = await openDB(databaseName(options), UPGRADES.length + 1, { blocked });
    expect(blocked).not.toHaveBeenCalled();
    newer.close();
    await deleteDB(databaseName(options));
    const waiting = [storage.commit([commitOf("c", 0)]), other.commit([commitOf("d", 0)])];
    const begun = begin.mock.calls.length;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(begin).toHaveBeenCalledTimes(begun);
    document.dispatchEvent(new Event("resume"));
    expect(await Promise.all(waiting)).toEqual([["ok"], ["ok"]]);
    expect(await reading).toBeUndefined();
  });

  it("lets a commit that was sent without looking come to its end while the page is frozen", async () => {
    const storage = opened(fresh());
    await storage.commit([commitOf("a", 0)]);
    const send = vi.spyOn(IDBTransaction.prototype, "commit");
    const writing = storage.commit([commitOf("a", 1)]);
    await vi.waitFor(() => expect(send).toHaveBeenCalled(), { interval: 0 });
    document.dispatchEvent(new Event("freeze"));
    expect(await writing).toEqual(["ok"]);
    document.dispatchEvent(new Event("resume"));
    expect((await storage.load("a"))?.length).toBe(2);
  });

  it("gives up after a few tries", async () => {
    const storage = opened(fresh());
    const begin = vi.spyOn(IDBDatabase.prototype, "transaction").mockImplementation(() => {
      throw new DOMException("Connection to Indexed Database server lost", "UnknownError");
    });
    await expect(storage.load("a")).rejects.toMatchObject({ code: "STORAGE_UNAVAILABLE" });
    expect(begin).toHaveBeenCalledTimes(TRIES_MAX);
    begin.mockRestore();
    expect(await storage.load("a")).toBeUndefined();
  });

  it("opens again after the browser tore it down", async () => {
    const options = fresh();
    const storage = opened(options);
    const open = vi.spyOn(IDBFactory.prototype, "open");
    await storage.commit([commitOf("a", 0)]);
    const request = open.mock.results[0]?.value as IDBOpenDBRequest;
    request.result.close();
    request.result.dispatchEvent(new Event("close"));
    expect((await storage.load("a"))?.length).toBe(1);
    expect(open).toHaveBeenCalledTimes(2);
    open.mockRestore();
  });

  it("goes through the upgrades that a database has not seen, and keeps what it holds", async () => {
    const onOutdated = vi.fn();
    const options = { ...fresh(), onOutdated };
    const storage = opened(options);
    await storage.commit([commitOf("a", 0)]);
    const second = vi.fn();
    const third = vi.fn();
    // The storage with older code gets out of the way by itself.
    const newer = connect(databaseName(options), {}, [...UPGRADES, second, third]);
    const keys = await newer.read(["journal"], (transaction) => transaction.objectStore("journal").getAllKeys());
    expect(keys).toEqual([["a", 1]]);
    expect([second.mock.calls.length, third.mock.calls.length]).toEqual([1, 1]);
    // And says so at once, also where nothing is asked of it.
    expect(onOutdated).toHaveBeenCalledTimes(1);
    await expect(storage.load("a")).rejects.toMatchObject({
      code: "STORAGE_UNAVAILABLE",
      details: { reason: "VersionError" },
    });
    newer.close();
  });

  it("says so when a tab that does not let go blocks an upgrade, and recovers when it does", async () => {
    const options = fresh();
    await opened(options).commit([commitOf("a", 0)]);
    const stubborn = await openDB(databaseName(options));
    const newer = connect(databaseName(options), {}, [...UPGRADES, () => {}]);
    const read = () => newer.read(["journal"], (transaction) => transaction.objectStore("journal").count());
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const refused = expect(read()).rejects.toMatchObject({ details: { reason: "blocked" } });
    await vi.waitFor(() => expect(vi.getTimerCount()).toBe(1), { interval: 1 });
    vi.advanceTimersByTime(BLOCKED_WAIT_MS);
    vi.useRealTimers();
    await refused;
    stubborn.close();
    expect(await read()).toBe(1);
    newer.close();
  });
});
