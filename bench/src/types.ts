/*
 * What a workflow of 200 steps costs the compiler.
 *
 *   npm run bench -- types
 */
import { emptyModule, workflowModule } from "./lib/large-workflow.ts";
import { describeMachine } from "./lib/machine.ts";
import { publish } from "./lib/report.ts";
import { sampleOf } from "./lib/stats.ts";
import { number } from "./lib/table.ts";
import { typeCheck } from "./lib/type-check.ts";

const ROUNDS = 5;
const modules = {
  "imports core, defines nothing": emptyModule,
  "100 steps": workflowModule(100),
  "200 steps": workflowModule(200),
};

const machine = describeMachine();
const seen = Object.entries(modules).map(([name, text]) => ({ name, text, seconds: [] as number[] }));
let costs: { instantiations: number; types: number }[] = [];
for (let round = 0; round < ROUNDS; round++) {
  costs = seen.map(({ text, seconds }, index) => {
    const cost = typeCheck(`bench-${index}`, text);
    seconds.push(cost.checkSeconds);
    return cost;
  });
}
const [base] = costs;

publish(
  {
    name: "types",
    columns: [
      { title: "module" },
      { title: "instantiations", align: "right" },
      { title: "more than the empty one", align: "right" },
      { title: "types", align: "right" },
      { title: "check time, s by the clock, least (median)", align: "right" },
    ],
    rows: seen.map(({ name, seconds }, index) => {
      const { instantiations = 0, types = 0 } = costs[index] ?? {};
      const { low, median } = sampleOf(seconds);
      const more = instantiations - (base?.instantiations ?? 0);
      return [name, String(instantiations), String(more), String(types), `${number(low)} (${number(median)})`];
    }),
    notes: ["One thread; `tsc` uses several unless told otherwise. The counts are the same every time."],
    data: Object.fromEntries(
      seen.flatMap(({ name, seconds }, index) => [
        [`${name}: check seconds`, sampleOf(seconds)],
        [`${name}: instantiations`, costs[index]?.instantiations ?? 0],
      ]),
    ),
  },
  machine,
);
