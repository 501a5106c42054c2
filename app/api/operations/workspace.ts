import { operation } from "#app/api/operation.ts";
import { listQuery } from "#lib/api/shapes.ts";
import {
  apiKeyBody,
  apiKeyCreated,
  apiKeyList,
  sessionAnswer,
  user,
  userBody,
  userCreated,
  userList,
  userPatch,
} from "#lib/auth/shapes.ts";
import { workspacePatch, workspaceSettings } from "#lib/workspace/shapes.ts";

export const getSession = operation({
  id: "getSession",
  method: "GET",
  path: "/api/v1/session",
  summary: "Who is asking",
  role: "viewer",
  answer: sessionAnswer,
});
export const getWorkspace = operation({
  id: "getWorkspace",
  method: "GET",
  path: "/api/v1/workspace",
  summary: "Settings of the workspace",
  role: "viewer",
  answer: workspaceSettings,
});
export const updateWorkspace = operation({
  id: "updateWorkspace",
  method: "PATCH",
  path: "/api/v1/workspace",
  summary: "Change settings; every number is right when the call returns",
  role: "admin",
  body: workspacePatch,
  answer: workspaceSettings,
});
export const listUsers = operation({
  id: "listUsers",
  method: "GET",
  path: "/api/v1/users",
  summary: "People who sign in",
  role: "admin",
  query: listQuery,
  answer: userList,
});
export const createUser = operation({
  id: "createUser",
  method: "POST",
  path: "/api/v1/users",
  summary: "Add a person",
  role: "admin",
  body: userBody,
  answer: userCreated,
  status: 201,
  idempotent: true,
});
export const updateUser = operation({
  id: "updateUser",
  method: "PATCH",
  path: "/api/v1/users/{id}",
  summary: "Change a person's name, role or password, disable or unlock",
  role: "admin",
  body: userPatch,
  answer: user,
});
export const listApiKeys = operation({
  id: "listApiKeys",
  method: "GET",
  path: "/api/v1/api-keys",
  summary: "API keys",
  role: "admin",
  query: listQuery,
  answer: apiKeyList,
});
export const createApiKey = operation({
  id: "createApiKey",
  method: "POST",
  path: "/api/v1/api-keys",
  summary: "Make an API key; its value is shown this once",
  role: "admin",
  body: apiKeyBody,
  answer: apiKeyCreated,
  status: 201,
  idempotent: true,
});
export const revokeApiKey = operation({
  id: "revokeApiKey",
  method: "DELETE",
  path: "/api/v1/api-keys/{id}",
  summary: "Revoke an API key",
  role: "admin",
  status: 204,
});
