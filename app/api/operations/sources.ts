import { operation } from "#app/api/operation.ts";
import {
  eventDetail,
  eventList,
  eventsQuery,
  rotateBody,
  source,
  sourceBody,
  sourceCreated,
  sourceList,
  sourcePatch,
  sourcesQuery,
} from "#lib/sources/shapes.ts";

const base = "/api/v1/sources";
const one = `${base}/{id}`;

export const listSources = operation({
  id: "listSources",
  method: "GET",
  path: base,
  summary: "Programs that send events",
  role: "viewer",
  query: sourcesQuery,
  answer: sourceList,
});
export const createSource = operation({
  id: "createSource",
  method: "POST",
  path: base,
  summary: "A source and its first write key, shown this once",
  role: "admin",
  body: sourceBody,
  answer: sourceCreated,
  status: 201,
  idempotent: true,
});
export const getSource = operation({
  id: "getSource",
  method: "GET",
  path: one,
  summary: "One source",
  role: "viewer",
  answer: source,
});
export const updateSource = operation({
  id: "updateSource",
  method: "PATCH",
  path: one,
  summary: "Rename a source; switch it on or off",
  role: "admin",
  body: sourcePatch,
  answer: source,
  span: "long",
});
export const deleteSource = operation({
  id: "deleteSource",
  method: "DELETE",
  path: one,
  summary: "Remove a source: its keys are refused from now on, its events stay",
  role: "admin",
  status: 204,
  span: "long",
});
export const rotateWriteKey = operation({
  id: "rotateWriteKey",
  method: "POST",
  path: `${one}/rotate`,
  summary: "A new write key, shown this once; the former one ends now or after a while",
  role: "admin",
  body: rotateBody,
  answer: sourceCreated,
  status: 201,
  idempotent: true,
  span: "long",
});
export const listEvents = operation({
  id: "listEvents",
  method: "GET",
  path: "/api/v1/events",
  summary: "Events as they arrived, newest first",
  role: "csm",
  query: eventsQuery,
  answer: eventList,
  quiet: true,
});
export const getEvent = operation({
  id: "getEvent",
  method: "GET",
  path: "/api/v1/events/{id}",
  summary: "One event as it came, and what became of it",
  role: "csm",
  answer: eventDetail,
});
