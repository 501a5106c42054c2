import { z } from "zod";
import { operation } from "#app/api/operation.ts";
import { listQuery } from "#lib/api/shapes.ts";
import {
  absenceApprovalBody,
  absenceList,
  absentStream,
  connection,
  connectionBody,
  connectionList,
  connectionPatch,
  customFieldList,
  customFieldsQuery,
  doctorReport,
  driftDayList,
  driftRowList,
  driftRunList,
  heldDecisionBody,
  heldRetried,
  heldRetryBody,
  heldRow,
  heldRowList,
  heldRowsQuery,
  reconnectBody,
  run,
  runList,
  streamName,
  syncBody,
  syncStarted,
} from "#lib/connections/shapes.ts";
import {
  decisionBody,
  decisionImport,
  matchKeysAnswer,
  matchKeysBody,
  matchKeysSaved,
  matchPreview,
  organizationItem,
  organizationList,
  organizationsQuery,
} from "#lib/matching/shapes.ts";
import { noticeList } from "#lib/notifications/shapes.ts";
import { changes, webhook, webhookBody } from "#lib/webhooks/shapes.ts";

const base = "/api/v1/connections";
const one = `${base}/{id}`;

export const createConnection = operation({
  id: "createConnection",
  method: "POST",
  path: base,
  summary: "Connect a Zendesk; the login is tried at once",
  role: "admin",
  body: connectionBody,
  answer: connection,
  status: 201,
  idempotent: true,
  span: "long",
});
export const listConnections = operation({
  id: "listConnections",
  method: "GET",
  path: base,
  summary: "Connections with the state of every stream",
  role: "viewer",
  query: listQuery,
  answer: connectionList,
});
export const getConnection = operation({
  id: "getConnection",
  method: "GET",
  path: one,
  summary: "One connection",
  role: "viewer",
  answer: connection,
});
export const updateConnection = operation({
  id: "updateConnection",
  method: "PATCH",
  path: one,
  summary: "Rename, pause, resume, change history or login",
  role: "admin",
  body: connectionPatch,
  answer: connection,
  span: "long",
});
export const deleteConnection = operation({
  id: "deleteConnection",
  method: "DELETE",
  path: one,
  summary: "Delete an archived connection, keeping or purging what it read",
  role: "admin",
  query: z.object({ data: z.enum(["keep", "purge"]) }),
  status: 204,
  span: "long",
});
export const disconnectConnection = operation({
  id: "disconnectConnection",
  method: "POST",
  path: `${one}/disconnect`,
  summary: "Stop reading and destroy the login; what was read stays",
  role: "admin",
  answer: connection,
  idempotent: true,
  span: "long",
});
export const reconnectConnection = operation({
  id: "reconnectConnection",
  method: "POST",
  path: `${one}/reconnect`,
  summary: "Sign in again to the same Zendesk account; reading goes on where it stood",
  role: "admin",
  body: reconnectBody,
  answer: connection,
  idempotent: true,
  span: "long",
});
export const archiveConnection = operation({
  id: "archiveConnection",
  method: "POST",
  path: `${one}/archive`,
  summary: "Put a disconnected connection away",
  role: "admin",
  answer: connection,
  idempotent: true,
});
export const startSync = operation({
  id: "startSync",
  method: "POST",
  path: `${one}/sync`,
  summary: "Start a run now, or name the one that runs; of a paused connection too, which stays paused",
  role: "csm",
  body: syncBody,
  answer: syncStarted,
  status: 202,
  idempotent: true,
  span: "long",
});
export const listRuns = operation({
  id: "listRuns",
  method: "GET",
  path: `${one}/runs`,
  summary: "Runs, newest first",
  role: "viewer",
  query: listQuery,
  answer: runList,
  span: "long",
});
export const getRun = operation({
  id: "getRun",
  method: "GET",
  path: `${one}/runs/{runId}`,
  summary: "One run with its progress",
  role: "viewer",
  answer: run,
  span: "long",
});
export const listHeldRows = operation({
  id: "listHeldRows",
  method: "GET",
  path: `${one}/held`,
  summary:
    "Rows that could not be stored, each with its reason and the beginning of its text, those that were set aside too; with `key`, one with all of its text",
  role: "admin",
  query: heldRowsQuery,
  answer: heldRowList,
});

export const setHeldRowAside = operation({
  id: "setHeldRowAside",
  method: "POST",
  path: `${one}/held/set-aside`,
  summary:
    "Set a held row aside, so that its stream is not degraded for it until it comes with other bytes; or take that back",
  role: "admin",
  body: heldDecisionBody,
  answer: heldRow,
  idempotent: true,
});

export const retryHeldRows = operation({
  id: "retryHeldRows",
  method: "POST",
  path: `${one}/held/retry`,
  summary: "Try to store held rows again",
  role: "admin",
  body: heldRetryBody,
  answer: heldRetried,
  idempotent: true,
  span: "long",
});

