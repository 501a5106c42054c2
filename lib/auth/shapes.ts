import { z } from "zod";
import { id, instant, listOf } from "#lib/api/shapes.ts";

/** viewer < csm < admin */
export const roles = ["viewer", "csm", "admin"] as const;
export const role = z.enum(roles);
export type Role = z.infer<typeof role>;

export const sessionAnswer = z.object({
  user: z.object({ id, email: z.string(), name: z.string().nullable(), role }).nullable(),
  role,
  workspace: z.object({ id, name: z.string(), demo: z.boolean() }),
});
export type SessionAnswer = z.infer<typeof sessionAnswer>;

export const user = z.object({
  id,
  email: z.string(),
  name: z.string().nullable(),
  role,
  disabled: z.boolean(),
  lockedUntil: instant.nullable(),
  lastSignInAt: instant.nullable(),
  createdAt: instant,
});
export type User = z.infer<typeof user>;
export const userList = listOf(user);
export const userBody = z.object({
  email: z.email("must be an e-mail address").max(320),
  name: z.string().trim().max(200).nullable().optional(),
  role,
  /** Absent: the answer carries a generated password, shown this once. */
  password: z.string().min(12, "needs at least 12 characters").max(200).optional(),
});
export const userCreated = user.extend({ password: z.string().nullable() });
export const userPatch = z
  .strictObject({
    name: z.string().trim().max(200).nullable(),
    role,
    disabled: z.boolean(),
    password: z.string().min(12, "needs at least 12 characters").max(200),
    unlock: z.literal(true),
  })
  .partial();

export const apiKey = z.object({
  id,
  name: z.string(),
  role,
  hint: z.string(),
  createdBy: z.string().nullable(),
  createdAt: instant,
  lastUsedAt: instant.nullable(),
});
export const apiKeyList = listOf(apiKey);
export const apiKeyBody = z.object({ name: z.string().trim().min(1, "give the key a name").max(200), role });
/** `key` is shown this once. */
export const apiKeyCreated = apiKey.extend({ key: z.string() });
