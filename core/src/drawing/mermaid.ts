import { DONE, type Graph, type StepNode } from "../definition/graph.ts";
import { edgesOf, type GraphEdge, START, startEdgesOf } from "./edges.ts";
import { labelOf, notesOf } from "./labels.ts";

/**
 * Draws a workflow's graph as a Mermaid flowchart, which GitHub and many editors show in Markdown.
 *
 * @example writeFileSync("flow.md", "```mermaid\n" + toMermaid(orderFlow.graph) + "```\n");
 */
export function toMermaid(graph: Graph): string {
  const edges = [...startEdgesOf(graph), ...edgesOf(graph)];
  const lines = ["start([start])", ...graph.nodes.map(drawStep), "finish([done])", ...edges.map(drawEdge)];
  return `flowchart TD\n${lines.map((line) => `  ${line}\n`).join("")}`;
}

/** Ids of our own: a step's name may be a word of Mermaid's language, such as `end`. */
function idOf(index: number): string {
  return index === DONE ? "finish" : index === START ? "start" : `s${index}`;
}

function drawStep(node: StepNode): string {
  const label = [node.name, ...notesOf(node)].map(escapeLabel).join("<br/>");
  return node.kind === "run" ? `${idOf(node.index)}["${label}"]` : `${idOf(node.index)}{{"${label}"}}`;
}

function drawEdge(edge: GraphEdge): string {
  const label = labelOf(edge);
  const line = edge.failure && edge.events.length === 0 ? "-.->" : "-->";
  return `${idOf(edge.from)} ${line}${label === "" ? "" : `|"${escapeLabel(label)}"|`} ${idOf(edge.to)}`;
}

/**
 * All but letters, digits and what is harmless inside of quotes becomes a character's number. Names of checked
 * definitions are harmless; a graph that came from elsewhere may hold anything.
 */
function escapeLabel(text: string): string {
  // Mermaid takes no empty label.
  return (text || "?")
    .replace(/[\p{Cc}\p{Cs}]/gu, "\ufffd")
    .replace(/[^\p{L}\p{N} _,:()-]|^-/gu, (character) => `#${character.codePointAt(0)};`);
}
