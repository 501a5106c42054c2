import type { Trx } from "#db/client.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/** A row by which an account is known again. */
export interface Landmark {
  kind: "users" | "organizations";
  id: string;
  createdAt: Date;
  /** Name and e-mail, as far as it has them. */
  names: string[];
  /** Zendesk shows it for as long as the account exists. */
  stays: boolean;
}

const most = 4;

/** The login of before, who may be erased by now; the newest of its colleagues; and the oldest organizations. */
export async function readLandmarks(trx: Trx, scope: Scope, loginId: string | null): Promise<Landmark[]> {
  const users = await trx
    .selectFrom("zendesk_user")
    .select(["id", "created_at", "name", "email"])
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .where((eb) =>
      eb.or([
        eb("id", "=", loginId ?? "0"),
        eb.and([eb("role", "in", ["admin", "agent"]), eb("active", "is not", false), eb("deleted_at", "is", null)]),
      ]),
    )
    .where("created_at", "is not", null)
    .orderBy((eb) => eb("id", "=", loginId ?? "0"), "desc")
    .orderBy("created_at", "desc")
    .orderBy("id", "desc")
    .limit(most)
    .execute();
  const organizations = await trx
    .selectFrom("organization")
    .select(["id", "created_at", "name"])
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .where("created_at", "is not", null)
    .where("deleted_at", "is", null)
    .orderBy("created_at")
    .orderBy("id")
    .limit(most)
    .execute();
  return [
    ...users.map((row) => landmark("users", row, { names: [row.name, row.email], stays: row.id !== loginId })),
    ...organizations.map((row) => landmark("organizations", row, { names: [row.name], stays: false })),
  ];
}

function landmark(
  kind: Landmark["kind"],
  row: { id: string; created_at: Date | null },
  { names, stays }: { names: (string | null)[]; stays: boolean },
): Landmark {
  const known = names.filter((name) => name !== null);
  return { kind, id: row.id, createdAt: row.created_at ?? new Date(0), names: known, stays };
}
