import { afterEach } from "vitest";
import { foreseen } from "#lib/api/failures.ts";
import { drainHints } from "#lib/webhooks/hints.ts";
import { type Delivery, takeDelivery, type WebhookContext } from "#lib/webhooks/intake.ts";
import { type CheckOptions, checkWebhook } from "#lib/webhooks/registration.ts";
import { findWebhook, type StoredWebhook } from "#lib/webhooks/store.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import type { TestDatabase } from "#test/support/database.ts";
import { type Endpoint, startEndpoint } from "#test/support/endpoint.ts";
import { signedHeaders } from "#test/support/zendesk/server/deliveries.ts";
import type { Webhook } from "#test/support/zendesk/world/webhooks.ts";
import { World, type WorldOptions } from "#test/support/zendesk/world/world.ts";
import { type Account, connect } from "#test/zendesk/account.ts";
import { configFor, silentLog } from "#test/zendesk/account-config.ts";

/** A connected account whose deliveries come in over HTTP, by the account's own clock. */
export interface Linked extends Account {
  ctx: WebhookContext;
  scope: Scope;
  endpoint: Endpoint;
  clock: () => Date;
  /** Refuse what more than so many waiting hints would make of a delivery. */
  limit: { hints: number };
  check(options?: Partial<CheckOptions>): Promise<void>;
  drain(): ReturnType<typeof drainHints>;
  webhook(): Promise<StoredWebhook>;
  /** What the account has, or the one webhook of it. */
  remote(): Webhook;
  hints(): Promise<{ subject: string; id: string; hints: number; attempts: number }[]>;
  deliveries(): Promise<number>;
  /** Hands a delivery in without HTTP; the status that it would be answered with. */
  take(delivery: Delivery): Promise<number>;
  /** A delivery as Zendesk would sign it now. */
  signed(body: string, webhook?: Pick<Webhook, "id" | "secret">): Delivery;
}

const ended: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0)) await end();
});

/** A small account, old enough to be exported. */
export function smallWorld(options: WorldOptions = {}): World {
  const world = new World({ clock: "2026-02-01T09:00:00Z", ...options });
  const { id: organizationId } = world.organizations.create({ name: "Northwind" });
  const { id: requesterId } = world.users.create({ name: "Ada", email: "ada@northwind.example", organizationId });
  for (let n = 0; n < 5; n++) world.tickets.create({ subject: `Question ${n}`, requesterId, priority: "high" });
  world.advance(86_400_000);
  return world;
}

export async function link(
  database: TestDatabase,
  world = smallWorld(),
  { access = "read_write" as "read" | "read_write", publicUrl = true } = {},
): Promise<Linked> {
  return linkAccount(database, await connect(database, world, { access }), { publicUrl });
}

/** The same for an account that is connected already. */
export async function linkAccount(
  database: TestDatabase,
  account: Account,
  { publicUrl = true } = {},
): Promise<Linked> {
  const { world } = account;
  const scope = { workspaceId: account.workspaceId, connectionId: account.connectionId };
  const clock = () => new Date(world.now());
  const limit = { hints: 50_000 };
  const endpoint = await startEndpoint(async (request) => {
    const status = await statusOf(async () =>
      takeDelivery(ctx, await deliveryIn(request), clock(), { limit: limit.hints }),
    );
    return new Response(null, { status, headers: status === 503 ? { "retry-after": "5" } : {} });
  });
  // What looks at all workspaces must not come upon the connections of earlier tests.
  const leave = () => account.read((trx) => trx.updateTable("connection").set({ state: "disconnected" }).execute());
  ended.push(leave, endpoint.close);
  const config = configFor(account.zendesk);
  const server = { ...config.server, publicUrl: publicUrl ? endpoint.origin : null };
  const ctx: WebhookContext = { config: { ...config, server }, db: database.db, log: silentLog };
  const options = { clock, options: { sleep: async () => {} } };
  const linked: Linked = {
    ...account,
    ctx,
    scope,
    endpoint,
    clock,
    limit,
    check: (given = {}) => checkWebhook(ctx, scope, { ...options, ...given }),
    drain: () => drainHints(ctx, scope, options),
    webhook: async () => (await findWebhook(database.db, scope)) as StoredWebhook,
    remote: () => [...world.webhooks.byId.values()][0] as Webhook,
    hints: () =>
      account.read(async (trx) => {
        const rows = await trx
          .selectFrom("webhook_hint")
          .selectAll()
          .orderBy("subject")
          .orderBy("subject_id")
          .execute();
        return rows.map((row) => ({
          subject: row.subject,
          id: row.subject_id,
          hints: Number(row.hints),
          attempts: row.attempts,
        }));
      }),
    deliveries: () =>
      account.read(async (trx) => (await trx.selectFrom("webhook_delivery").select("subject").execute()).length),
    take: (delivery) => statusOf(() => takeDelivery(ctx, delivery, clock(), { limit: limit.hints })),
    signed(body, webhook = linked.remote()) {
      const headers = new Headers(signedHeaders(world, webhook, { id: "1", body }));
      return { ...headersOf(headers), connectionId: String(scope.connectionId), body: Buffer.from(body) };
    },
  };
  return linked;
}

async function deliveryIn(request: Request): Promise<Delivery> {
  const connectionId = new URL(request.url).pathname.split("/").at(-1) ?? "";
  return { ...headersOf(request.headers), connectionId, body: Buffer.from(await request.arrayBuffer()) };
}

function headersOf(headers: Headers) {
  return {
    timestamp: headers.get("x-zendesk-webhook-signature-timestamp"),
    signature: headers.get("x-zendesk-webhook-signature"),
    accountId: headers.get("x-zendesk-account-id"),
    webhookId: headers.get("x-zendesk-webhook-id"),
  };
}

async function statusOf(take: () => Promise<unknown>): Promise<number> {
  try {
    await take();
    return 200;
  } catch (error) {
    return { unauthenticated: 401, unavailable: 503 }[String(foreseen(error)?.code)] ?? 500;
  }
}

export const byIdRequests = (linked: Account) =>
  linked.zendesk.journal.entries.filter(({ path }) =>
    /^\/api\/v2\/(tickets|users|organizations)\/(show_many|\d+)$/.test(path),
  );
