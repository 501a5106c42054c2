import { type Db, inWorkspace } from "#db/client.ts";
import { createOwnKey, ensureBootstrapKey, takeOwnKeysBack } from "#lib/auth/api-keys.ts";
import { hashPassword } from "#lib/auth/passwords.ts";
import {
  findWorkspace,
  hasAdministrator,
  insertWorkspace,
  isUnconnected,
  lockFirstStart,
  upsertAdministrator,
} from "#lib/auth/store/workspaces.ts";

export interface FirstStart {
  /** The demo and one's own work are two workspaces: neither start shows the other's numbers. */
  demo: boolean;
  adminEmail: string;
  adminPassword: string;
  bootstrapApiKey?: string | null;
  now: Date;
}

export interface FirstStarted {
  workspaceId: number;
  administratorCreated: boolean;
  /** An administrator's key, only while the demo workspace is still to be filled. */
  demoApiKey?: string;
}

const demoKeyName = "Demo data";

/**
 * Makes what a first visit needs: a workspace, its first administrator and the API key of the environment. Repeatable;
 * two processes may call it at once, and one of them makes everything.
 */
export async function ensureFirstStart(db: Db, start: FirstStart): Promise<FirstStarted> {
  const started = await db.transaction().execute(async (trx) => {
    await lockFirstStart(trx);
    const name = start.demo ? "Demo" : "Workspace";
    const workspaceId =
      (await findWorkspace(trx, start)) ?? (await insertWorkspace(trx, { name, demo: start.demo }, start.now));
    const administratorCreated = await ensureAdministrator(trx, workspaceId, start);
    if (start.bootstrapApiKey) await ensureBootstrapKey(trx, workspaceId, start.bootstrapApiKey, start.now);
    return { workspaceId, administratorCreated };
  });
  const demoApiKey = start.demo ? await demoKey(db, started.workspaceId, start.now) : null;
  return { ...started, ...(demoApiKey && { demoApiKey }) };
}

/** True when the workspace had none and got this one. */
async function ensureAdministrator(db: Db, workspaceId: number, start: FirstStart): Promise<boolean> {
  if (await hasAdministrator(db, workspaceId)) return false;
  const email = start.adminEmail.trim().toLowerCase();
  const passwordHash = await hashPassword(start.adminPassword);
  await upsertAdministrator(db, workspaceId, { email, passwordHash }, start.now);
  return true;
}

/** The key with which the launcher fills an empty demo; taken back as soon as a start finds the demo filled. */
async function demoKey(db: Db, workspaceId: number, now: Date): Promise<string | null> {
  const unconnected = await inWorkspace(db, workspaceId, (trx) => isUnconnected(trx, workspaceId));
  if (unconnected) return createOwnKey(db, workspaceId, { name: demoKeyName, role: "admin" }, now);
  await takeOwnKeysBack(db, workspaceId, demoKeyName, now);
  return null;
}
