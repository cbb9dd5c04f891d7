import type { Hephaestus, InstanceView, StartedInstance, WorkflowHandle } from "@hephaestus/core";
import { expectTypeOf } from "vitest";
import { noteFlow, type Order, orderFlow } from "../test/flows.ts";
import { createClient } from "./client.ts";

const client = createClient({ baseUrl: "/api" });
declare const engine: Hephaestus;

// A workflow's handle is typed exactly like the engine's.
expectTypeOf(client.for).toEqualTypeOf<Hephaestus["for"]>();
const orders = client.for(orderFlow);
expectTypeOf(orders).toEqualTypeOf(engine.for(orderFlow));
expectTypeOf(orders).toExtend<WorkflowHandle<Order, unknown, { readonly key: "orderid" }>>();
expectTypeOf(orders.start).parameters.toExtend<[string, Order, ...unknown[]]>();
expectTypeOf(orders.get).returns.toEqualTypeOf<Promise<InstanceView>>();
expectTypeOf(orders.result).returns.resolves.toEqualTypeOf<{ readonly ship?: { paid: number } }>();

const notes = client.for(noteFlow);
expectTypeOf(notes.start).returns.resolves.toEqualTypeOf<StartedInstance<{ readonly write?: number }>>();

// @ts-expect-error an order's items are a number
void orders.start("1", { items: "2" });
// @ts-expect-error a note has no key
void notes.start("1", { text: "a" });
// @ts-expect-error the registry stays where the code is
void client.registry;

// What is there for an engine is there for its client.
expectTypeOf(client).toExtend<Omit<Hephaestus, "registry" | "idOf">>();
