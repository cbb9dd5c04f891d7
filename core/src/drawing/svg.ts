import { DONE, type Graph } from "../definition/graph.ts";
import { START } from "./edges.ts";
import { notesOf } from "./labels.ts";
import { layoutGraph, type PlacedEdge, type PlacedNode } from "./layout.ts";

/** In the file itself, so that it looks the same wherever it is shown; the classes have a name of our own for pages. */
const STYLE = `
.hephaestus-graph { --ink: #1f2328; --quiet: #59636e; --line: #8c959f; --paper: #ffffff; --step: #f6f8fa; --wait: #fff8e6; --failure: #cf222e; font-family: system-ui, sans-serif; }
@media (prefers-color-scheme: dark) { .hephaestus-graph { --ink: #f0f6fc; --quiet: #9198a1; --line: #6e7681; --paper: #0d1117; --step: #161b22; --wait: #2b2413; --failure: #ff7b72; } }
.hephaestus-graph .paper { fill: var(--paper); }
.hephaestus-graph .node rect { fill: var(--step); stroke: var(--line); }
.hephaestus-graph .node-wait rect { fill: var(--wait); stroke-dasharray: 5 3; }
.hephaestus-graph .node text { fill: var(--ink); font-size: 13px; text-anchor: middle; }
.hephaestus-graph .node .note { fill: var(--quiet); font-size: 10.5px; }
.hephaestus-graph .edge { fill: none; stroke: var(--line); stroke-width: 1.4; }
.hephaestus-graph .edge-failure { stroke: var(--failure); stroke-dasharray: 4 3; }
.hephaestus-graph .arrow { fill: var(--line); }
.hephaestus-graph .arrow-failure { fill: var(--failure); }
.hephaestus-graph .label { fill: var(--quiet); stroke: var(--paper); stroke-width: 4px; stroke-linejoin: round; paint-order: stroke; font-size: 10.5px; text-anchor: middle; }
`;

/**
 * Draws a workflow's graph as an SVG image, for a file or a page. It takes on the reader's light or dark colours.
 *
 * @example writeFileSync("order-flow.svg", toSvg(orderFlow.graph));
 */
export function toSvg(graph: Graph): string {
  const noteOf = (index: number) => notesOf(graph.nodes[index] as Graph["nodes"][number]).join("; ");
  const { width, height, nodes, edges } = layoutGraph(graph, { start: true, note: ({ index }) => noteOf(index) });
  const title = escapeXml(`${graph.workflow}, version ${graph.version}`);
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" class="hephaestus-graph" role="img" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<title>${title}</title>`,
    `<style>${STYLE}</style>`,
    `<defs>${arrow("arrow")}${arrow("arrow-failure")}</defs>`,
    `<rect class="paper" width="${width}" height="${height}"/>`,
    ...edges.map(drawEdge),
    ...nodes.map((node) => drawNode(graph, node, node.index >= 0 ? noteOf(node.index) : "")),
    ...edges.map(drawLabel).filter((label) => label !== ""),
    "</svg>",
  ].join("\n")}\n`;
}

function arrow(name: string): string {
  return `<marker id="hephaestus-${name}" class="${name}" viewBox="0 0 8 8" refX="3" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0.5 8 4 0 7.5Z"/></marker>`;
}

/** An edge that is taken on failure alone is another than one that an event takes too. */
function drawEdge({ edge, path }: PlacedEdge): string {
  const failure = edge.failure && edge.events.length === 0 ? "-failure" : "";
  return `<path class="edge${failure && ` edge${failure}`}" d="${path}" marker-end="url(#hephaestus-arrow${failure})"/>`;
}

function drawLabel({ label, labelX, labelY }: PlacedEdge): string {
  return label === ""
    ? ""
    : `<text class="label" x="${round(labelX)}" y="${round(labelY + 3)}">${escapeXml(label)}</text>`;
}

function drawNode({ nodes }: Graph, { index, x, y, width, height }: PlacedNode, note: string): string {
  const step = nodes[index];
  const text = (content: string, dy: number, kind = "") =>
    `<text${kind && ` class="${kind}"`} x="${round(x)}" y="${round(y + dy)}">${escapeXml(content)}</text>`;
  if (step === undefined) {
    const name = index === DONE ? "done" : index === START ? "start" : "";
    return `<g class="node node-${name}">${box(x, y, width, height, height / 2)}${text(name, 4.5)}</g>`;
  }
  const kind = step.kind === "run" ? "node" : "node node-wait";
  const lines = note === "" ? text(step.name, 4.5) : text(step.name, -3) + text(note, 12, "note");
  return `<g class="${kind}">${box(x, y, width, height, 9)}${lines}</g>`;
}

function box(x: number, y: number, width: number, height: number, radius: number): string {
  return `<rect x="${round(x - width / 2)}" y="${round(y - height / 2)}" width="${round(width)}" height="${height}" rx="${radius}"/>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Names of checked definitions are harmless; a graph that came from elsewhere may hold anything. */
function escapeXml(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cs}\ufffe\uffff]/gu, "\ufffd")
    .replace(/[&<>"]/g, (character) => ENTITIES[character] ?? "");
}
