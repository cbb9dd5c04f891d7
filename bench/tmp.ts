import { createHephaestus, defineStep, defineWorkflow, done, type } from "@hephaestus/core";
const [a,b,c] = ["a","b","c"].map((name) => defineStep({ name, run: () => name })) as any[];
const wf = defineWorkflow({ name: "w", input: type<unknown>(), start: a, transitions: ({ on }) => [on(a,{done:b}),on(b,{done:c}),on(c,{done})] as any });
for (const conc of [1, 50]) {
  const engine = createHephaestus({ workflows: [wf] });
  const h = engine.for(wf) as any;
  const N = 20000; let n = 0;
  const worker = async () => { while (n < N) { n++; const s = await h.start({ n }); await s.result(); } };
  const t = performance.now();
  await Promise.all(Array.from({ length: conc }, worker));
  console.log("conc", conc, Math.round(N / (performance.now() - t) * 1000), "workflows/s");
  await engine.close();
}
