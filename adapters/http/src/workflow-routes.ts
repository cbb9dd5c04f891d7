import { type Code, DONE, type Graph, HephaestusError, type Registry, type StepNode } from "@hephaestus/core";
import { defined } from "./defined.ts";
import { json, type Route } from "./route.ts";
import { list, ref } from "./schemas.ts";
import type { WorkflowDetail, WorkflowStep, WorkflowSummary } from "./wire.ts";

const version = {
  in: "query",
  name: "version",
  description: "The current one unless said otherwise.",
  schema: { type: "integer" },
} as const;

export const workflowRoutes: readonly Route[] = [
  {
    method: "get",
    path: "/workflows",
    operation: "listWorkflows",
    summary: "The workflows that the engine has the code of, each version by itself.",
    answers: { 200: { description: "The workflows.", schema: list(ref("Workflow")) } },
    async handle(request) {
      const { registry } = await request.engine();
      return json({ items: registry.all.map((code) => toWorkflowSummary(registry, code)) });
    },
  },
  {
    method: "get",
    path: "/workflows/:name",
    operation: "getWorkflow",
    summary: "A workflow with its graph.",
    parameters: [version],
    answers: { 200: { description: "The workflow.", schema: ref("WorkflowDetail") } },
    async handle(request) {
      const { registry } = await request.engine();
      const given = request.url.searchParams.getAll(version.name);
      return json(toWorkflowDetail(registry, registry.get(request.param("name"), parseVersion(given))));
    },
  },
];

function parseVersion(given: readonly string[]): number | undefined {
  const [text] = given;
  if (text === undefined) return undefined;
  if (given.length === 1 && /^\d{1,15}$/.test(text)) return Number(text);
  throw new HephaestusError("OPTION_INVALID", "version: must be one integer", { field: "version" });
}

function toWorkflowSummary(registry: Registry, { definition, graph }: Code): WorkflowSummary {
  const { unique, tags = [], metadata = {} } = definition;
  return {
    name: graph.workflow,
    version: graph.version,
    fingerprint: graph.fingerprint,
    current: registry.get(graph.workflow).graph.version === graph.version,
    tags,
    metadata,
    ...(unique ? { unique: { key: unique.key, scope: unique.scope ?? "workflow" } } : {}),
  };
}

/** A workflow as JSON, with what a picture of it needs. */
function toWorkflowDetail(registry: Registry, code: Code): WorkflowDetail {
  const { definition, graph } = code;
  return {
    ...toWorkflowSummary(registry, code),
    starts: graph.starts.map((index) => nameOf(graph, index)),
    steps: graph.nodes.map((node) => toStep(code, node)),
    output: definition.output.map((step) => step.name),
  };
}

function toStep({ graph, steps }: Code, node: StepNode): WorkflowStep {
  const { name, kind, onFailure, durationMs } = node;
  const { join = "all", cancelRest = false } = steps.get(name) ?? {};
  const targets = [...node.routes].map(([event, route]) => [
    event,
    { targets: route.targets.map((index) => nameOf(graph, index)), choice: route.choice },
  ]);
  return {
    name,
    kind,
    events: [...node.routes.keys()],
    receives: [...node.receives],
    targets: Object.fromEntries(targets),
    join,
    cancelRest,
    compensates: node.compensates,
    maxAttempts: node.retry.maxAttempts,
    ...defined({ onFailure: typeof onFailure === "number" ? nameOf(graph, onFailure) : onFailure, durationMs }),
  };
}

function nameOf(graph: Graph, index: number): string {
  return index === DONE ? "done" : (graph.nodes[index]?.name ?? "");
}
