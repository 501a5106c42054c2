import type { Db } from "#db/client.ts";
import { keyHolder } from "#lib/auth/api-keys.ts";
import { sessionPerson } from "#lib/auth/session.ts";
import type { Role, SessionAnswer } from "#lib/auth/shapes.ts";
import { workspaceFacts } from "#lib/auth/store/workspaces.ts";
import type { Context } from "#lib/context.ts";
import { AppError } from "#lib/errors.ts";

/** Who is asking: a person by the browser's session, or a program by its API key. `label` names either for other people. */
export type Actor = Person | Program;

export interface Person {
  type: "person";
  workspaceId: number;
  role: Role;
  label: string;
  userId: string;
  email: string;
  name: string | null;
}

export interface Program {
  type: "key";
  workspaceId: number;
  role: Role;
  label: string;
  keyId: string;
  name: string;
}

/**
 * A request that carries an Authorization header is judged by it alone, never by a cookie beside it. Throws
 * `unauthenticated`, with one answer for keys that are unknown, revoked or nonsense.
 */
export async function identify(ctx: Pick<Context, "db" | "config">, request: Request, now: Date): Promise<Actor> {
  const authorization = request.headers.get("authorization");
  if (authorization !== null) return keyHolderOf(ctx, authorization, now);
  const person = await sessionPerson(ctx, request.headers.get("cookie"));
  if (person === null) {
    throw new AppError("unauthenticated", "Sign in, or send an API key: Authorization: Bearer <key>.");
  }
  const { workspaceId, role, userId, email, name } = person;
  return { type: "person", workspaceId, role, label: email, userId, email, name };
}

/** The program whose API key an Authorization header carries; throws `unauthenticated` for every other header. */
export async function keyHolderOf(ctx: Pick<Context, "db">, authorization: string, now: Date): Promise<Program> {
  const key = /^bearer +(\S+)$/i.exec(authorization.trim())?.[1];
  const holder = key === undefined ? undefined : await keyHolder(ctx.db, key, now);
  if (holder === undefined) {
    throw new AppError("unauthenticated", "The API key is not one that works here: Authorization: Bearer <key>.");
  }
  const { workspaceId, role, keyId, name } = holder;
  return { type: "key", workspaceId, role, label: `API key “${name}”`, keyId, name };
}

/** What `GET /api/v1/session` says of who is asking; `user` is null for a program. */
export async function sessionOf(db: Db, actor: Actor): Promise<SessionAnswer> {
  const { name, demo } = await workspaceFacts(db, actor.workspaceId);
  const { role, workspaceId } = actor;
  const user = actor.type === "person" ? { id: actor.userId, email: actor.email, name: actor.name, role } : null;
  return { user, role, workspace: { id: String(workspaceId), name, demo } };
}
