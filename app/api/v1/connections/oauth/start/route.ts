import { plainRoute } from "#app/api/handler.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { redirectUri, requireAdministrator } from "#app/api/v1/connections/oauth/browser.ts";
import { startAuthorization } from "#lib/connections/authorize.ts";
import { connectionScope } from "#lib/connections/list.ts";

/** `?subdomain=` (and `access=read_write`, `name=`), or `?connectionId=` to sign in again for a connection (with `access=read_write` to be granted writing too). */
export const GET = plainRoute("oauth start", async (request, call) => {
  const person = await requireAdministrator(request, call);
  const { searchParams } = new URL(request.url);
  const connectionId = searchParams.get("connectionId");
  const start = {
    subdomain: searchParams.get("subdomain") ?? undefined,
    connectionId: connectionId ? connectionScope(person.workspaceId, connectionId).connectionId : undefined,
    access: searchParams.get("access") === "read_write" ? ("read_write" as const) : ("read" as const),
    confirmLogin: searchParams.get("confirmLogin") === "1",
    name: searchParams.get("name")?.trim().slice(0, 200) || undefined,
  };
  const location = await startAuthorization(call.context, person, start, redirectUri(request, call), call.now);
  return new Response(null, { status: 302, headers: { location } });
});

export const { POST, PUT, PATCH, DELETE } = otherMethodsThan("GET");
