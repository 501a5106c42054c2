import { z } from "zod";
import { operation } from "#app/api/operation.ts";
import { listQuery } from "#lib/api/shapes.ts";
import {
  connection,
  connectionBody,
  connectionList,
  connectionPatch,
  heldRowList,
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
  body: connectionBody.pick({ auth: true }).partial(),
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
  summary: "Start a run now, or name the one that runs",
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
  summary: "Rows that could not be stored, each with its reason",
  role: "admin",
  query: listQuery.extend({ stream: streamName.optional() }),
  answer: heldRowList,
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
