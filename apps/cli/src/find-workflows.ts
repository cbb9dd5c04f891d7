import type { AnyVersions, AnyWorkflow } from "@hephaestus/core";

export interface Found {
  /** In the order of the exports' names; those of the families among them. */
  readonly workflows: readonly AnyWorkflow[];
  readonly families: readonly AnyVersions[];
}

/** The workflows and the families of versions among a module's exports, also those in lists. */
export function findWorkflows(exports: object): Found {
  const values = Object.values(exports).flat();
  const families = unique(values.filter(isFamily));
  const workflows = unique([...values.filter(isWorkflow), ...families.flatMap(({ versions }) => versions)]);
  return { workflows, families };
}

/** By their shape: they may come from another copy of the package. */
function isWorkflow(value: unknown): value is AnyWorkflow {
  return isNamed(value) && "graph" in value && isNamedGraph(value.graph) && "definition" in value;
}

function isFamily(value: unknown): value is AnyVersions {
  return isNamed(value) && "current" in value && "versions" in value && isWorkflows(value.versions);
}

function isWorkflows(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every(isWorkflow);
}

function isNamed(value: unknown): value is { readonly name: string } {
  return typeof value === "object" && value !== null && "name" in value && typeof value.name === "string";
}

function isNamedGraph(value: unknown): boolean {
  return typeof value === "object" && value !== null && "nodes" in value && Array.isArray(value.nodes);
}

function unique<T>(values: readonly T[]): readonly T[] {
  return [...new Set(values)];
}
