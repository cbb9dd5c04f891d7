import { HephaestusError } from "../definition/errors.ts";
import type { Json } from "../definition/json.ts";
import { refuseOption } from "../definition/refuse-option.ts";
import type { Connectors } from "../definition/step.ts";
import type { StartCommand, StartReply } from "../engine/commands.ts";
import { COMMAND_RETENTION_MS, LEASE_MS } from "../engine/limits.ts";
import { isEnded, type RunState } from "../engine/run-state.ts";
import type { Changes, Revision, Timestamp } from "../engine/state.ts";
import type { TelemetryBus } from "../telemetry/bus.ts";
import { type Clock, makeId, type Random } from "./clock.ts";
import { commitQueue } from "./commit-queue.ts";
import { Driver } from "./driver.ts";
import type { DrivenInstance, DriverHost } from "./driver-host.ts";
import { readHistory } from "./history.ts";
import { type InstanceView, loadPayloads, toInstanceView } from "./instance-view.ts";
import { loadState } from "./load-state.ts";
import { isPromise } from "./maybe-promise.ts";
import type { Registry } from "./registry.ts";
import {
  checkRequest,
  type InstanceChange,
  type InstanceRequest,
  type Runner,
  toChange,
  toStanding,
} from "./runner.ts";
import { makeSlots } from "./slots.ts";
import type { DueInstance, Storage } from "./storage.ts";
import { TransientMap } from "./transient-map.ts";

export interface LocalRunnerOptions {
  /** Steps that run at once in this runner: a whole number from 1; 256 unless said otherwise. */
  readonly concurrency?: number;
  /** How long another runner waits before it takes over from this one, in milliseconds; `LEASE_MS` unless said. */
  readonly leaseMs?: number;
  /**
   * How often the storage is asked for what is due, in milliseconds; timers in between fire on time all the same. At
   * most half of `leaseMs`, since leases are renewed then; 5,000 unless that is more.
   */
  readonly sweepMs?: number;
  /** How long `close` waits for steps that run, in milliseconds. */
  readonly closeGraceMs?: number;
  /** Told of what fails with no caller to tell; ignored unless said otherwise. */
  readonly onError?: (error: unknown, id: string | undefined) => void;
}

export interface LocalRunnerPorts {
  readonly storage: Storage;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly random: Random;
  readonly connectors: Connectors;
  readonly telemetry?: TelemetryBus | undefined;
}

const CONCURRENCY_DEFAULT = 256;
const SWEEP_MS = 5_000;
const SWEEP_LIMIT = 100;
const CLOSE_GRACE_MS = 5_000;
/** How many leases an owner that still holds its lock may be late: a throttled tab, a stalled process. */
const STEAL_LEASES = 4;

/** What the storage knows of owners: true is dead, false alive; undefined or absent is not known. */
type OwnersKnown = ReadonlyMap<string | undefined, boolean | undefined>;

/**
 * Drives many instances in this process, on any storage; several of them may share one.
 * @throws HephaestusError OPTION_INVALID with `details.field`
 */
