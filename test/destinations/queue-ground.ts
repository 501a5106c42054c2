import { afterEach } from "vitest";
import type { Command, Procedure } from "#lib/destinations/attempt.ts";
import { type Drained, drainConnection } from "#lib/destinations/drain.ts";
import { settingColumns } from "#lib/destinations/present.ts";
import { procedures as allProcedures } from "#lib/destinations/procedures/index.ts";
import { presets } from "#lib/destinations/profiles.ts";
import type { Procedures, Working } from "#lib/destinations/session.ts";
import type { Profile } from "#lib/destinations/shapes.ts";
import { insertDeliveries, type NewDelivery, type StoredDelivery } from "#lib/destinations/store/deliveries.ts";
import { type NewExchange, readExchanges } from "#lib/destinations/store/exchanges.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import type { TestDatabase } from "#test/support/database.ts";
import type { World } from "#test/support/zendesk/world/world.ts";
import { smallWorld } from "#test/webhooks/linked.ts";
import { type Account, connect } from "#test/zendesk/account.ts";
import { configFor, silentLog } from "#test/zendesk/account-config.ts";

/** A connected account with a destination, worked on by the account's own clock. */
export interface Queue extends Account {
  ctx: { config: ReturnType<typeof configFor>; db: TestDatabase["db"]; log: typeof silentLog };
  scope: Scope;
  destinationId: number;
  clock: () => Date;
  /** Queues commands; their ids. */
  queue(...rows: Partial<NewDelivery>[]): Promise<string[]>;
  drain(working?: Partial<Working>, only?: readonly string[]): Promise<Drained>;
  delivery(id: string): Promise<StoredDelivery>;
  exchanges(id: string): Promise<NewExchange[]>;
  set(columns: Parameters<typeof setDestination>[2]): Promise<void>;
}

export async function openQueue(
  database: TestDatabase,
  world: World = smallWorld(),
  {
    profile = "customerio" as Profile,
    procedures = {} as Partial<Procedures>,
    limits = undefined as object | undefined,
  } = {},
): Promise<Queue> {
  const account = await connect(database, world, { access: "read_write", ...(limits ? { limits } : {}) });
  const scope = { workspaceId: account.workspaceId, connectionId: account.connectionId };
  const clock = () => new Date(world.now());
  const ctx = { config: configFor(account.zendesk), db: database.db, log: silentLog };
  const destinationId = await account.read(async (trx) => {
    const { id } = await trx
      .insertInto("destination")
      .values({
        workspace_id: scope.workspaceId,
        connection_id: scope.connectionId,
        name: "Acme",
        profile,
        enabled: true,
        stopped_at: null,
        stopped_by: null,
        tested_at: null,
        deleted_at: null,
        ...settingColumns(presets[profile]),
        created_by: null,
        created_at: clock(),
        updated_at: clock(),
      })
      .returning("id")
      .executeTakeFirstOrThrow();
    return id;
  });
  const sleep = async (milliseconds: number) => {
    world.advance(milliseconds);
  };
  // What looks at all workspaces must not come upon the deliveries of earlier tests.
  ended.push(() => account.read((trx) => trx.updateTable("connection").set({ state: "disconnected" }).execute()));
  let keys = 0;
  return {
    ...account,
    ctx,
    scope,
    destinationId,
    clock,
    queue: (...rows) =>
      account.read(async (trx) => {
        const whole = rows.map((row) => ({ ...blank, ...scope, destinationId, commandKey: `key-${++keys}`, ...row }));
        const inserted = await insertDeliveries(trx, scope.workspaceId, whole, clock());
        return inserted.map(({ id }) => id);
      }),
    drain: (working = {}, only) =>
      drainConnection(
        ctx,
        scope,
        {
          ...{ holder: "here@test/1/aa", clock, isEnding: () => false, client: { sleep } },
          ...working,
          procedures: { ...allProcedures, ...procedures, ...working.procedures },
        },
        only ? { only } : {},
      ),
    delivery: (id) =>
      account.read((trx) => trx.selectFrom("delivery").selectAll().where("id", "=", id).executeTakeFirstOrThrow()),
    exchanges: (id) => account.read((trx) => readExchanges(trx, scope.workspaceId, id)),
    set: (columns) => setDestination(account, destinationId, columns),
  };
}

function setDestination(
  account: Account,
  id: number,
  columns: { enabled?: boolean; stopped_at?: Date | null; deleted_at?: Date | null },
): Promise<void> {
  return account.read(async (trx) => {
    await trx.updateTable("destination").set(columns).where("id", "=", id).execute();
  });
}

const ended: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0)) await end();
});

const command: Command = { fields: {}, unmapped: {} };
const blank = {
  eventId: null,
  messageId: null,
  action: "upsert_organization" as const,
  actionVersion: 1,
  command,
  lanes: [] as string[],
};

/** Makes sure of one organization by its external id: looks, then writes what is not so yet. */
export const ensureOrganization: Procedure = async ({ command: { fields }, zendesk }) => {
  const { external_id, name, details } = fields as Record<string, string>;
  const found = await zendesk.find("find", "/api/v2/organizations/search", {
    expect: "organizations",
    query: { external_id },
  });
  const [known] = (found?.body.organizations ?? []) as { id: number; name: string; details: string }[];
  if (known && known.name === name && (known.details ?? undefined) === details)
    return { state: "done", result: { kind: "organization", id: String(known.id) } };
  const answer = await zendesk.write(
    known ? "change" : "create",
    known ? "PUT" : "POST",
    known ? `/api/v2/organizations/${known.id}` : "/api/v2/organizations",
    { organization: { external_id, name, ...(details === undefined ? {} : { details }) } },
    {
      expect: "organization",
      ...(known ? { endpoint: "organization_update", target: String(known.id) } : {}),
      intent: {
        verb: known ? "change" : "create",
        what: `organization ${name}`,
        zendeskId: null,
        changes: known ? [{ field: "details", from: known.details, to: details }] : [],
      },
    },
  );
  const { id } = (answer?.body.organization ?? {}) as { id?: number };
  return { state: "done", result: { kind: "organization", id: String(id) } };
};

/** A command of the kind above. */
export const organization = (key: string, name = `Organization ${key}`, details?: string): Partial<NewDelivery> => ({
  command: { fields: { external_id: key, name, ...(details === undefined ? {} : { details }) }, unmapped: {} },
  lanes: [`o:${key}`],
});
