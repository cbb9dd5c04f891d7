import { DONE, type Graph, type InstanceView } from "@hephaestus/core";
import { layoutGraph } from "@hephaestus/core/drawing";
import { useId, useMemo } from "preact/hooks";
import { useNow } from "../hooks/use-now.ts";
import { stepLabel, toneOf } from "../model/labels.ts";
import { type EdgeState, edgeState } from "./edge-state.ts";

const EDGE_STATES: readonly EdgeState[] = ["dead", "open", "taken"];

/** The graph of a workflow, with what an instance has made of it. The list of steps says the same in words. */
export function GraphView({ graph, instance }: { readonly graph: Graph; readonly instance: InstanceView }) {
  const layout = useMemo(() => layoutGraph(graph), [graph]);
  const now = useNow();
  const marker = useId();
  const edges = layout.edges.map((placed) => ({ ...placed, state: edgeState(graph, placed.edge, instance) }));
  // What was taken is drawn over what was not.
  edges.sort((one, other) => EDGE_STATES.indexOf(one.state) - EDGE_STATES.indexOf(other.state));

  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
    <section class="graph" aria-label="Graph of the workflow" tabIndex={0}>
      <svg
        width={layout.width}
        height={layout.height}
        viewBox={`0 0 ${layout.width} ${layout.height}`}
        role="img"
        aria-label={`${graph.nodes.length} steps of ${graph.workflow}, from top to bottom; the steps are listed beside it`}
      >
        <defs>
          {EDGE_STATES.map((state) => (
            <marker
              key={state}
              id={`${marker}-${state}`}
              class={`arrow arrow-${state}`}
              viewBox="0 0 8 8"
              refX="3"
              refY="4"
              markerWidth="8"
              markerHeight="8"
              markerUnits="userSpaceOnUse"
              orient="auto"
            >
              <path d="M0 0.500 8 4 0 7.500Z" />
            </marker>
          ))}
        </defs>
        {edges.map(({ edge, path, state }) => (
          <path
            key={`${edge.from} ${edge.to}`}
            class={`edge edge-${state}${edge.failure && edge.events.length === 0 ? " edge-failure" : ""}`}
            d={path}
            marker-end={`url(#${marker}-${state})`}
          />
        ))}
        {layout.nodes.map(({ index, x, y, width, height }) => {
          const node = graph.nodes[index];
          const box = { x: x - width / 2, y: y - height / 2, width, height };
          if (index === DONE || node === undefined) {
            return (
              <g key="done" class={`node node-end ${instance.status === "completed" ? "tone-completed" : "tone-idle"}`}>
                <rect {...box} rx={height / 2} />
                <text x={x} y={y + 4} text-anchor="middle">
                  done
                </text>
              </g>
            );
          }
          const step = instance.steps[node.name];
          return (
            <g key={node.name} class={`node tone-${toneOf(step, now)}`}>
              <rect {...box} rx={9} />
              <circle cx={box.x + 14} cy={y - 7} r={4} />
              <text x={box.x + 25} y={y - 3}>
                {node.name}
              </text>
              <text class="node-label" x={box.x + 25} y={y + 12}>
                {shortLabel(stepLabel(step, now), width)}
              </text>
            </g>
          );
        })}
        {edges.map(({ edge, label, labelX, labelY, state }) =>
          label === "" ? null : (
            <text
              key={`${edge.from} ${edge.to}`}
              class={`edge-label edge-label-${state}`}
              x={labelX}
              y={labelY + 3}
              text-anchor="middle"
            >
              {label}
            </text>
          ),
        )}
      </svg>
    </section>
  );
}

/** The first part of a label where the box is too narrow for all of it. */
function shortLabel(label: string, width: number): string {
  return label.length * 5.8 <= width - 32 ? label : (label.split(/[,:]/)[0] ?? label);
}
