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
expectTypeOf(notes.start).returns.resolves.toExtend<StartedInstance<{ readonly write?: number }>>();
expectTypeOf(notes.result).returns.resolves.toEqualTypeOf<{ readonly write?: number }>();
declare const order: Awaited<ReturnType<typeof orders.start>>;
expectTypeOf(order.result).returns.resolves.toEqualTypeOf<{ readonly ship?: { paid: number } }>();
expectTypeOf(client.result).returns.resolves.toBeUnknown();

// @ts-expect-error an order's items are a number
void orders.start("1", { items: "2" });
// @ts-expect-error a note has no key
void notes.start("1", { text: "a" });
// @ts-expect-error the registry stays where the code is
void client.registry;

// Events are those of the workflow's steps, with their payloads; by id, any.
void orders.resume("1", "approved", { by: "ada" }, { step: "escalate" });
void order.resume("refused");
void client.resume("order_flow/orderid::1", "anything", { at: "all" });
// @ts-expect-error no step takes it
void orders.resume("1", "aproved", { by: "ada" });
// @ts-expect-error an approval names somebody
void orders.resume("1", "approved", { by: 1 });
// @ts-expect-error an approval is not empty
void order.resume("approved");
// @ts-expect-error a step that does not take it
void order.resume("refused", null, { step: "escalate" });
// @ts-expect-error a note takes no events
void notes.resume("1", "approved", { by: "ada" });

// What is there for an engine is there for its client.
expectTypeOf(client).toExtend<Omit<Hephaestus, "registry" | "idOf">>();
