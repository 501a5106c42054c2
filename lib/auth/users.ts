import type { z } from "zod";
import type { Db, Trx } from "#db/client.ts";
import { type List, pageOf, positionFrom } from "#lib/api/cursor.ts";
import { generatePassword, hashPassword } from "#lib/auth/passwords.ts";
import type { Role, User, userBody, userCreated, userPatch } from "#lib/auth/shapes.ts";
import {
  insertUser,
  lockAdministrators,
  lockUser,
  selectUsers,
  type UserChange,
  updateUserRow,
} from "#lib/auth/store/users.ts";
import { AppError, notFound } from "#lib/errors.ts";

export async function listUsers(
  db: Db,
  workspaceId: number,
  query: { limit: number; cursor?: string | undefined },
): Promise<List<User>> {
  const [after] = positionFrom(query.cursor, ["text"]) ?? [null];
  const rows = await selectUsers(db, workspaceId, { after, limit: query.limit + 1 });
  return pageOf(rows, query.limit, shown, (row) => [row.email]);
}

/** Adds a person. Without a password one is generated: `password` in the answer is the only time it is told. */
export async function createUser(
  db: Db,
  workspaceId: number,
  body: z.output<typeof userBody>,
  now: Date,
): Promise<z.infer<typeof userCreated>> {
  const email = body.email.toLowerCase();
  const generated = body.password === undefined ? generatePassword() : null;
  const passwordHash = await hashPassword(body.password ?? generated ?? "");
  const person = { email, name: body.name || null, role: body.role, passwordHash };
  const row = await insertUser(db, workspaceId, person, now);
  if (row === null) throw new AppError("conflict", `${email} is a person of this workspace already.`);
  return { ...shown(row), password: generated };
}

/**
 * Changes a person. A new role, a new password or disabling ends the person's sessions. The last administrator who can sign in
 * is neither demoted nor disabled: nobody could undo it (`conflict`).
 */
export async function updateUser(
  trx: Trx,
  workspaceId: number,
  userId: string,
  patch: z.output<typeof userPatch>,
  now: Date,
): Promise<User> {
  const administrators = await lockAdministrators(trx, workspaceId);
  const user = await lockUser(trx, workspaceId, userId);
  if (user === undefined) throw notFound("The person");
  const losesAdmin = patch.disabled === true || (patch.role !== undefined && patch.role !== "admin");
  if (losesAdmin && administrators.length === 1 && administrators[0] === userId) {
    throw new AppError(
      "conflict",
      `${user.email} is the only administrator who can sign in. Make somebody else an administrator first.`,
    );
  }
  return shown(await updateUserRow(trx, workspaceId, userId, await changeOf(user, patch, now)));
}

async function changeOf(
  user: { role: string; disabled_at: Date | null },
  patch: z.output<typeof userPatch>,
  now: Date,
): Promise<UserChange> {
  const { name, role, disabled, password, unlock } = patch;
  const isDisabled = user.disabled_at !== null;
  return {
    ...(name !== undefined && { name: name || null }),
    ...(role !== undefined && { role }),
    ...(disabled !== undefined && disabled !== isDisabled && { disabledAt: disabled ? now : null }),
    ...(password !== undefined && { passwordHash: await hashPassword(password) }),
    // Who gives a new password means it to be used now.
    unlock: unlock === true || password !== undefined,
    signOut: password !== undefined || (role !== undefined && role !== user.role) || (disabled === true && !isDisabled),
  };
}

function shown(row: Awaited<ReturnType<typeof selectUsers>>[number]): User {
  return {
    id: row.id,
    email: row.email,
    name: row.name,
    role: row.role as Role,
    disabled: row.disabled_at !== null,
    lockedUntil: row.locked_until?.toISOString() ?? null,
    lastSignInAt: row.last_sign_in_at?.toISOString() ?? null,
    createdAt: row.created_at.toISOString(),
  };
}
