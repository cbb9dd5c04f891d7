/**
 * The text of a module with a workflow of this many steps, as somebody would write it: steps with two events, steps that
 * return, needs narrowed to an event and read in the code, an optional one, a choice now and then, a wait for an event,
 * and the handle that follows from all of it.
 */
export function workflowModule(steps: number): string {
  const blocks = Math.ceil(steps / 5);
  const lines: string[] = [];
  const transitions: string[] = [];
  for (let block = 0; block < blocks; block++) {
    const [check, left, right, wait, join] = ["check", "left", "right", "wait", "join"].map(
      (name) => `${name}${block}`,
    );
    const before = block === 0 ? undefined : `join${block - 1}`;
    const after = block === blocks - 1 ? "done" : `check${block + 1}`;
    lines.push(
      `const ${check} = defineStep({`,
      `  name: "${check}",`,
      `  input: type<Order>(),`,
      `  events: ["ok${block}", "bad${block}"],`,
      before ? `  needs: [${before}],` : "",
      before
        ? `  run: ({ input, results }) => (results.${before}.sum > input.items.length ? emit("ok${block}", { total: results.${before}.sum }) : emit("bad${block}")),`
        : `  run: ({ input }) => (input.items.length > 0 ? emit("ok${block}", { total: input.items.length }) : emit("bad${block}")),`,
      `});`,
      `const ${left} = defineStep({ name: "${left}", needs: [when(${check}, "ok${block}")], run: async ({ results }) => ({ left: results.${check}.total }) });`,
      `const ${right} = defineStep({ name: "${right}", needs: [when(${check}, "ok${block}")], retry: { maxAttempts: 3 }, run: ({ results }) => results.${check}.total * 2 });`,
      `const ${wait} = waitForEvent({ name: "${wait}", events: { paid${block}: type<{ by: string }>() } });`,
      `const ${join} = defineStep({`,
      `  name: "${join}",`,
      `  needs: [${left}, ${right}],`,
      `  maybeNeeds: [${wait}],`,
      `  run: ({ results }) => ({ sum: results.${left}.left + results.${right}, by: results.${wait}?.by }),`,
      `});`,
    );
    transitions.push(
      `on(${check}, { ok${block}: [${left}, ${right}, ${wait}], bad${block}: done })`,
      `on(${left}, { done: ${join} })`,
      `on(${right}, { done: ${join} })`,
      `on(${wait}, { paid${block}: ${join} })`,
      block % 4 === 3 && after !== "done"
        ? `on(${join}, { done: choose([${after}, done], ({ input }) => (input.items.length > ${block} ? ${after} : done)) })`
        : `on(${join}, { done: ${after} })`,
    );
  }
  return `${[
    IMPORT,
    "interface Order { readonly items: readonly { readonly sku: string; readonly price: number }[] }",
    ...lines.filter((line) => line !== ""),
    "export const flow = defineWorkflow({",
    '  name: "large",',
    "  input: type<Order>(),",
    '  unique: { key: "orderid" },',
    "  start: check0,",
    `  transitions: ({ on, choose }) => [\n    ${transitions.join(",\n    ")},\n  ],`,
    "  output: [join0],",
    "});",
    "export async function use(): Promise<number | undefined> {",
    "  const large = createHephaestus({ workflows: [flow] }).for(flow);",
    '  const order = await large.start("a", { items: [] });',
    '  await large.resume("a", "paid0", { by: "Ann" });',
    "  return (await order.result()).join0?.sum;",
    "}",
  ].join("\n")}\n`;
}

const IMPORT =
  'import { createHephaestus, defineStep, defineWorkflow, done, emit, type, waitForEvent, when } from "@hephaestus/core";';

/** What every module that uses core pays: it imports the same and defines nothing. */
export const emptyModule = `${IMPORT}\nexport const all = [createHephaestus, defineStep, defineWorkflow, done, emit, type, waitForEvent, when];\n`;