export const listDrift = operation({
  id: "listDrift",
  method: "GET",
  path: `${one}/drift`,
  summary: "The ledger: what each check of the past year found and repaired, newest first",
  role: "viewer",
  query: listQuery,
  answer: driftRunList,
});
export const listDriftDays = operation({
  id: "listDriftDays",
  method: "GET",
  path: `${one}/drift/{runId}/days`,
  summary: "One check by day of the rows' versions, newest first; by default only days on which something differed",
  role: "viewer",
  query: listQuery.extend({ stream: streamName.optional(), all: z.enum(["0", "1"]).optional() }),
  answer: driftDayList,
});
export const listDriftRows = operation({
  id: "listDriftRows",
  method: "GET",
  path: `${one}/drift/{runId}/rows`,
  summary: "The rows that differed in one check, at most 1,000 a stream",
  role: "viewer",
  query: listQuery.extend({ stream: streamName.optional(), day: z.iso.date().optional() }),
  answer: driftRowList,
});
export const listAbsences = operation({
  id: "listAbsences",
  method: "GET",
  path: `${one}/absences`,
  summary: "Stored rows that Zendesk no longer shows",
  role: "viewer",
  query: listQuery.extend({ stream: absentStream.optional() }),
  answer: absenceList,
});
export const approveAbsences = operation({
  id: "approveAbsences",
  method: "POST",
  path: `${one}/absences/approve`,
  summary: "Allow that up to so many absent rows of a stream are gone; each is asked for by its id first",
  role: "admin",
  body: absenceApprovalBody,
  answer: syncStarted,
  status: 202,
  idempotent: true,
  span: "long",
});

export const getDoctorReport = operation({
  id: "getDoctorReport",
  method: "GET",
  path: `${one}/doctor`,
  summary: "What the connection doctor last found",
  role: "viewer",
  answer: doctorReport,
});
export const runDoctor = operation({
  id: "runDoctor",
  method: "POST",
  path: `${one}/doctor`,
  summary: "Run every check of the connection now",
  role: "admin",
  answer: doctorReport,
  idempotent: true,
  span: "long",
});

export const getWebhook = operation({
  id: "getWebhook",
  method: "GET",
  path: `${one}/webhook`,
  summary: "How changes arrive between runs",
  role: "viewer",
  answer: webhook,
});
export const putWebhook = operation({
  id: "putWebhook",
  method: "PUT",
  path: `${one}/webhook`,
  summary: "Use a webhook that a person made in Zendesk: its signing secret",
  role: "admin",
  body: webhookBody,
  answer: webhook,
});
export const deleteWebhook = operation({
  id: "deleteWebhook",
  method: "DELETE",
  path: `${one}/webhook`,
  summary: "Take no more deliveries, and remove our own webhook in Zendesk",
  role: "admin",
  status: 204,
  span: "long",
});
export const checkWebhook = operation({
  id: "checkWebhook",
  method: "POST",
  path: `${one}/webhook/check`,
  summary: "Register the webhook in Zendesk, or check that it stands as it should",
  role: "admin",
  answer: webhook,
  idempotent: true,
  span: "long",
});
export const rotateWebhook = operation({
  id: "rotateWebhook",
  method: "POST",
  path: `${one}/webhook/rotate`,
  summary: "Give the webhook a new signing secret; deliveries signed with the old one are taken for a day",
  role: "admin",
  answer: webhook,
  idempotent: true,
  span: "long",
});
export const getChanges = operation({
  id: "getChanges",
  method: "GET",
  path: "/api/v1/changes",
  summary: "A version that changes whenever numbers or timelines may have changed; cheap to ask every few seconds",
  role: "viewer",
  answer: changes,
  quiet: true,
});
export const listNotices = operation({
  id: "listNotices",
  method: "GET",
  path: "/api/v1/notices",
  summary: "Failures that administrators are told of, newest first",
  role: "viewer",
  query: listQuery.extend({ open: z.enum(["0", "1"]).optional() }),
  answer: noticeList,
});

export const listCustomFields = operation({
  id: "listCustomFields",
  method: "GET",
  path: `${one}/fields`,
  summary: "Custom fields that are in use in Zendesk, as they were read last",
  role: "viewer",
  query: customFieldsQuery,
  answer: customFieldList,
});
export const getMatchKeys = operation({
  id: "getMatchKeys",
  method: "GET",
  path: `${one}/match-keys`,
  summary: "The ladder of match keys",
  role: "viewer",
  answer: matchKeysAnswer,
});
export const putMatchKeys = operation({
  id: "putMatchKeys",
  method: "PUT",
  path: `${one}/match-keys`,
  summary: "Set the ladder; everything stored is re-matched before the answer",
  role: "admin",
  body: matchKeysBody,
  answer: matchKeysSaved,
});
export const previewMatchKeys = operation({
  id: "previewMatchKeys",
  method: "POST",
  path: `${one}/match-keys/preview`,
  summary: "What a ladder would give and change; changes nothing",
  role: "viewer",
  body: matchKeysBody,
  answer: matchPreview,
});
export const listOrganizations = operation({
  id: "listOrganizations",
  method: "GET",
  path: `${one}/organizations`,
  summary: "Organizations with their match and its reason",
  role: "viewer",
  query: organizationsQuery,
  answer: organizationList,
  // As of listAccounts: CSV.
  span: "long",
});
export const importDecisions = operation({
  id: "importDecisions",
  method: "POST",
  path: `${one}/organizations/import`,
  summary: "Upload the corrected unmatched list",
  role: "csm",
  answer: decisionImport,
  idempotent: true,
  span: "long",
  streamed: true,
});
export const putMatch = operation({
  id: "putMatch",
  method: "PUT",
  path: `${one}/organizations/{organizationId}/match`,
  summary: "Decide about one organization: its account, or that it is ignored",
  role: "csm",
  body: decisionBody,
  answer: organizationItem,
});
export const deleteMatch = operation({
  id: "deleteMatch",
  method: "DELETE",
  path: `${one}/organizations/{organizationId}/match`,
  summary: "Take a decision back; the keys decide again",
  role: "csm",
  answer: organizationItem,
});
