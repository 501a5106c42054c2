import { createHash, randomBytes } from "node:crypto";
import type { z } from "zod";
import type { Db } from "#db/client.ts";
import { type List, pageOf, positionFrom } from "#lib/api/cursor.ts";
import type { apiKey, apiKeyBody, apiKeyCreated, Role } from "#lib/auth/shapes.ts";
import {
  findKey,
  insertKey,
  type KeyHolder,
  markKeyUsed,
  revokeKey,
  revokeKeysNamed,
  selectKeys,
  upsertKey,
} from "#lib/auth/store/keys.ts";
import { notFound } from "#lib/errors.ts";
import { registerSecrets } from "#lib/log.ts";

type ApiKey = z.infer<typeof apiKey>;

const prefix = "bw_";
const hintLength = 7;
/** Writing down each use would make every read of a busy program a write. */
const usedEveryMs = 60_000;

/** Who holds the key; undefined for one that is unknown or revoked. */
export async function keyHolder(db: Db, key: string, now: Date): Promise<KeyHolder | undefined> {
  // Looked up by its digest: how long the search takes says nothing about a key.
  const holder = await findKey(db, digest(key));
  if (holder && now.getTime() - (holder.lastUsedAt?.getTime() ?? 0) >= usedEveryMs) await markKeyUsed(db, holder, now);
  return holder;
}

/** `key` in the answer is the only time that its value is told: 32 random bytes, kept as SHA-256. */
export async function createApiKey(
  db: Db,
  workspaceId: number,
  body: z.output<typeof apiKeyBody>,
  createdBy: string | null,
  now: Date,
): Promise<z.infer<typeof apiKeyCreated>> {
  const key = generateKey();
  const row = await insertKey(db, workspaceId, { ...sealed(key), ...body, createdBy }, now);
  return { ...shown(row), key };
}

/** Keys that work, newest first. */
export async function listApiKeys(
  db: Db,
  workspaceId: number,
  query: { limit: number; cursor?: string | undefined },
): Promise<List<ApiKey>> {
  const [after] = positionFrom(query.cursor, ["id"]) ?? [null];
  const rows = await selectKeys(db, workspaceId, { after, limit: query.limit + 1 });
  return pageOf(rows, query.limit, shown, (row) => [row.id]);
}

export async function revokeApiKey(db: Db, workspaceId: number, keyId: string, now: Date): Promise<void> {
  if (!(await revokeKey(db, workspaceId, keyId, now))) throw notFound("The API key");
}

/** The key named by BOOTSTRAP_API_KEY is an administrator's key of this workspace from now on. Repeatable. */
export async function ensureBootstrapKey(db: Db, workspaceId: number, key: string, now: Date): Promise<void> {
  const facts = { name: "BOOTSTRAP_API_KEY", role: "admin" as const, createdBy: null };
  await upsertKey(db, workspaceId, { ...sealed(key), ...facts }, now);
}

/** A key that the program itself holds, under a name by which `takeOwnKeysBack` finds it. */
export async function createOwnKey(
  db: Db,
  workspaceId: number,
  own: { name: string; role: Role },
  now: Date,
): Promise<string> {
  const key = generateKey();
  await insertKey(db, workspaceId, { ...sealed(key), ...own, createdBy: null }, now);
  return key;
}

export async function takeOwnKeysBack(db: Db, workspaceId: number, name: string, now: Date): Promise<void> {
  await revokeKeysNamed(db, workspaceId, name, now);
}

export async function isWorkingKey(db: Db, key: string): Promise<boolean> {
  return (await findKey(db, digest(key))) !== undefined;
}

function generateKey(): string {
  const key = prefix + randomBytes(32).toString("base64url");
  registerSecrets([key]);
  return key;
}

function sealed(key: string): { keyHash: Buffer; hint: string } {
  return { keyHash: digest(key), hint: `${key.slice(0, hintLength)}…` };
}

function digest(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}

function shown(row: Awaited<ReturnType<typeof selectKeys>>[number]): ApiKey {
  return {
    id: row.id,
    name: row.name,
    role: row.role as Role,
    hint: row.hint,
    createdBy: row.created_by,
    createdAt: row.created_at.toISOString(),
    lastUsedAt: row.last_used_at?.toISOString() ?? null,
  };
}
