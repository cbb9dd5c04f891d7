import { HephaestusError } from "../definition/errors.ts";
import type { Graph } from "../definition/graph.ts";
import { refuseOption } from "../definition/refuse-option.ts";
import type { Schema } from "../definition/schema.ts";
import type { StepDefinition } from "../definition/step.ts";
import { type Choice, isChoice, type WorkflowDefinition } from "../definition/transitions.ts";
import { type AnyVersions, isVersions } from "../definition/versions.ts";
import type { AnyWorkflow } from "../definition/workflow.ts";

/** A workflow as a runner uses it: the graph for the engine, the code for the driver. */
export interface Code {
  readonly definition: WorkflowDefinition;
  readonly graph: Graph;
  readonly steps: ReadonlyMap<string, StepDefinition>;
  /** The schemas of external events: each name has one in a workflow, so that early ones are checked too. */
  readonly payloads: ReadonlyMap<string, Schema<unknown>>;
  choiceOf(step: string, event: string): Choice<unknown> | undefined;
}

/** The workflows that a runner has the code of. */
export interface Registry {
  /**
   * The code of a version; without one, of the version that a start gets: the only one, or what `defineVersions` says.
   * @throws HephaestusError UNKNOWN_WORKFLOW
   */
  get(workflow: string, version?: number, start?: { readonly key?: string; readonly input: unknown }): Code;
  find(workflow: string, version: number): Code | undefined;
  /** All of them, as `due` asks. */
  readonly definitions: readonly {
    readonly workflow: string;
    readonly version: number;
    readonly fingerprint: string;
  }[];
  readonly all: readonly Code[];
}

/** @throws HephaestusError OPTION_INVALID when two have one name and version */
export function makeRegistry(workflows: readonly (AnyWorkflow | AnyVersions)[]): Registry {
  const byName = new Map<string, Map<number, Code>>();
  const current = new Map<string, AnyVersions>();
  for (const one of workflows) {
    if (isVersions(one)) current.set(one.name, one);
    for (const workflow of isVersions(one) ? one.versions : [one]) {
      const { name, version } = workflow;
      const versions = byName.get(name) ?? new Map<number, Code>();
      if (versions.has(version)) {
        refuseOption("workflows", `two are ${name} version ${version}`);
      }
      byName.set(name, versions.set(version, codeOf(workflow)));
    }
  }

  const all = [...byName.values()].flatMap((versions) => [...versions.values()]);
  return {
    get(workflow, version, start) {
      const versions = byName.get(workflow) ?? new Map<number, Code>();
      const said = current.get(workflow);
      const wanted = version ?? (start && said?.versionFor?.(start as never)) ?? said?.current;
      // The newest, where nobody says which is current.
      const code = versions.get(wanted ?? Math.max(...versions.keys()));
      if (code) return code;
      const what = version === undefined ? workflow : `${workflow} version ${version}`;
      throw new HephaestusError("UNKNOWN_WORKFLOW", `there is no workflow ${what}`, { workflow, field: "workflow" });
    },
    find: (workflow, version) => byName.get(workflow)?.get(version),
    definitions: all.map(({ graph: { workflow, version, fingerprint } }) => ({ workflow, version, fingerprint })),
    all,
  };
}

function codeOf({ definition, graph }: AnyWorkflow): Code {
  // Every step has transitions: that was checked.
  const own = definition.edges.filter(({ step }) => graph.byName.has(step.name));
  const edges = new Map(own.map(({ step, edges }) => [step.name, edges]));
  const steps = new Map(own.map(({ step }) => [step.name, step.definition]));
  return {
    definition,
    graph,
    steps,
    payloads: new Map([...steps.values()].flatMap((step) => Object.entries(step.payloads ?? {}))),
    choiceOf(step, event) {
      const target = edges.get(step)?.[event];
      return isChoice(target) ? target : undefined;
    },
  };
}
