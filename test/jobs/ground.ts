import { insertConnection, insertLeaseRow, insertStreamStates } from "#lib/connections/store/connections.ts";
import type { Holder } from "#lib/jobs/holder.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import type { TestDatabase } from "#test/support/database.ts";

/** A process that could hold leases: each call another one, of another installation unless told. */
export function holder(overrides: Partial<Holder> = {}): Holder {
  const nonce = Math.random().toString(16).slice(2);
  return { instance: `instance-${nonce}@host`, pid: process.pid, nonce, ...overrides };
}

/** A connection as the database holds it after its creation, without a Zendesk behind it. */
export async function bareConnection(
  database: TestDatabase,
  workspaceId: number,
  overrides: Partial<Parameters<typeof insertConnection>[1]> = {},
): Promise<Scope> {
  const now = new Date("2026-03-01T00:00:00Z");
  return database.inWorkspace(workspaceId, async (trx) => {
    const connectionId = await insertConnection(trx, {
      workspace_id: workspaceId,
      name: "Acme",
      subdomain: "acme",
      access: "read",
      auth_type: "api_token",
      created_at: now,
      updated_at: now,
      ...overrides,
    });
    const scope = { workspaceId, connectionId };
    await insertLeaseRow(trx, scope);
    await insertStreamStates(trx, scope, now);
    return scope;
  });
}
