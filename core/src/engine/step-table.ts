import { type Graph, NO_GRAPH } from "../definition/graph.ts";
import type { StepState } from "./state.ts";

/**
 * What is known of the steps of a run, by the index of their node in a graph: most of the time of a transition would
 * otherwise go into hashing names, and in a large graph into fetching the tables for that. Steps that the graph does
 * not have, since it is not here or another was adopted, have the places behind its nodes.
 */
export class StepTable {
  #graph: Graph;
  #states: (StepState | undefined)[];
  /** The places of those that the graph does not have, and their names in that order; made when there is one. */
  #strays: Map<string, number> | undefined = undefined;
  #strayNames: string[] = [];
  #isEmpty = true;

  constructor(graph: Graph = NO_GRAPH) {
    this.#graph = graph;
    this.#states = placesOf(graph);
  }

  /** The place of a step; -1 when there is none. */
  indexOf(name: string): number {
    return this.#graph.byName.get(name)?.index ?? this.#strays?.get(name) ?? -1;
  }

  nameOf(index: number): string {
    const { nodes } = this.#graph;
    return nodes[index]?.name ?? (this.#strayNames[index - nodes.length] as string);
  }

  at(index: number): StepState | undefined {
    return this.#states[index];
  }

  put(index: number, step: StepState): void {
    this.#states[index] = step;
    this.#isEmpty = false;
  }

  get(name: string): StepState | undefined {
    const index = this.indexOf(name);
    return index < 0 ? undefined : this.#states[index];
  }

  /** The place of a step, also of one that was not known. */
  placeOf(name: string): number {
    const known = this.indexOf(name);
    if (known >= 0) return known;
    const index = this.#states.push(undefined) - 1;
    this.#strays ??= new Map();
    this.#strays.set(name, index);
    this.#strayNames.push(name);
    return index;
  }

  /** Puts all in the places that another graph gives them. */
  follow(graph: Graph): void {
    if (graph === this.#graph) return;
    const known = this.#isEmpty ? [] : [...this];
    this.#forget(graph);
    for (const [name, step] of known) this.put(this.placeOf(name), step);
  }

  clear(): void {
    if (!this.#isEmpty) this.#forget(this.#graph);
  }

  #forget(graph: Graph): void {
    this.#graph = graph;
    this.#states = placesOf(graph);
    this.#strays = undefined;
    this.#strayNames = [];
    this.#isEmpty = true;
  }

  *[Symbol.iterator](): Generator<[string, StepState]> {
    for (const [index, step] of this.#states.entries()) if (step !== undefined) yield [this.nameOf(index), step];
  }
}

function placesOf({ nodes }: Graph): undefined[] {
  return new Array(nodes.length).fill(undefined);
}
