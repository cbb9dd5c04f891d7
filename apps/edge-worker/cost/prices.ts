/** A price of Cloudflare's Workers Paid plan, in dollars for a million, beyond what the plan includes each month. */
export interface Price {
  readonly what: string;
  readonly perMillion: number;
  readonly included: number;
  readonly source: string;
  /** The date that the page itself bore when it was read. */
  readonly dated: string;
}

const docs = (path: string) => `https://developers.cloudflare.com/${path}/`;
const WORKERS = { source: docs("workers/platform/pricing"), dated: "2026-07-07" } as const;
const OBJECTS = { source: docs("durable-objects/platform/pricing"), dated: "2026-06-19" } as const;

export const PRICES = {
  workerRequest: { what: "Workers: requests", perMillion: 0.3, included: 10_000_000, ...WORKERS },
  cpuMs: { what: "Workers: milliseconds of CPU", perMillion: 0.02, included: 30_000_000, ...WORKERS },
  objectRequest: {
    what: "Durable Objects: requests (calls and alarms)",
    perMillion: 0.15,
    included: 1_000_000,
    ...OBJECTS,
  },
  objectGbSeconds: { what: "Durable Objects: GB-seconds", perMillion: 12.5, included: 400_000, ...OBJECTS },
  objectRow: {
    what: "Durable Objects: rows written (a `put`, a `delete`, a `setAlarm`)",
    perMillion: 1,
    included: 50_000_000,
    ...OBJECTS,
  },
  indexRow: {
    what: "D1: rows written",
    perMillion: 1,
    included: 50_000_000,
    source: docs("d1/platform/pricing"),
    dated: "2026-04-21",
  },
  queueOperation: {
    what: "Queues: operations (a message is written, read, deleted)",
    perMillion: 0.4,
    included: 1_000_000,
    source: docs("queues/platform/pricing"),
    dated: "2026-04-21",
  },
} as const satisfies Record<string, Price>;

/** Cloudflare Workflows are billed by the first two: invocations are requests, and a step is none. */
export const WORKFLOWS_PRICING = { source: docs("workflows/reference/pricing"), dated: "2026-05-04" } as const;

export type Usage = { readonly [K in keyof typeof PRICES]?: number };

/** What a million of this cost in dollars, with nothing included. */
export function perMillion(usage: Usage): number {
  return units(usage).reduce((sum, [name, count]) => sum + count * PRICES[name].perMillion, 0);
}

/** What so many of this cost in a month, in dollars, beyond what the plan includes and beside its $5. */
export function perMonth(usage: Usage, times: number): number {
  return units(usage).reduce((sum, [name, count]) => {
    const { perMillion: price, included } = PRICES[name];
    return sum + (Math.max(0, count * times - included) * price) / 1_000_000;
  }, 0);
}

const units = (usage: Usage) => Object.entries(usage) as [keyof typeof PRICES, number][];
