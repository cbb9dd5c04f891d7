import { HephaestusError } from "@hephaestus/core";

type TypeName = "string" | "integer" | "number" | "boolean" | "object" | "array" | "null";

/** The part of JSON Schema 2020-12 that the routes are described with: what OpenAPI shows is what is checked. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: TypeName | readonly TypeName[];
  readonly description?: string;
  readonly const?: string | number | boolean;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly JsonSchema[];
  readonly properties?: { readonly [name: string]: JsonSchema };
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema;
}

/** Where `$ref` leads: `#/components/schemas/<name>`. */
export type Components = { readonly [name: string]: JsonSchema };

/** Where a value first fails its schema. */
export interface Misfit {
  /** The path of the member, `a.b`; empty for the value itself. */
  readonly field: string;
  readonly why: string;
}

/** @returns undefined when the value fits */
export function misfitOf(
  schema: JsonSchema,
  value: unknown,
  components: Components = {},
  field = "",
): Misfit | undefined {
  if (schema.$ref !== undefined) {
    const target = components[schema.$ref.slice(schema.$ref.lastIndexOf("/") + 1)];
    return target ? misfitOf(target, value, components, field) : { field, why: `unknown ${schema.$ref}` };
  }
  if (schema.anyOf && !schema.anyOf.some((one) => misfitOf(one, value, components, field) === undefined)) {
    return { field, why: "fits none of the forms" };
  }
  if (schema.const !== undefined && value !== schema.const) return { field, why: `must be ${schema.const}` };
  if (schema.enum && !schema.enum.includes(value as string)) {
    return { field, why: `must be one of ${schema.enum.join(", ")}` };
  }
  const types = schema.type === undefined ? [] : [schema.type].flat();
  if (types.length > 0 && !types.some((type) => isOfType(type, value))) {
    return { field, why: `must be ${types.map(named).join(" or ")}` };
  }
  if (Array.isArray(value)) return itemMisfit(schema, value, components, field);
  return typeof value === "object" && value !== null ? memberMisfit(schema, value, components, field) : undefined;
}

function itemMisfit(schema: JsonSchema, items: readonly unknown[], components: Components, field: string) {
  if (schema.items === undefined) return undefined;
  for (const [index, item] of items.entries()) {
    const misfit = misfitOf(schema.items, item, components, `${field}[${index}]`);
    if (misfit) return misfit;
  }
  return undefined;
}

function memberMisfit(schema: JsonSchema, value: object, components: Components, field: string): Misfit | undefined {
  const { properties = {}, required = [], additionalProperties = true } = schema;
  const under = (name: string) => (field === "" ? name : `${field}.${name}`);
  for (const name of required) if (!Object.hasOwn(value, name)) return { field: under(name), why: "is missing" };
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue;
    const own = Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
    if (own === false) return { field: under(name).slice(0, 100), why: "is not known here" };
    const misfit = typeof own === "object" ? misfitOf(own, member, components, under(name)) : undefined;
    if (misfit) return misfit;
  }
  return undefined;
}

function isOfType(type: TypeName, value: unknown): boolean {
  switch (type) {
    case "integer":
      return Number.isSafeInteger(value);
    case "null":
      return value === null;
    case "array":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    case "string":
    case "number":
    case "boolean":
      return typeof value === type;
  }
}

function named(type: TypeName): string {
  if (type === "null") return type;
  return /^[aio]/.test(type) ? `an ${type}` : `a ${type}`;
}

/**
 * @param what names the value in the error
 * @throws HephaestusError OPTION_INVALID with `details.field`
 */
export function assertFits(schema: JsonSchema, value: unknown, what: string): void {
  const misfit = misfitOf(schema, value);
  if (misfit === undefined) return;
  const { field, why } = misfit;
  throw new HephaestusError("OPTION_INVALID", `${field === "" ? what : `${what}: ${field}`} ${why}`, {
    field: field === "" ? what : field,
  });
}
