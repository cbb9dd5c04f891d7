import { HephaestusError } from "@hephaestus/core";

/** Which instance an object holds, and of which of the engines that share the objects' class. */
export interface ObjectAddress {
  /** "" is the engine without a name. */
  readonly namespace: string;
  readonly id: string;
}

const NAMESPACE = /^[A-Za-z0-9._-]{1,64}$/;

/** @throws HephaestusError OPTION_INVALID */
export function checkNamespace(namespace: string): string {
  if (namespace === "" || NAMESPACE.test(namespace)) return namespace;
  const message = "an engine's name is 1 to 64 of letters, digits, '.', '_', '-'";
  throw new HephaestusError("OPTION_INVALID", message, { field: "namespace" });
}

/**
 * The name of an instance's object: its id, and before it the engine's name where it has one. No id of one engine is
 * the name of another's object.
 * @example objectName({ namespace: "shop", id: "order_flow/orderid::1" }) // => ":shop:order_flow/orderid::1"
 */
export function objectName({ namespace, id }: ObjectAddress): string {
  return namespace === "" && !id.startsWith(":") ? id : `:${namespace}:${id}`;
}

/** What `objectName` made a name of. */
export function objectAddress(name: string): ObjectAddress {
  if (!name.startsWith(":")) return { namespace: "", id: name };
  const end = name.indexOf(":", 1);
  return { namespace: name.slice(1, end), id: name.slice(end + 1) };
}
