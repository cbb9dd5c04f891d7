/*
 * Drawings of a workflow's graph: text for terminals, Mermaid for Markdown, SVG for pages and files, and the layout for
 * those who draw it themselves. A subpath of its own, so that who draws nothing does not carry it.
 */
export { toAscii } from "./ascii.ts";
export { edgesOf, type GraphEdge, START, stepsInOrder } from "./edges.ts";
export { labelOf, notesOf } from "./labels.ts";
export { type Layout, type LayoutOptions, layoutGraph, type PlacedEdge, type PlacedNode } from "./layout.ts";
export { toMermaid } from "./mermaid.ts";
export { toSvg } from "./svg.ts";
