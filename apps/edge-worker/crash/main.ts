import { parseArgs } from "node:util";
import { runCrashes } from "./run.ts";

/*
 * Drives instances through a real `wrangler dev` that is killed with SIGKILL at random moments, and checks that all of
 * them end as if nothing had happened.
 *
 *   npm run crash                                            300 instances, 20 kills, a seed of the day
 *   npm run crash -- --instances 300 --kills 20 --seed 7     the same again
 */
const { values } = parseArgs({
  options: {
    instances: { type: "string", default: "300" },
    kills: { type: "string", default: "20" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
  },
});
const [instances, kills, seed] = [values.instances, values.kills, values.seed].map(Number) as [number, number, number];
console.log(`${instances} instances, ${kills} kills, seed ${seed}`);
const { problems, ...figures } = await runCrashes({ instances, kills, seed, log: (line) => console.log(`  ${line}`) });
for (const problem of problems) console.log(`WRONG: ${problem}`);
console.log(JSON.stringify(figures, null, 1));
console.log(problems.length === 0 ? "Nothing lost, nothing twice." : `${problems.length} things are wrong.`);
process.exit(problems.length === 0 ? 0 : 1);