export function localRunner(ports: LocalRunnerPorts, options: LocalRunnerOptions = {}): Runner {
  const { storage, registry, clock, random, connectors, telemetry } = ports;
  const { concurrency, leaseMs, sweepMs, closeGraceMs, onError } = checkOptions(options);
  const runnerId = makeId(clock.now(), random);
  const slots = makeSlots(concurrency);
  const drivers = new TransientMap<string, Driver>();
  const loading = new Map<string, Promise<Driver>>();
  const listeners = new TransientMap<string, Set<(change: InstanceChange) => void>>();
  let commits = 0;
  let closed = false;
  let closing: Promise<void> | undefined;
  /** The instance of whose commit listeners are being told. */
  let telling: DrivenInstance | undefined;
  let wake: { readonly at: Timestamp; readonly cancel: () => void } | undefined;
  let idle: (() => void) | undefined;
  /** What this version cannot drive, and when that was due: not tried again until its row says otherwise. */
  let stuck = new Map<string, Timestamp>();
  /** How many of the last page were due and are left to others: the next page is longer by them. */
  let passedBy = 0;

  const lock = storage.holdOwner?.(runnerId);
  const commit = commitQueue(storage);

  const host: DriverHost = {
    clock,
    random,
    connectors,
    telemetry: telemetry?.probe({ runner: "local", runnerId, at: clock.now() }),
    storage,
    runner: { id: runnerId, leaseMs },
    nonce: () => `${runnerId}.${++commits}`,
    commit: lock ? (one) => lock.held.then(() => commit(one)) : commit,
    registry,
    slot: slots.take,
    committed(driver, changes) {
      announce(driver, changes);
      if (changes.status === "deleted") void removeThrough(driver, driver.state.revision - 1);
    },
    rested(driver, wakeAt) {
      if ((driver as Driver).idle && drivers.get(driver.id) === driver) letGo(driver as Driver);
      if (wakeAt !== undefined) armAt(wakeAt);
      if (drivers.size === 0) idle?.();
    },
    failed(driver, error) {
      if ((driver as Driver).closed && drivers.get(driver.id) === driver) drivers.delete(driver.id);
      onError(error, driver.id);
    },
  };

  /** What is not in the map must not act any more: a read that it still awaits would make two drivers of one instance. */
  function letGo(driver: Driver): void {
    drivers.delete(driver.id);
    driver.close();
  }

  /** The driver of an instance: the one in memory, or a new one, which first takes over what was left running. */
  async function driverOf(id: string, takeFrom?: string): Promise<Driver> {
    const live = drivers.get(id);
    if (live) return live;
    let promise = loading.get(id);
    if (promise === undefined) {
      promise = Driver.load(host, id).finally(() => loading.delete(id));
      loading.set(id, promise);
    }
    const driver = await promise;
    const winner = drivers.get(id);
    if (winner) return winner;
    if (closed) throw closedError();
    drivers.set(id, driver);
    if (driver.code === undefined && !isEnded(driver.state.status)) tellParked(driver.state);
    if (driver.code && wasLeftRunning(driver.state, takeFrom)) {
      const { owner } = driver.state;
      const interrupting = driver.submit({ type: "interrupted", ...(owner ? { owner } : {}) });
      await interrupting.catch((error: unknown) => {
        // Adopted by others meanwhile: what it was loaded for may be heard all the same.
        if (driver.code) throw error;
      });
    }
    return driver;
  }

  function tellParked(state: RunState): void {
    const here = state.info && registry.find(state.info.workflow, state.info.version);
    host.telemetry?.parked(state, clock.now(), here ? "changed" : "missing");
  }

  /** Somebody drove it and is gone: not another runner that lives. What is at rest has no owner. */
  function wasLeftRunning({ status, owner }: RunState, takeFrom: string | undefined): boolean {
    if (isEnded(status) || owner === undefined) return false;
    return owner.id === takeFrom || owner.id === runnerId || owner.until <= clock.now();
  }

  /** Hands a command to the driver that is in charge in the same turn, so that an instance never has two of them here. */
  async function withDriver<T>(id: string, use: (driver: Driver) => Promise<T>, takeFrom?: string): Promise<T> {
    if (closed) throw closedError();
    for (;;) {
      const driver = await driverOf(id, takeFrom);
      if (drivers.get(id) === driver) return use(driver);
    }
  }

  function announce(driver: DrivenInstance, changes: Changes): void {
    const { id } = driver;
    const told = listeners.get(id);
    if (told === undefined) return;
    const change = toChange(driver, changes);
    telling = driver;
    for (const listener of [...told]) tell(listener, change);
    telling = undefined;
  }

  /** A listener may be an async function: its failure must not be the process's. */
  function tell(listener: (change: InstanceChange) => unknown, change: InstanceChange): void {
    const failed = (error: unknown) => onError(error, change.id);
    try {
      const told = listener(change);
      if (isPromise(told)) Promise.resolve(told).catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  /** What whoever is told of a commit may look at in the same turn: nothing that is stored is newer. */
  function viewOf({ state, code, payloads }: DrivenInstance): InstanceView | undefined {
    const known = payloads.allOf(state);
    return known && toInstanceView(state, known, code === undefined);
  }

  /**
   * Removes in the background what stands before a tombstone, or that too. What is left by a crash goes with it. Where
   * another runner was faster, the id may be that of an instance made anew.
   */
  async function removeThrough({ id, state, lastNonce: nonce }: DrivenInstance, through: Revision): Promise<void> {
    const tombstone = nonce === undefined ? undefined : { revision: state.revision, nonce };
    try {
      while ((await storage.remove(id, through, tombstone)).more);
    } catch (error) {
      onError(error, id);
    }
  }

  const unwatch = storage.watch?.((id) => {
    const driver = drivers.get(id);
    if (driver === undefined && listeners.get(id)) void tellOfForeignChange(id);
    // Its own commits are told of as well: only a driver that waits for something has anything to read.
    if (driver && !driver.busy) driver.refresh().catch((error: unknown) => onError(error, id));
  });

  /** While this process slept others may have gone on with what it drove, and timers may have come due. */
  const unwake = storage.onWake?.(() => {
    for (const driver of drivers.values()) {
      if (!driver.busy) driver.refresh().catch((error: unknown) => onError(error, driver.id));
    }
    void sweep();
  });

  async function tellOfForeignChange(id: string): Promise<void> {
    for (const listener of listeners.get(id) ?? []) await tellHowItStands(id, listener);
  }

  async function tellHowItStands(id: string, listener: (change: InstanceChange) => void): Promise<void> {
    try {
      const live = drivers.get(id);
      const { state } = live?.state.revision ? live : await loadState(host, id);
      if (listeners.get(id)?.has(listener)) tell(listener, toStanding({ id, state }));
    } catch (error) {
      onError(error, id);
    }
  }

  /** Has the next sweep begin then; at the latest when it is time for one, also by a clock that was put back. */
  function armAt(asked: Timestamp): void {
    const at = Math.min(asked, clock.now() + sweepMs);
    if (closed || (wake && wake.at <= at)) return;
    wake?.cancel();
    const cancel = clock.schedule(at, () => {
      wake = undefined;
      void sweep();
    });
    wake = { at, cancel };
  }

  /** Drives what is due: timers, and instances whose runner is gone. */
  async function sweep(): Promise<void> {
    try {
      for (const driver of drivers.values()) driver.tend();
      const now = clock.now();
      // Whatever is waited for below may take long, and leases must be renewed meanwhile.
      armAt(now + sweepMs);
      const limit = SWEEP_LIMIT + passedBy;
      const rows = await storage.due({ before: now + leaseMs, limit, definitions: registry.definitions });
      const known = await knownOwners(rows);
      stuck = new Map(rows.filter(isStuck).map(({ id, wakeAt }) => [id, wakeAt]));
      const due = new Set(rows.filter((row) => !isStuck(row) && isMine(row, known)));
      const left = rows.filter((row) => row.wakeAt <= now && !due.has(row)).length;
      await Promise.all([...due].map((row) => take(row, known.get(row.owner) === true)));
      for (const listened of listeners.keys()) if (!drivers.get(listened)) void tellOfForeignChange(listened);
      const next = rows.find((row) => row.wakeAt > now && row.owner === undefined)?.wakeAt;
      passedBy = left + [...due].filter(isStuck).length;
      if (due.size + left === limit) armAt(now);
      else if (next !== undefined) armAt(next);
    } catch (error) {
      onError(error, undefined);
    }
  }

  function isStuck({ id, wakeAt }: DueInstance): boolean {
    return stuck.get(id) === wakeAt;
  }

  async function knownOwners(rows: readonly DueInstance[]): Promise<OwnersKnown> {
    const owners = new Set(rows.map((row) => row.owner));
    const known = new Map<string | undefined, boolean | undefined>([[runnerId, false]]);
    for (const owner of owners) {
      if (owner === undefined || owner === runnerId || !storage.ownerIsDead) continue;
      known.set(owner, await storage.ownerIsDead(owner));
    }
    return known;
  }

  /** Whether to drive it: its time has come, and nobody else will. A live owner that is only slow gets more time. */
  function isMine({ owner, wakeAt }: DueInstance, known: OwnersKnown): boolean {
    if (known.get(owner) === true) return true;
    const grace = owner !== undefined && owner !== runnerId && known.get(owner) === false ? STEAL_LEASES * leaseMs : 0;
    return wakeAt + grace <= clock.now();
  }

  async function take(row: DueInstance, isOrphan: boolean): Promise<void> {
    if (closed || drivers.get(row.id)?.busy) return;
    try {
      const look = async (driver: Driver) => {
        if (driver.state.status !== "deleted") return driver.submit({ type: "wake" });
        // Where somebody asks it something meanwhile, the next look removes it.
        if (!driver.idle) return;
        letGo(driver);
        // The row may be older than the tombstone, whose commands may still be delivered again.
        const { revision, updatedAt } = driver.state;
        return removeThrough(driver, updatedAt + COMMAND_RETENTION_MS > clock.now() ? revision - 1 : revision);
      };
      await withDriver(row.id, look, isOrphan ? row.owner : undefined);
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (code === "PARKED" || code === "FORMAT_NEWER") stuck.set(row.id, row.wakeAt);
      if (code !== "PARKED") onError(error, row.id);
    }
  }

  async function close(): Promise<void> {
    closed = true;
    wake?.cancel();
    unwatch?.();
    unwake?.();
    await new Promise<void>((resolve) => {
      const cancel = clock.schedule(clock.now() + closeGraceMs, resolve);
      idle = () => {
        cancel();
        resolve();
      };
      for (const driver of drivers.values()) driver.drain();
      if (drivers.size === 0) idle();
    });
    await Promise.allSettled([...drivers.values()].map((driver) => driver.handBack()));
    for (const driver of drivers.values()) driver.close();
    drivers.clear();
    lock?.release();
  }

  armAt(clock.now());

  return {
    start(id: string, command: StartCommand): Promise<StartReply> {
      const code = registry.get(command.info.workflow, command.info.version);
      // Most starts are of what there is not yet: the commit tells, and where it succeeds nothing was read.
      const isUnknown = !closed && !drivers.get(id) && !loading.has(id);
      if (isUnknown) drivers.set(id, Driver.ofNothing(host, id));
      return withDriver(id, (driver) => driver.submit(command, code)) as Promise<Json> as Promise<StartReply & Json>;
    },
    async send(id: string, request: InstanceRequest) {
      if (closed) throw closedError();
      const driver = await driverOf(id);
      // One that has just been started here may turn out to be there already.
      if (driver.state.revision === 0) await driver.refresh();
      const checked = await checkRequest(driver.code, request);
      return withDriver(id, (driver) => driver.submit(checked));
    },
    async read(id) {
      const told = telling?.id === id ? viewOf(telling) : undefined;
      if (told) return told;
      // Not the driver's state: another runner may have gone on.
      const { state, code } = await loadState(host, id);
      return toInstanceView(state, await loadPayloads(storage, state), code === undefined);
    },
    history: (id) => readHistory(storage, id),
    list: (filter) => storage.query(filter),
    subscribe(id, listener) {
      const told = listeners.get(id) ?? new Set();
      listeners.set(id, told.add(listener));
      // Never before the caller has what ends the subscription.
      void Promise.resolve().then(() => tellHowItStands(id, listener));
      return () => {
        told.delete(listener);
        if (told.size === 0 && listeners.get(id) === told) listeners.delete(id);
      };
    },
    // Whoever asks once more waits for the same end.
    close: () => (closing ??= close()),
  };
}

function checkOptions(options: LocalRunnerOptions): Required<LocalRunnerOptions> {
  const { concurrency = CONCURRENCY_DEFAULT, leaseMs = LEASE_MS, closeGraceMs = CLOSE_GRACE_MS } = options;
  const { sweepMs = Math.min(SWEEP_MS, leaseMs / 2), onError = () => {} } = options;
  const check = (holds: boolean, field: keyof LocalRunnerOptions, what: string) => {
    if (!holds) refuseOption(field, what);
  };
  check(Number.isInteger(concurrency) && concurrency > 0, "concurrency", "a whole number from 1");
  check(Number.isFinite(leaseMs) && leaseMs > 0, "leaseMs", "milliseconds, more than 0");
  check(sweepMs > 0 && sweepMs <= leaseMs / 2, "sweepMs", "milliseconds, more than 0, at most half of leaseMs");
  check(Number.isFinite(closeGraceMs) && closeGraceMs >= 0, "closeGraceMs", "milliseconds, 0 or more");
  return { concurrency, leaseMs, sweepMs, closeGraceMs, onError };
}

function closedError(): HephaestusError {
  return new HephaestusError("CLOSED", "this runner is closed");
}
