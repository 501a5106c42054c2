import { headers } from "next/headers";
import { redirect } from "next/navigation";
import { sessionPerson } from "#lib/auth/session.ts";
import type { Role } from "#lib/auth/shapes.ts";
import type { PersonRow } from "#lib/auth/store/people.ts";
import { context } from "#lib/context.ts";

/** Who looks at a page. The same facts as `GET /api/v1/session`. */
export interface PageSession {
  user: { id: string; email: string; name: string | null; role: Role };
  role: Role;
  workspace: { id: string; name: string; demo: boolean };
}

/** For every page behind sign-in: its session, or a redirect to sign-in that leads back here. */
export async function requirePageSession(): Promise<PageSession> {
  const session = await pageSession();
  if (session !== null) return session;
  // proxy.ts names the page; without it sign-in leads home.
  const path = (await headers()).get("x-bellwether-path");
  redirect(path && path !== "/" ? `/sign-in?callbackUrl=${encodeURIComponent(path)}` : "/sign-in");
}

/** The session, or null for a page that also shows itself to strangers. */
export async function pageSession(): Promise<PageSession | null> {
  const person = await sessionPerson(context(), (await headers()).get("cookie"));
  return person && sessionOf(person);
}

function sessionOf(person: PersonRow): PageSession {
  const { userId, email, name, role, workspaceId, workspaceName, demo } = person;
  return {
    user: { id: userId, email, name, role },
    role,
    workspace: { id: String(workspaceId), name: workspaceName, demo },
  };
}
