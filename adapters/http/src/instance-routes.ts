import {
  type Duration,
  type EventReply,
  HephaestusError,
  isEnded,
  type Json,
  type StartOptions,
} from "@hephaestus/core";
import { CLOUD_EVENT_TYPE, cloudEventSchema, readCloudEvent, type SentEvent } from "./cloud-events.ts";
import { defined } from "./defined.ts";
import { filterParameters } from "./list-parameters.ts";
import { readFilter } from "./list-query.ts";
import { eventStreamHeaders, liveUpdates } from "./live-updates.ts";
import {
  type Answer,
  commandOptions,
  idempotencyKey,
  ignoreBody,
  json,
  noContent,
  type Route,
  type RouteRequest,
  readBody,
} from "./route.ts";
import { eventAnswer, eventBody, list, page, ref, restartBody, result, scheduleBody, startBody } from "./schemas.ts";
import { instancePath, type Started } from "./wire.ts";

interface StartBody extends Pick<StartOptions, "tags" | "metadata" | "parent"> {
  readonly key?: string;
  readonly input?: Json;
  readonly version?: number;
}

interface ScheduleBody {
  readonly step: string;
  readonly delay: Duration;
  readonly event?: string;
}

const JSON_TYPE = "application/json";
const done: { readonly [status: number]: Answer } = { 204: { description: "It was done, or had been done already." } };
const started: { readonly [status: number]: Answer } = {
  201: { description: "It runs; Location leads to it.", schema: ref("Started") },
};

type Control = "cancel" | "pause" | "unpause" | "retry" | "adopt";

function control(name: Control, summary: string): Route {
  return {
    method: "post",
    path: `/instances/:id/${name}`,
    operation: `${name}Instance`,
    summary,
    parameters: [idempotencyKey],
    answers: done,
    async handle(request) {
      await ignoreBody(request);
      const engine = await request.engine();
      await engine[name](request.param("id"), commandOptions(request));
      return noContent();
    },
  };
}

