import type { PlainCall } from "#app/api/handler.ts";
import { identify, type Person } from "#lib/auth/actor.ts";
import { allows } from "#lib/auth/roles.ts";
import { AppError } from "#lib/errors.ts";

/** The person whose browser asks; only an administrator connects a Zendesk, and only with a session that the state can be bound to. */
export async function requireAdministrator(request: Request, { context, now }: PlainCall): Promise<Person> {
  const actor = await identify(context, request, now);
  if (actor.type !== "person") {
    throw new AppError("forbidden", "Connecting by sign-in at Zendesk needs a browser's session, not an API key.");
  }
  if (!allows(actor.role, "admin")) {
    throw new AppError("forbidden", `Connecting a Zendesk needs the role admin; yours is ${actor.role}.`);
  }
  return actor;
}

/** Where Zendesk sends the browser back to: under the configured origin, else under the host that the browser knows. */
export function redirectUri(request: Request, { context }: PlainCall): string {
  return new URL("/api/v1/connections/oauth/callback", ownOrigin(request, context.config.server.publicUrl)).href;
}

function ownOrigin(request: Request, publicUrl: string | null): string {
  if (publicUrl !== null) return publicUrl;
  const first = (name: string) => request.headers.get(name)?.split(",")[0]?.trim();
  const { protocol, host } = new URL(request.url);
  return `${first("x-forwarded-proto") ?? protocol.slice(0, -1)}://${first("x-forwarded-host") ?? first("host") ?? host}`;
}

/** A redirect inside the product; relative, so that it holds behind any proxy. */
export function toScreen(path: string): Response {
  return new Response(null, { status: 303, headers: { location: path } });
}
