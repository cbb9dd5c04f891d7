import { HephaestusError } from "./errors.ts";
import { encodePayload, formatPath, type JsonText } from "./json.ts";

/**
 * A Standard Schema (https://standardschema.dev, version 1), as far as it is used here: what zod, valibot, arktype
 * and others offer under `~standard`.
 */
export interface Schema<T> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<T> | Promise<SchemaResult<T>>;
    readonly types?: { readonly input: unknown; readonly output: T } | undefined;
  };
}

type SchemaResult<T> =
  | { readonly value: T; readonly issues?: undefined }
  | {
      readonly issues: readonly {
        readonly message: string;
        readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
      }[];
    };

export type OutputOf<S> = S extends Schema<infer T> ? T : never;
/** What a schema takes; where it does not say, what it makes of that. */
export type GivenTo<S extends Schema<unknown>> =
  NonNullable<S["~standard"]["types"]> extends { readonly input: infer I }
    ? unknown extends I
      ? OutputOf<S>
      : I
    : OutputOf<S>;

/**
 * A schema that only types: every value passes.
 * @example input: type<Order>()
 */
export function type<T>(): Schema<T> {
  return anything as Schema<T>;
}

const anything: Schema<unknown> = {
  "~standard": { version: 1, vendor: "hephaestus", validate: (value) => ({ value }) },
};

/**
 * Parses a value once, at its entry, and encodes what the schema made of it.
 * @param what names the value in errors, for example `input of workflow "order_flow"`
 * @throws HephaestusError with `code` and `details.issues`, or NOT_JSON, or LIMIT_EXCEEDED
 */
export function parsePayload(
  schema: Schema<unknown> | undefined,
  value: unknown,
  what: string,
  code: "INPUT_INVALID" | "PAYLOAD_INVALID" | "RESULT_INVALID",
): Promise<JsonText | undefined> | JsonText | undefined {
  if (schema === undefined || schema === anything) return encodePayload(value, what);
  return parseBySchema(schema, value, what, code);
}

async function parseBySchema(
  schema: Schema<unknown>,
  value: unknown,
  what: string,
  code: "INPUT_INVALID" | "PAYLOAD_INVALID" | "RESULT_INVALID",
): Promise<JsonText | undefined> {
  const result = await schema["~standard"].validate(value);
  if (result.issues) {
    const issues = result.issues.map(({ message, path = [] }) => ({
      message,
      path: formatPath(path.map((part) => (typeof part === "object" ? part.key : part))),
    }));
    const first = issues[0];
    throw new HephaestusError(code, `${what} does not fit its schema: ${first?.path}: ${first?.message}`, { issues });
  }
  return encodePayload(result.value, what);
}
