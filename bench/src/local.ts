/*
 * The local runner on memory, beside its peers: workflows of asynchronous steps that return a number, from start to
 * result. What each peer keeps of them is said in lib/peers.ts.
 *
 *   npm run bench -- local
 */
import { describeMachine } from "./lib/machine.ts";
import { effect, hephaestus, type Peer, resonate, type Shape, xstate } from "./lib/peers.ts";
import { publish } from "./lib/report.ts";
import { type Contender, measureRates } from "./lib/rounds.ts";
import { quantile, ratioOf } from "./lib/stats.ts";
import { number, spread } from "./lib/table.ts";

const PEERS = { Hephaestus: hephaestus, "XState 5": xstate, "Effect 4": effect, Resonate: resonate };
type PeerName = keyof typeof PEERS;
const peerNames = Object.keys(PEERS) as PeerName[];

/** How long each run of a workflow took, in milliseconds by the clock. */
type Latencies = Record<PeerName, number[]>;

/** Each round has an engine of its own: most keep what they ran. */
function contender(name: PeerName, shape: Shape, callers: number, latencies?: Latencies): Contender<PeerName> {
  let peer: Peer | undefined;
  async function call(): Promise<void> {
    const begun = performance.now();
    await peer?.run();
    latencies?.[name].push(performance.now() - begun);
  }
  return {
    name,
    prepare() {
      peer = PEERS[name](shape);
    },
    tidy: () => peer?.close(),
    async work() {
      // Every caller has its next one under way as soon as one ends.
      let left = callers * 10;
      const caller = async () => {
        while (left-- > 0) await call();
      };
      await Promise.all(Array.from({ length: callers }, caller));
      return callers * 10;
    },
  };
}

const machine = describeMachine();
const latencies: Latencies = { Hephaestus: [], "XState 5": [], "Effect 4": [], Resonate: [] };
const three = { steps: 3 } as const;
const busy = await measureRates(peerNames.map((name) => contender(name, three, 50)));
const alone = await measureRates(peerNames.map((name) => contender(name, three, 1, latencies)));
const wide = await measureRates(
  peerNames.map((name) => contender(name, { width: 100 }, 1)),
  { rounds: 9 },
);

publish(
  {
    name: "local",
    columns: [
      { title: "3 steps, workflows/s" },
      { title: "50 callers, median (all seen)", align: "right" },
      { title: "of Hephaestus", align: "right" },
      { title: "by the clock", align: "right" },
      { title: "one caller", align: "right" },
      { title: "p50, µs by the clock", align: "right" },
      { title: "p99, µs by the clock", align: "right" },
      { title: "fan-out of 100, ms", align: "right" },
    ],
    rows: peerNames.map((name) => [
      name,
      spread(busy[name]),
      ratioOf(busy[name], busy.Hephaestus).median.toFixed(2),
      number(busy[name].byClock.median),
      number(alone[name].median),
      number(quantile(latencies[name], 0.5) * 1_000),
      number(quantile(latencies[name], 0.99) * 1_000),
      number(1_000 / wide[name].median),
    ]),
    notes: [
      "Hephaestus journals the start and every step, with results as JSON, a fence and a lease; Resonate keeps every step's result as JSON in its in-process server; Effect keeps every activity's exit in a map, as a JSON value; XState keeps nothing.",
    ],
    data: Object.fromEntries(
      peerNames.flatMap((name) => [
        [`${name}, 50 callers`, busy[name]],
        [`${name}, 1 caller`, alone[name]],
        [`${name}, fan-out of 100`, wide[name]],
      ]),
    ),
  },
  machine,
);
