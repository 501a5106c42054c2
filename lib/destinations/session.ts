import { machineClock } from "#lib/clock.ts";
import type { StoredConnection } from "#lib/connections/load.ts";
import type { Context } from "#lib/context.ts";
import type { Procedure } from "#lib/destinations/attempt.ts";
import type { CommandKind } from "#lib/destinations/shapes.ts";
import type { ClaimTimes } from "#lib/destinations/store/claims.ts";
import type { ZendeskClient } from "#lib/zendesk/client.ts";
import type { ClientOptions } from "#lib/zendesk/client-options.ts";
import { openClient } from "#lib/zendesk/credentials.ts";
import { requireOurAccount } from "#lib/zendesk/identity.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

export type DeliveryContext = Pick<Context, "config" | "db" | "log">;
export type Procedures = Record<CommandKind, Procedure>;

/** How deliveries are worked on: by which clock, and until when. */
export interface Working {
  /** Names this process in the claims. */
  holder: string;
  procedures: Procedures;
  clock: () => Date;
  /** True once the process stops: the request in hand is the last. */
  isEnding: () => boolean;
  client?: Partial<ClientOptions> | undefined;
}

/** A while with one Zendesk account: several deliveries, one client. */
export interface Session extends Omit<Working, "client"> {
  ctx: DeliveryContext;
  scope: Scope;
  /** Where the client writes to. */
  subdomain: string;
  client: ZendeskClient;
  times: () => ClaimTimes;
  /** Asks Zendesk once who is signed in, before the first write (rows 64, 106). */
  requireOurAccount: () => Promise<void>;
}

/** Short waits are waited for; whatever takes longer lets others go first. No request may outlive its delivery's claim. */
const patient: Partial<ClientOptions> = {
  attempts: 2,
  longestSleep: 4000,
  patience: 20_000,
  deadlines: { headers: 30_000, idle: 15_000, total: 60_000 },
};

export function openSession(ctx: DeliveryContext, connection: StoredConnection, working: Working): Session {
  const { clock } = working;
  const client = openClient(ctx, connection, { ...patient, clock, ...working.client });
  let asked: Promise<void> | null = null;
  return {
    ...working,
    ctx,
    client,
    scope: { workspaceId: connection.workspace_id, connectionId: connection.id },
    subdomain: connection.subdomain,
    times: () => ({ now: clock(), shared: clock === machineClock ? null : clock() }),
    requireOurAccount() {
      asked ??= requireOurAccount(client, connection).catch((error: unknown) => {
        asked = null;
        throw error;
      });
      return asked;
    },
  };
}