export const instanceRoutes: readonly Route[] = [
  {
    method: "post",
    path: "/workflows/:name/instances",
    operation: "startInstance",
    summary: "Starts an instance of a workflow.",
    parameters: [idempotencyKey],
    bodies: { [JSON_TYPE]: startBody },
    answers: started,
    async handle(request) {
      const { key, input, ...given } = await readBody<StartBody>(request, startBody);
      const engine = await request.engine();
      const name = request.param("name");
      const { id: commandId } = commandOptions(request);
      const { id, run } = await engine.start(name, input, { ...given, ...defined({ key, id: commandId }) });
      return startedAnswer(request, { id, run });
    },
  },
  {
    method: "post",
    path: "/instances/:id/events",
    operation: "sendEvent",
    summary: "Sends an event: plain, or as a CloudEvent in structured or binary form.",
    parameters: [idempotencyKey],
    bodies: { [JSON_TYPE]: eventBody, [CLOUD_EVENT_TYPE]: cloudEventSchema },
    answers: {
      200: { description: "A step took it.", schema: eventAnswer },
      202: { description: "It waits for a step that still may take it.", schema: eventAnswer },
    },
    async handle(request) {
      const sent =
        (await readCloudEvent(request.raw, request.bodyLimit)) ?? (await readBody<SentEvent>(request, eventBody));
      const { event, payload, step, id } = sent;
      const engine = await request.engine();
      const options = { ...defined({ step, id }), ...commandOptions(request) };
      return eventAnswered(await engine.resume(request.param("id"), event, payload, options));
    },
  },
  {
    method: "post",
    path: "/instances/:id/schedule",
    operation: "scheduleEvent",
    summary: "Sets the timer of a waiting step, which then ends with an event; its only one unless named.",
    parameters: [idempotencyKey],
    bodies: { [JSON_TYPE]: scheduleBody },
    answers: done,
    async handle(request) {
      const { step, delay, event } = await readBody<ScheduleBody>(request, scheduleBody);
      const engine = await request.engine();
      const options = { ...commandOptions(request), ...defined({ event }) };
      await engine.scheduleResume(request.param("id"), step, delay, options);
      return noContent();
    },
  },
  control("cancel", "Ends an instance and compensates what it did."),
  control("pause", "Stops an instance from starting further steps."),
  control("unpause", "Lets a paused instance go on."),
  control("retry", "Runs what failed again."),
  control("adopt", "Lets a parked instance go on with the code that is here now."),
  {
    method: "post",
    path: "/instances/:id/restart",
    operation: "restartInstance",
    summary: "Starts the next run of an instance that has ended, with the same input unless given.",
    parameters: [idempotencyKey],
    bodies: { [JSON_TYPE]: restartBody },
    answers: started,
    async handle(request) {
      const body = await readBody<StartOptions & { readonly input?: Json }>(request, restartBody);
      const engine = await request.engine();
      const { id, run } = await engine.restart(request.param("id"), { ...body, ...commandOptions(request) });
      return startedAnswer(request, { id, run });
    },
  },
  {
    method: "delete",
    path: "/instances/:id",
    operation: "deleteInstance",
    summary: "Removes an instance that has ended.",
    parameters: [idempotencyKey],
    answers: done,
    async handle(request) {
      const engine = await request.engine();
      await engine.delete(request.param("id"), commandOptions(request));
      return noContent();
    },
  },
  {
    method: "get",
    path: "/instances/:id",
    operation: "getInstance",
    summary: "Where an instance stands: its status, its steps and their results.",
    answers: { 200: { description: "The instance.", schema: ref("Instance") } },
    async handle(request) {
      const engine = await request.engine();
      return json(await engine.get(request.param("id")));
    },
  },
  {
    method: "get",
    path: "/instances/:id/history",
    operation: "getHistory",
    summary: "All that happened to an instance's latest run.",
    answers: { 200: { description: "Oldest first.", schema: list(ref("HistoryEntry")) } },
    async handle(request) {
      const engine = await request.engine();
      return json({ items: await engine.history(request.param("id")) });
    },
  },
  {
    method: "get",
    path: "/instances/:id/result",
    operation: "getResult",
    summary:
      "The result of a run that has completed; follow /changes to learn when. 409 while it runs, or when it failed.",
    answers: { 200: { description: "The results of the output steps.", schema: result } },
    async handle(request) {
      const engine = await request.engine();
      const id = request.param("id");
      const { status, run } = await engine.get(id);
      if (!isEnded(status)) {
        throw new HephaestusError("STATUS_REFUSES", `${id} is ${status}: it has no result yet`, { id, run, status });
      }
      return json({ result: await engine.result(id) });
    },
  },
  {
    method: "get",
    path: "/instances/:id/changes",
    operation: "followInstance",
    summary: "An instance's changes as they are committed, as Server-Sent Events: first where it stands, last its end.",
    parameters: [
      {
        in: "header",
        name: "Last-Event-ID",
        description: "The last event that was seen, on coming back: only newer ones are told.",
        schema: { type: "string" },
      },
    ],
    answers: {
      200: {
        description: "Events named `change`; the id of each is its revision.",
        schema: ref("InstanceChange"),
        contentType: "text/event-stream",
      },
      204: { description: "The run ended with the event that was seen last." },
    },
    async handle(request) {
      const engine = await request.engine();
      const id = request.param("id");
      if (request.raw.method === "HEAD") {
        await engine.get(id);
        return new Response(null, { headers: eventStreamHeaders });
      }
      const { clock, heartbeatMs, raw } = request;
      const lastEventId = raw.headers.get("last-event-id");
      return liveUpdates(engine, id, { clock, heartbeatMs, lastEventId, signal: raw.signal });
    },
  },
  {
    method: "get",
    path: "/instances",
    operation: "listInstances",
    summary: "Instances that fit all conditions, in pages.",
    parameters: filterParameters,
    answers: {
      200: { description: "A page; `next` is the cursor of the next one.", schema: page(ref("InstanceSummary")) },
    },
    async handle(request) {
      const filter = readFilter(request.url.searchParams);
      const engine = await request.engine();
      return json(await engine.list(filter));
    },
  },
];

function startedAnswer({ url }: RouteRequest, { id, run }: Started): Response {
  // The routes may be mounted anywhere: what stands before them in this path stands before the instance's too.
  const base = url.pathname.replace(/\/(?:workflows\/[^/]*\/instances|instances\/[^/]*\/restart)$/, "");
  return json({ id, run }, 201, { location: base + instancePath(id) });
}

function eventAnswered(outcome: EventReply): Response {
  return json({ outcome }, outcome === "delivered" ? 200 : 202);
}
