import path from "node:path";
import type { ApiRoute } from "#app/api/handler.ts";
import type { Operation } from "#app/api/operation.ts";
import { allOperations } from "#app/api/v1/openapi.json/document.ts";
import { requestOf } from "#test/support/api.ts";

/** What a workspace owns one of, for the addresses of operations. */
export type OwnedIds = Record<
  | "connection"
  | "account"
  | "organization"
  | "run"
  | "user"
  | "apiKey"
  | "source"
  | "event"
  | "destination"
  | "delivery",
  string
>;

export const everyGet = allOperations.filter(({ method }) => method === "GET");

/** What a list cannot do without, by operation. */
const needed: Record<string, string> = { listCustomFields: "?subject=organization" };

/** Calls an operation's own route on what `ids` name. Throws for an operation that names something else. */
export async function callOperation(
  operation: Operation,
  ids: OwnedIds,
  options: Parameters<typeof requestOf>[2] & { query?: string } = {},
): Promise<Response> {
  const params = paramsOf(operation, ids);
  const address = operation.path.replaceAll(/\{(\w+)\}/g, (whole, name: string) => params[name] ?? whole);
  if (address.includes("{")) throw new Error(`${operation.path} names something that there is no id for`);
  const serve = await routeOf(operation);
  const query = options.query || needed[operation.id] || "";
  return serve(requestOf(operation.method, `${address}${query}`, options), {
    params: Promise.resolve(params),
  });
}

async function routeOf(operation: Operation): Promise<ApiRoute<Operation>> {
  const folder = operation.path.replaceAll("{", "[").replaceAll("}", "]");
  const file = path.resolve(import.meta.dirname, "../../app", `.${folder}`, "route.ts");
  const module: Record<string, ApiRoute<Operation>> = await import(file);
  return module[operation.method] as ApiRoute<Operation>;
}

function paramsOf(operation: Operation, ids: OwnedIds): Record<string, string> {
  const owner = /^\/api\/v1\/([\w-]+)\/\{id\}/.exec(operation.path)?.[1] ?? "";
  const own = {
    accounts: ids.account,
    connections: ids.connection,
    users: ids.user,
    "api-keys": ids.apiKey,
    sources: ids.source,
    events: ids.event,
    destinations: ids.destination,
    deliveries: ids.delivery,
  }[owner];
  return {
    ...(own !== undefined && { id: own }),
    ...(operation.path.includes("{runId}") && { runId: ids.run }),
    ...(operation.path.includes("{organizationId}") && { organizationId: ids.organization }),
  };
}
