/** A vertex of the drawing: a step, the end, or a bend of an edge that passes through a layer. */
export interface Vertex {
  readonly layer: number;
  readonly width: number;
  readonly bend: boolean;
}
