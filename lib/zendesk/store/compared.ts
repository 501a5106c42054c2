import { type RawBuilder, sql } from "kysely";
import type { StreamName } from "#lib/connections/shapes.ts";
import type { GroupRow, OrganizationRow, RatingRow, TicketRow, UserRow } from "#lib/zendesk/row-types.ts";
import { type PlacedEvent, placed } from "#lib/zendesk/store/events.ts";
import { customStatuses, fields } from "#lib/zendesk/store/fields.ts";
import { table as groups } from "#lib/zendesk/store/groups.ts";
import { columns as organizationColumns } from "#lib/zendesk/store/organizations.ts";
import { instant, latestVersions, type PageColumns } from "#lib/zendesk/store/page.ts";
import { columns as ratingColumns } from "#lib/zendesk/store/ratings.ts";
import { lacksWhatWasTold, said, columns as ticketColumns } from "#lib/zendesk/store/tickets.ts";
import { table as users } from "#lib/zendesk/store/users.ts";

/**
 * How the rows of one stream are compared with what is stored. The expressions are SQL over a row `$`, stored or of a page.
 * The day of a row in the ledger is the UTC day of its version: `generated_timestamp` of a ticket, `occurred_at` of an
 * event, `updated_at` of everything else, and `created_at` of a rating that has none.
 */
export interface Compared<Row = unknown> {
  table: string;
  /** Beside workspace and connection. */
  keys: readonly string[];
  /** The key as the ledger names it. */
  key: string;
  keyOf: (row: Row) => string;
  version: string;
  /** The assignment that leaves a stored row without one, where that is not `updated_at = null`. */
  withoutVersion?: string;
  /** In milliseconds. */
  versionOf: (row: Row) => number | null;
  /** By what Zendesk chooses the rows that a listing from an instant on shows; else the version. */
  shownBy?: string;
  /** What a row that Zendesk does not show any more should have been removed for; null: its absence tells nothing. */
  living: string | null;
  columns: PageColumns<Row>;
  /** What a page brings and a difference of which shows nothing. */
  ignored: readonly string[];
  /** Written as an array literal by a page. */
  arrays: readonly string[];
  hashed: boolean;
  /** What a page says of a column where some of its rows leave that to what is stored: SQL over `page` and `was`. */
  said?: (column: string) => string;
  /** Of such a row the hash tells nothing: SQL over `page` and `was`. */
  otherWords?: string;
  /** By what columns of a page, which are not stored, both go. */
  marks?: readonly string[];
  /** Keeps when its rows were asked for: they also come between the runs. */
  fetched: boolean;
}

const usual = { ignored: [], arrays: [], hashed: true, fetched: false, living: "$.deleted_at is null" };
const updatedAt = {
  version: "$.updated_at",
  versionOf: (row: { updatedAt: Date | null }) => milliseconds(row.updatedAt),
};
const byId = { keys: ["id"], key: "$.id::text", keyOf: (row: { id: string }) => row.id };
/** What is said of a ticket that is gone is no loss. */
const ofLivingTicket = `not exists (select from ticket gone where gone.workspace_id = $.workspace_id
  and gone.connection_id = $.connection_id and gone.id = $.ticket_id and gone.deleted_at is not null)`;

const tickets: Compared<TicketRow> = {
  ...usual,
  ...byId,
  table: "ticket",
  version: "to_timestamp($.generated_timestamp)",
  withoutVersion: "generated_timestamp = 0",
  versionOf: (row) => row.generatedTimestamp * 1000,
  columns: ticketColumns,
  ignored: ["payload", "by_id"],
  arrays: ["tags"],
  said,
  otherWords: lacksWhatWasTold,
  marks: ["lacks_metrics"],
  fetched: true,
};

const ticketEvents: Compared<PlacedEvent> = {
  ...usual,
  table: "ticket_event",
  keys: ["id", "field", "position"],
  key: "$.id || ':' || $.field || ':' || $.position",
  keyOf: (row) => `${row.id}:${row.field}:${row.position}`,
  version: "$.occurred_at",
  versionOf: (row) => row.occurredAt.getTime(),
  living: ofLivingTicket,
  columns: {
    id: ["bigint", (row) => row.id],
    field: ["text", (row) => row.field],
    position: ["smallint", (row) => row.position],
    ticket_id: ["bigint", (row) => row.ticketId],
    occurred_at: ["timestamptz", (row) => instant(row.occurredAt)],
    kind: ["text", (row) => row.kind],
    value: ["text", (row) => row.value],
    previous: ["text", (row) => row.previous],
    updater_id: ["bigint", (row) => row.updaterId],
  },
  hashed: false,
};

const ratings: Compared<RatingRow> = {
  ...usual,
  table: "satisfaction_rating",
  keys: ["system", "id"],
  key: "$.system || ':' || $.id",
  keyOf: (row) => `${row.system}:${row.id}`,
  version: "coalesce($.updated_at, $.created_at)",
  versionOf: (row) => milliseconds(row.updatedAt ?? row.createdAt),
  shownBy: "$.created_at",
  living: `$.deleted_at is null and ${ofLivingTicket}`,
  columns: ratingColumns,
  // Forgotten with its ticket (row 26).
  ignored: ["comment"],
};

const byStream: Partial<Record<StreamName, Compared<never>>> = {
  organizations: {
    ...usual,
    ...byId,
    ...updatedAt,
    table: "organization",
    columns: organizationColumns,
    arrays: ["domain_names"],
    fetched: true,
  } satisfies Compared<OrganizationRow>,
  users: {
    ...usual,
    ...byId,
    ...updatedAt,
    table: users.name,
    columns: users.columns,
    fetched: true,
  } satisfies Compared<UserRow>,
  groups: { ...usual, ...byId, ...updatedAt, table: groups.name, columns: groups.columns } satisfies Compared<GroupRow>,
  tickets,
  ticket_events: ticketEvents,
  satisfaction_ratings: ratings,
};

/** How a list of a stream is compared. */
export function comparedBy(stream: StreamName, part: string = stream): Compared {
  const definition = part === "custom_statuses" ? customStatuses : fields;
  const ofFields = {
    ...usual,
    ...updatedAt,
    table: definition.name,
    keys: definition.keys,
    key: definition.keys.map((name) => `$.${name}`).join(" || ':' || "),
    keyOf: (row: { id: string; subject?: string }) => (row.subject ? `${row.subject}:${row.id}` : row.id),
    columns: definition.columns,
    // Custom statuses cannot be deleted.
    living: part === "custom_statuses" ? null : usual.living,
  };
  return (byStream[stream] ?? ofFields) as unknown as Compared;
}

/** The rows of a page as they would be stored: one a key, the latest. */
export function comparedRows(compared: Compared, stream: StreamName, rows: readonly unknown[]): unknown[] {
  if (stream === "ticket_events") return placed(rows as PlacedEvent[]);
  return latestVersions(rows, compared.keyOf, (row) => compared.versionOf(row) ?? Number.NEGATIVE_INFINITY);
}

/** An expression of `compared` over the rows of `alias`. */
export function over(expression: string, alias: string): RawBuilder<unknown> {
  return sql.raw(expression.replaceAll("$", alias));
}

function milliseconds(at: Date | null): number | null {
  return at?.getTime() ?? null;
}
