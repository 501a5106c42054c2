import { POST as createDestination } from "#app/api/v1/destinations/route.ts";
import { routeEvents } from "#lib/destinations/route-events.ts";
import type { StoredDelivery } from "#lib/destinations/store/deliveries.ts";
import { type Api, type CallOptions, useApi } from "#test/support/api.ts";
import { type TestDatabase, useDatabase } from "#test/support/database.ts";

/** A workspace with a source and a connection that may be written to, though nothing is sent anywhere. */
export interface Place {
  workspace: number;
  /** An administrator's API key. */
  key: string;
  connectionId: string;
  sourceId: string;
}

export interface Ground {
  database: TestDatabase;
  api: Api;
  place(connection?: { access?: string; state?: string }): Promise<Place>;
  source(workspace: number, enabled?: boolean): Promise<string>;
  /** One more connection of the place's workspace, of another Zendesk unless told; its id. */
  connection(place: Place, columns?: { subdomain?: string; zendesk_account_id?: string }): Promise<string>;
  /** A new destination of the place's source; its id. */
  destination(place: Place, body?: Record<string, unknown>): Promise<string>;
  create(place: Pick<Place, "key">, body: Record<string, unknown>, options?: CallOptions): ReturnType<typeof call>;
  /** Stores events as a door would; their ids. A text is stored as it is. */
  receive(place: Place, ...payloads: (Record<string, unknown> | string)[]): Promise<string[]>;
  route(place: Place): Promise<{ routed: number; connections: number[] }>;
  deliveries(place: Place): Promise<StoredDelivery[]>;
}

export const receivedAt = new Date("2026-03-01T10:00:00Z");
let messages = 0;
let connections = 0;

const call = (api: Api, key: string, body: Record<string, unknown>, options: CallOptions = {}) =>
  api.call(createDestination, "/api/v1/destinations", { key, body, ...options });

/** Call at the top of a file. */
export function useDestinations(): Ground {
  const database = useDatabase();
  const api = useApi(database);
  const source = async (workspace: number, enabled = true) => {
    const { id } = await database.inWorkspace(workspace, (trx) =>
      trx
        .insertInto("source")
        .values({
          workspace_id: workspace,
          name: "Shop",
          enabled,
          created_by: null,
          created_at: receivedAt,
          updated_at: receivedAt,
        })
        .returning("id")
        .executeTakeFirstOrThrow(),
    );
    return String(id);
  };
  return {
    database,
    api,
    source,
    async place({ access = "read_write", state = "active" } = {}) {
      const workspace = await database.workspace();
      const { id } = await database.inWorkspace(workspace, (trx) =>
        trx
          .insertInto("connection")
          .values({
            workspace_id: workspace,
            name: "Acme support",
            subdomain: "acme",
            access,
            state,
            auth_type: "api_token",
            created_at: receivedAt,
            updated_at: receivedAt,
          })
          .returning("id")
          .executeTakeFirstOrThrow(),
      );
      const key = await api.key(workspace);
      return { workspace, key, connectionId: String(id), sourceId: await source(workspace) };
    },
    async connection({ workspace, connectionId }, columns = {}) {
      const { id } = await database.inWorkspace(workspace, async (trx) => {
        const known = trx.selectFrom("connection").selectAll().where("id", "=", Number(connectionId));
        const { id: _, ...row } = await known.executeTakeFirstOrThrow();
        const added = { ...row, subdomain: `other-${++connections}`, zendesk_account_id: null, ...columns };
        return trx.insertInto("connection").values(added).returning("id").executeTakeFirstOrThrow();
      });
      return String(id);
    },
    create: ({ key }, body, options) => call(api, key, body, options),
    async destination(place, body = {}) {
      const { connectionId, sourceId, key } = place;
      const whole = { connectionId, sourceIds: [sourceId], profile: "customerio", enabled: true, ...body };
      return (await call(api, key, whole)).body.id;
    },
    receive: ({ workspace, sourceId }, ...payloads) =>
      database.inWorkspace(workspace, async (trx) => {
        const rows = await trx
          .insertInto("event")
          .values(
            payloads.map((payload) => ({
              workspace_id: workspace,
              source_id: Number(sourceId),
              message_id: `m-${++messages}`,
              type: typeof payload === "string" ? "track" : String(payload.type),
              occurred_at: receivedAt,
              received_at: receivedAt,
              payload: typeof payload === "string" ? payload : JSON.stringify(payload),
            })),
          )
          .returning("id")
          .execute();
        return rows.map(({ id }) => id);
      }),
    route: ({ workspace }) => routeEvents(api.context, workspace, receivedAt),
    deliveries: ({ workspace }) =>
      database.inWorkspace(workspace, (trx) =>
        trx.selectFrom("delivery").selectAll().where("workspace_id", "=", workspace).orderBy("id").execute(),
      ),
  };
}
