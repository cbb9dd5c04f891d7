import { COMMAND_ID_LENGTH_MAX, HephaestusError } from "@hephaestus/core";
import { isJsonType, mediaType, parseJson, readBytes } from "./body.ts";
import { defined } from "./defined.ts";
import { sha256Hex } from "./digest.ts";
import type { JsonSchema } from "./json-schema.ts";
import { HttpProblem } from "./problem.ts";

export const CLOUD_EVENT_TYPE = "application/cloudevents+json";

/** An event as it was sent, in whichever form. */
export interface SentEvent {
  readonly event: string;
  readonly payload?: unknown;
  readonly step?: string;
  /** The id of the command. */
  readonly id?: string;
}

/** A CloudEvent in JSON. Extension attributes are allowed and, but for `step`, not looked at. */
export const cloudEventSchema: JsonSchema = {
  type: "object",
  properties: {
    specversion: { const: "1.0" },
    id: { type: "string", description: "With `source` the id of the command: the same event again does nothing." },
    source: { type: "string" },
    type: { type: "string", description: "The name of the event." },
    datacontenttype: { type: "string" },
    data: { description: "The payload." },
    step: { type: "string", description: "An extension of ours: only this step may take the event." },
  },
  required: ["specversion", "id", "source", "type"],
};

/** Whether a request is a CloudEvent in binary form: its attributes are headers, its body is the data. */
function isBinary(headers: Headers): boolean {
  return headers.has("ce-specversion") || headers.has("ce-id") || headers.has("ce-type");
}

/**
 * Reads a CloudEvent (version 1.0) in structured or binary form; undefined when the request is none.
 * @throws HephaestusError OPTION_INVALID, LIMIT_EXCEEDED; HttpProblem CONTENT_TYPE_UNSUPPORTED, JSON_MALFORMED
 */
export async function readCloudEvent(request: Request, bodyLimit: number): Promise<SentEvent | undefined> {
  const type = mediaType(request);
  if (type.startsWith("application/cloudevents")) {
    if (type !== CLOUD_EVENT_TYPE) throw unsupported(`${type.slice(0, 100)}: one event a request, as JSON`);
    return fromAttributes(structured(parseJson(await readBytes(request, bodyLimit))));
  }
  if (!isBinary(request.headers)) return undefined;
  if (type !== "" && !isJsonType(type)) throw unsupported(`data of ${type.slice(0, 100)}: it must be JSON`);
  const bytes = await readBytes(request, bodyLimit);
  return fromAttributes({
    ...binaryAttributes(request.headers),
    ...(bytes.byteLength === 0 ? {} : { data: parseJson(bytes) }),
  });
}

function structured(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body !== "object" || body === null || Array.isArray(body)) throw invalid("", "must be an object");
  const event = body as Readonly<Record<string, unknown>>;
  const { datacontenttype } = event;
  if (Object.hasOwn(event, "data_base64")) throw unsupported("data_base64: data must be JSON");
  if (typeof datacontenttype === "string") {
    const type = datacontenttype.split(";", 1)[0]?.trim().toLowerCase() ?? "";
    if (!isJsonType(type)) throw unsupported(`data of ${type.slice(0, 100)}: it must be JSON`);
  }
  return event;
}

function binaryAttributes(headers: Headers): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const name of ["specversion", "id", "source", "type", "step"]) {
    const value = headers.get(`ce-${name}`);
    if (value !== null) attributes[name] = decode(name, value);
  }
  return attributes;
}

/** The values of headers are percent-encoded where they are not plain ASCII. */
function decode(name: string, value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    throw invalid(name, "is not percent-encoded UTF-8");
  }
}

async function fromAttributes(event: Readonly<Record<string, unknown>>): Promise<SentEvent> {
  if (attribute(event, "specversion") !== "1.0") throw invalid("specversion", "must be 1.0");
  const { step, data } = event;
  if (step !== undefined && typeof step !== "string") throw invalid("step", "must be a text");
  return {
    event: attribute(event, "type"),
    id: await commandIdOf(attribute(event, "source"), attribute(event, "id")),
    ...defined({ step, payload: data }),
  };
}

function attribute(event: Readonly<Record<string, unknown>>, name: string): string {
  const value = Object.hasOwn(event, name) ? event[name] : undefined;
  if (typeof value === "string" && value !== "") return value;
  throw invalid(name, "must be a text that is not empty");
}

/** An event's id is unique within its source. A source is a URI reference, so that a space ends it. */
async function commandIdOf(source: string, id: string): Promise<string> {
  const both = `${source} ${id}`;
  return both.length <= COMMAND_ID_LENGTH_MAX ? both : `sha256:${await sha256Hex(both)}`;
}

function invalid(name: string, why: string): HephaestusError {
  const field = name === "" ? "the CloudEvent" : name;
  return new HephaestusError("OPTION_INVALID", `CloudEvent: ${field} ${why}`, { field });
}

function unsupported(what: string): HttpProblem {
  return new HttpProblem("CONTENT_TYPE_UNSUPPORTED", `CloudEvents: ${what}`);
}
