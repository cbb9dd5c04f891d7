import { PROBLEM_TYPE } from "./problem.ts";
import type { Answer, Route } from "./route.ts";
import { components, ref } from "./schemas.ts";

/** The version of the interface that the document describes. */
const API_VERSION = "1.0.0";

type Document = Readonly<Record<string, unknown>>;

/**
 * The OpenAPI 3.1 document of a table of routes.
 * @param server the path that they are mounted at
 */
export function openApiDocument(table: readonly Route[], server: string): Document {
  const paths: Record<string, Record<string, Document>> = {};
  for (const route of table) {
    const path = route.path.replace(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [route.method]: operationOf(route) };
  }
  return {
    openapi: "3.1.0",
    info: { title: "Hephaestus", version: API_VERSION, description: "Durable workflows over HTTP." },
    servers: [{ url: server }],
    paths,
    components: { schemas: components },
  };
}

function operationOf({ path, operation, summary, parameters = [], bodies, answers, open }: Route): Document {
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    in: "path",
    name,
    required: true,
    description: name === "id" ? "The instance's id, encoded as one segment." : `The workflow's ${name}.`,
    schema: { type: "string" },
  }));
  const content = Object.entries(bodies ?? {}).map(([type, schema]) => [type, { schema }]);
  const problem = { content: { [PROBLEM_TYPE]: { schema: ref("Problem") } } };
  return {
    operationId: operation,
    summary,
    parameters: [...inPath, ...parameters],
    ...(content.length > 0 ? { requestBody: { content: Object.fromEntries(content) } } : {}),
    responses: {
      ...Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, responseOf(answer)])),
      ...(open ? {} : { 401: { description: "Who asks is not known.", ...problem } }),
      default: { description: "A problem.", ...problem },
    },
  };
}

function responseOf({ description, schema, contentType = "application/json" }: Answer): Document {
  return { description, ...(schema ? { content: { [contentType]: { schema } } } : {}) };
}
