import { type Selectable, sql } from "kysely";
import type { Db } from "#db/client.ts";
import type { HeldRowTable, StreamStateTable, WebhookTable } from "#db/schema.ts";
import type { Absence, StreamName } from "#lib/connections/shapes.ts";
import { shownPurpose } from "#lib/connections/store/connections.ts";
import type { MatchCounts } from "#lib/matching/shapes.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

export interface ConnectionParts {
  streams: Map<string, Selectable<StreamStateTable>>;
  /** Rows stored per stream: what all runs inserted, which is exact and needs no counting of millions. */
  rows: Map<string, number>;
  /** Those that are set aside left out. */
  held: Map<string, number>;
  /** Rows that Zendesk no longer shows, by stream. */
  absences: { stream: Absence["stream"]; rows: number; held: number }[];
  webhook: Pick<Selectable<WebhookTable>, "state" | "kind" | "last_delivery_at"> | null;
  matching: MatchCounts;
}

/** What is shown of connections beside their own rows, for several at once. */
export async function readParts(db: Db, workspaceId: number, ids: number[]): Promise<Map<number, ConnectionParts>> {
  const parts = new Map<number, ConnectionParts>(
    ids.map((id) => [
      id,
      {
        streams: new Map(),
        rows: new Map(),
        held: new Map(),
        absences: [],
        webhook: null,
        matching: { ...noMatches },
      },
    ]),
  );
  if (ids.length === 0) return parts;
  for (const row of await streamStates(db, workspaceId, ids))
    parts.get(row.connection_id)?.streams.set(row.stream, row);
  for (const row of await storedRows(db, workspaceId, ids)) {
    parts.get(row.connection_id)?.rows.set(row.stream, Number(row.count));
  }
  for (const row of await heldCounts(db, workspaceId, ids)) {
    parts.get(row.connection_id)?.held.set(row.stream, Number(row.count));
  }
  for (const row of await absentCounts(db, workspaceId, ids)) {
    const stream = row.stream as Absence["stream"];
    parts.get(row.connection_id)?.absences.push({ stream, rows: Number(row.count), held: Number(row.held) });
  }
  for (const { connection_id, ...webhook } of await webhooks(db, workspaceId, ids)) {
    const part = parts.get(connection_id);
    if (part) part.webhook = webhook;
  }
  for (const row of await matchCounts(db, workspaceId, ids)) {
    const matching = parts.get(row.connection_id)?.matching;
    if (!matching) continue;
    matching.organizations += Number(row.count);
    matching[row.match_state as "matched" | "unmatched" | "ambiguous" | "ignored"] += Number(row.count);
  }
  return parts;
}

const noMatches: MatchCounts = { organizations: 0, matched: 0, unmatched: 0, ambiguous: 0, ignored: 0 };

const streamStates = (db: Db, workspaceId: number, ids: number[]) =>
  db
    .selectFrom("stream_state")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .where("connection_id", "in", ids)
    .where("purpose", "=", shownPurpose)
    .execute();

const storedRows = (db: Db, workspaceId: number, ids: number[]) =>
  db
    .selectFrom("sync_run_stream")
    .select((eb) => ["connection_id", "stream", eb.fn.sum<string>("inserted").as("count")])
    .where("workspace_id", "=", workspaceId)
    .where("connection_id", "in", ids)
    .groupBy(["connection_id", "stream"])
    .execute();

const heldCounts = (db: Db, workspaceId: number, ids: number[]) =>
  db
    .selectFrom("held_row")
    .select((eb) => ["connection_id", "stream", eb.fn.countAll<string>().as("count")])
    .where("workspace_id", "=", workspaceId)
    .where("connection_id", "in", ids)
    .where("set_aside_at", "is", null)
    .groupBy(["connection_id", "stream"])
    .execute();

const absentCounts = (db: Db, workspaceId: number, ids: number[]) =>
  db
    .selectFrom("absence")
    .select((eb) => [
      "connection_id",
      "stream",
      eb.fn.countAll<string>().as("count"),
      eb.fn.countAll<string>().filterWhere("held", "=", true).as("held"),
    ])
    .where("workspace_id", "=", workspaceId)
    .where("connection_id", "in", ids)
    .groupBy(["connection_id", "stream"])
    .orderBy("stream")
    .execute();

const webhooks = (db: Db, workspaceId: number, ids: number[]) =>
  db
    .selectFrom("webhook")
    .select(["connection_id", "state", "kind", "last_delivery_at"])
    .where("workspace_id", "=", workspaceId)
    .where("connection_id", "in", ids)
    .execute();

const matchCounts = (db: Db, workspaceId: number, ids: number[]) =>
  db
    .selectFrom("organization")
    .select((eb) => ["connection_id", "match_state", eb.fn.countAll<string>().as("count")])
    .where("workspace_id", "=", workspaceId)
    .where("connection_id", "in", ids)
    .where("deleted_at", "is", null)
    .where("merged_into", "is", null)
    .groupBy(["connection_id", "match_state"])
    .execute();

/** So many characters of a held row are listed: one may be as long as a page of Zendesk's. */
const longestListed = 100_000;

export type ListedHeldRow = Omit<Selectable<HeldRowTable>, "workspace_id" | "connection_id" | "payload"> & {
  text: string;
  /** In characters. */
  length: number;
  is_cut: boolean;
};

function heldRows(db: Db, scope: Scope, { whole }: { whole: boolean }) {
  const longest = sql.lit(whole ? 2_147_483_647 : longestListed);
  return db
    .selectFrom("held_row")
    .select(["stream", "row_key", "reason", "first_held_at", "last_held_at", "set_aside_at", "set_aside_by"])
    .select([
      sql<string>`left(payload, ${longest})`.as("text"),
      sql<number>`length(payload)`.as("length"),
      sql<boolean>`length(payload) > ${longest}`.as("is_cut"),
    ])
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId);
}

export async function readHeldRows(
  db: Db,
  scope: Scope,
  page: {
    limit: number;
    stream?: StreamName | undefined;
    key?: string | undefined;
    after: { stream: string; key: string } | null;
  },
): Promise<ListedHeldRow[]> {
  const { stream, key, after } = page;
  let query = heldRows(db, scope, { whole: key !== undefined });
  if (stream) query = query.where("stream", "=", stream);
  if (key !== undefined) query = query.where("row_key", "=", key);
  if (after) {
    query = query.where((eb) => eb(eb.refTuple("stream", "row_key"), ">", eb.tuple(after.stream, after.key)));
  }
  return query.orderBy("stream").orderBy("row_key").limit(page.limit).execute();
}

export function readHeldRow(
  db: Db,
  scope: Scope,
  { stream, key }: { stream: StreamName; key: string },
): Promise<ListedHeldRow | undefined> {
  return heldRows(db, scope, { whole: false })
    .where("stream", "=", stream)
    .where("row_key", "=", key)
    .executeTakeFirst();
}
