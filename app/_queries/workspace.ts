import { queryOptions } from "@tanstack/react-query";
import type { z } from "zod";
import { apiGet, apiSend } from "#app/_queries/client.ts";
import type { List } from "#lib/api/shapes.ts";
import type { apiKey, apiKeyCreated, Role, SessionAnswer, User, userCreated, userPatch } from "#lib/auth/shapes.ts";
import type { WorkspacePatch, WorkspaceSettings } from "#lib/workspace/shapes.ts";

export type ApiKey = z.infer<typeof apiKey>;
export type ApiKeyCreated = z.infer<typeof apiKeyCreated>;
export type UserCreated = z.infer<typeof userCreated>;
export type UserPatch = z.infer<typeof userPatch>;

export const workspaceQueries = {
  session: () =>
    queryOptions({
      queryKey: ["session"],
      queryFn: ({ signal }) => apiGet<SessionAnswer>("/api/v1/session", {}, signal),
      staleTime: 5 * 60_000,
    }),
  settings: () =>
    queryOptions({
      queryKey: ["workspace"],
      queryFn: ({ signal }) => apiGet<WorkspaceSettings>("/api/v1/workspace", {}, signal),
    }),
  users: () =>
    queryOptions({
      queryKey: ["users"],
      queryFn: ({ signal }) => apiGet<List<User>>("/api/v1/users", { limit: 500 }, signal),
    }),
  apiKeys: () =>
    queryOptions({
      queryKey: ["api-keys"],
      queryFn: ({ signal }) => apiGet<List<ApiKey>>("/api/v1/api-keys", { limit: 500 }, signal),
    }),
};

export const patchWorkspace = (patch: WorkspacePatch) =>
  apiSend<WorkspaceSettings>("PATCH", "/api/v1/workspace", patch);
export const createUser = (body: { email: string; name: string | null; role: Role }) =>
  apiSend<UserCreated>("POST", "/api/v1/users", body);
export const patchUser = (id: string, patch: UserPatch) => apiSend<User>("PATCH", `/api/v1/users/${id}`, patch);
export const createApiKey = (body: { name: string; role: Role }) =>
  apiSend<ApiKeyCreated>("POST", "/api/v1/api-keys", body);
export const revokeApiKey = (id: string) => apiSend<void>("DELETE", `/api/v1/api-keys/${id}`);
