import { type Db, inWorkspace } from "#db/client.ts";
import { createDestination } from "#lib/destinations/destinations.ts";
import type { DeliveryContext } from "#lib/destinations/session.ts";
import type { Profile, Settings } from "#lib/destinations/shapes.ts";
import { insertEvents } from "#lib/sources/store/events.ts";
import { tryCredentials } from "#lib/zendesk/credentials.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import type { Sent } from "#test/destinations/chaos/events.ts";
import type { Zendesk } from "#test/support/zendesk/start.ts";
import type { World } from "#test/support/zendesk/world/world.ts";
import { configFor, silentLog } from "#test/zendesk/account-config.ts";

/** A source that writes to one account. */
export interface Ground {
  ctx: DeliveryContext;
  scope: Scope;
  sourceId: number;
  destinationId: number;
}

/** In a workspace of its own, or beside others in theirs. */
export async function makeGround(
  db: Db,
  zendesk: Zendesk,
  world: World,
  profile: Profile,
  settings: Partial<Settings> = {},
  beside?: Ground,
): Promise<Ground> {
  const config = configFor(zendesk);
  const now = new Date(world.now());
  const { clientId, clientSecret } = world.credentials;
  const auth = { type: "oauth_client_credentials" as const, clientId, clientSecret };
  const login = await tryCredentials({ config, db }, { subdomain: world.subdomain, auth, access: "read_write", now });
  const workspaceId = beside?.scope.workspaceId ?? (await newWorkspace(db, now));
  const made = { workspace_id: workspaceId, created_at: now, updated_at: now };
  return inWorkspace(db, workspaceId, async (trx) => {
    const connection = await trx
      .insertInto("connection")
      .values({ ...made, name: "Chaos", subdomain: world.subdomain, access: "read_write", ...login.stored })
      .returning("id")
      .executeTakeFirstOrThrow();
    const source = await trx
      .insertInto("source")
      .values({ ...made, name: "Shop", created_by: null })
      .returning("id")
      .executeTakeFirstOrThrow();
    const taken = { connectionId: String(connection.id), sourceIds: [String(source.id)] };
    const body = { ...taken, profile, settings, enabled: true };
    const destination = await createDestination(trx, workspaceId, body, "chaos", now);
    return {
      ctx: { config, db, log: silentLog },
      scope: { workspaceId, connectionId: connection.id },
      sourceId: source.id,
      destinationId: Number(destination.id),
    };
  });
}

async function newWorkspace(db: Db, now: Date): Promise<number> {
  const workspace = db.insertInto("workspace").values({ name: "Chaos", created_at: now }).returning("id");
  return (await workspace.executeTakeFirstOrThrow()).id;
}

/** Stores events as the door does, in their order: one that comes again within seven days is not stored again. */
export async function receive({ ctx, scope, sourceId }: Ground, events: readonly Sent[], now: Date): Promise<void> {
  const named = (value: unknown) => (typeof value === "string" ? value : null);
  const rows = events.map(({ messageId, type, payload }) => ({
    ...{ sourceId, messageId, isNamed: true, type, name: named(payload.event), userId: named(payload.userId) },
    ...{ anonymousId: null, groupId: named(payload.groupId), email: null, occurredAt: now, receivedAt: now },
    ...{ payload: JSON.stringify(payload), rejection: null },
  }));
  await inWorkspace(ctx.db, scope.workspaceId, (trx) => insertEvents(trx, scope.workspaceId, rows, 7));
}

/** A process's way to the database, which ends for good when the process is killed. */
export function killable(db: Db): { db: Db; kill: () => void } {
  let isDead = false;
  const proxy = new Proxy(db, {
    get(target, name) {
      if (isDead && name === "transaction") throw new Error("This process was killed.");
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return {
    db: proxy,
    kill: () => {
      isDead = true;
    },
  };
}
