import { operation } from "#app/api/operation.ts";
import { listQuery } from "#lib/api/shapes.ts";
import {
  actionList,
  actionsBody,
  actionVersionList,
  decisionBody,
  deliveriesQuery,
  delivery,
  deliveryDetail,
  deliveryList,
  destination,
  destinationBody,
  destinationList,
  destinationPatch,
  dryRun,
  dryRunBody,
  preview,
  previewBody,
  reasonList,
  reasonsQuery,
  replayable,
  replayBody,
  replayed,
  replayQuery,
  testAnswer,
  testBody,
  writeBack,
  writeBackBody,
} from "#lib/destinations/shapes.ts";

const base = "/api/v1/destinations";
const one = `${base}/{id}`;
const deliveries = "/api/v1/deliveries";

export const listDestinations = operation({
  id: "listDestinations",
  method: "GET",
  path: base,
  summary: "Zendesks that events are written to",
  role: "viewer",
  query: listQuery,
  answer: destinationList,
});
export const createDestination = operation({
  id: "createDestination",
  method: "POST",
  path: base,
  summary: "Write events to a connection that may be written to",
  role: "admin",
  body: destinationBody,
  answer: destination,
  status: 201,
  idempotent: true,
});
export const getDestination = operation({
  id: "getDestination",
  method: "GET",
  path: one,
  summary: "One destination and the settings that hold",
  role: "viewer",
  answer: destination,
});
export const updateDestination = operation({
  id: "updateDestination",
  method: "PATCH",
  path: one,
  summary: "Rename, switch on or off, change sources, profile or settings",
  role: "admin",
  body: destinationPatch,
  answer: destination,
  span: "long",
});
export const deleteDestination = operation({
  id: "deleteDestination",
  method: "DELETE",
  path: one,
  summary: "Remove a destination; what was not sent is listed as failed",
  role: "admin",
  status: 204,
  span: "long",
});
export const stopDestination = operation({
  id: "stopDestination",
  method: "POST",
  path: `${one}/stop`,
  summary: "Send nothing more, within five seconds; what is queued stays queued",
  role: "csm",
  answer: destination,
  idempotent: true,
});
export const startDestination = operation({
  id: "startDestination",
  method: "POST",
  path: `${one}/start`,
  summary: "Go on sending after a stop",
  role: "admin",
  answer: destination,
  idempotent: true,
  span: "long",
});
export const testDestination = operation({
  id: "testDestination",
  method: "POST",
  path: `${one}/test`,
  summary: "Send a sample event all the way, also while the destination is off",
  role: "admin",
  body: testBody,
  answer: testAnswer,
  idempotent: true,
  span: "long",
});
export const dryRunDestination = operation({
  id: "dryRunDestination",
  method: "POST",
  path: `${one}/dry-run`,
  summary: "What would be created, changed and removed; Zendesk is asked, nothing is written",
  role: "csm",
  body: dryRunBody,
  answer: dryRun,
  span: "long",
});
export const getActions = operation({
  id: "getActions",
  method: "GET",
  path: `${one}/actions`,
  summary: "The six actions as they are set",
  role: "viewer",
  answer: actionList,
});
export const replaceActions = operation({
  id: "replaceActions",
  method: "PUT",
  path: `${one}/actions`,
  summary:
    "Set triggers, mappings and order, with expectedVersion only where no other was stored; former versions are kept",
  role: "admin",
  body: actionsBody,
  answer: actionList,
});
export const listActionVersions = operation({
  id: "listActionVersions",
  method: "GET",
  path: `${one}/actions/versions`,
  summary: "What the actions were before, newest first",
  role: "viewer",
  query: listQuery,
  answer: actionVersionList,
});
export const previewActions = operation({
  id: "previewActions",
  method: "POST",
  path: `${one}/actions/preview`,
  summary: "What each action would make of an event; nothing is sent",
  role: "csm",
  body: previewBody,
  answer: preview,
});
export const getWriteBack = operation({
  id: "getWriteBack",
  method: "GET",
  path: `${one}/write-back`,
  summary: "Which account numbers are written to organization fields",
  role: "viewer",
  answer: writeBack,
});
export const replaceWriteBack = operation({
  id: "replaceWriteBack",
  method: "PUT",
  path: `${one}/write-back`,
  summary: "Choose what is written back; nothing is, until chosen",
  role: "admin",
  body: writeBackBody,
  answer: writeBack,
});
export const listDeliveries = operation({
  id: "listDeliveries",
  method: "GET",
  path: deliveries,
  summary: "Every write and what became of it, newest first",
  role: "csm",
  query: deliveriesQuery,
  answer: deliveryList,
  quiet: true,
});
export const getDelivery = operation({
  id: "getDelivery",
  method: "GET",
  path: `${deliveries}/{id}`,
  summary: "One write with its event and everything that was said to Zendesk, secrets removed",
  role: "csm",
  answer: deliveryDetail,
});
export const listReasons = operation({
  id: "listReasons",
  method: "GET",
  path: `${deliveries}/reasons`,
  summary: "Why the deliveries of a filter stand as they do: each code with how many have it",
  role: "csm",
  query: reasonsQuery,
  answer: reasonList,
  quiet: true,
});
export const countReplayable = operation({
  id: "countReplayable",
  method: "GET",
  path: `${deliveries}/replay`,
  summary: "How many deliveries a replay of a filter would take up now",
  role: "csm",
  query: replayQuery,
  answer: replayable,
});
export const replayDeliveries = operation({
  id: "replayDeliveries",
  method: "POST",
  path: `${deliveries}/replay`,
  summary: "Try again what failed, is unknown or was held: these, or all that a filter leaves",
  role: "admin",
  body: replayBody,
  answer: replayed,
  idempotent: true,
  span: "long",
});
export const approveDelivery = operation({
  id: "approveDelivery",
  method: "POST",
  path: `${deliveries}/{id}/approve`,
  summary:
    "Do what is held for a person's word, or create the user for want of whom it failed; what is unknown can only be replayed or discarded",
  role: "admin",
  body: decisionBody,
  answer: delivery,
  idempotent: true,
  span: "long",
});
export const discardDelivery = operation({
  id: "discardDelivery",
  method: "POST",
  path: `${deliveries}/{id}/discard`,
  summary: "Never do this; it is listed as failed, with who decided",
  role: "admin",
  body: decisionBody,
  answer: delivery,
  idempotent: true,
  span: "long",
});
