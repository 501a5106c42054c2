import type { Selectable } from "kysely";
import type { z } from "zod";
import type { Trx } from "#db/client.ts";
import type { ConnectionTable } from "#db/schema.ts";
import type { StreamName } from "#lib/connections/shapes.ts";
import {
  absentFieldsDoubt,
  fieldsAccess,
  fieldsRefused,
  readFields,
  readGroups,
} from "#lib/zendesk/definition-readers.ts";
import { ticketEventRows } from "#lib/zendesk/event-rows.ts";
import type { FailureWords } from "#lib/zendesk/failures.ts";
import type { Identity } from "#lib/zendesk/identity.ts";
import type { Place } from "#lib/zendesk/place.ts";
import { legacyRatingRow, surveyRatingRow } from "#lib/zendesk/rating-rows.ts";
import { ratingsAccess, ratingsHeard, readRatings } from "#lib/zendesk/ratings-reader.ts";
import { cursorExport, failLoudly, type ReadPage, throughTheList, timeExport } from "#lib/zendesk/readers.ts";
import type { Access } from "#lib/zendesk/refused-lists.ts";
import type { RowReader, Wire } from "#lib/zendesk/row-reader.ts";
import type { MembershipRow, UserRow } from "#lib/zendesk/row-types.ts";
import * as rows from "#lib/zendesk/rows.ts";
import type { PageResult, Scope } from "#lib/zendesk/scope.ts";
import type { Departure } from "#lib/zendesk/store/departures.ts";
import { storeEvents } from "#lib/zendesk/store/events.ts";
import { fieldPartsHeld, firstTicketSecond, readRatingsPast } from "#lib/zendesk/store/facts.ts";
import { absentFields, retireFields, storeFieldPart } from "#lib/zendesk/store/fields.ts";
import { storeGroups } from "#lib/zendesk/store/groups.ts";
import { storeMemberships } from "#lib/zendesk/store/memberships.ts";
import { storeOrganizations } from "#lib/zendesk/store/organizations.ts";
import { storeRatings } from "#lib/zendesk/store/ratings.ts";
import { storeTickets } from "#lib/zendesk/store/tickets.ts";
import { storeUsers } from "#lib/zendesk/store/users.ts";
import {
  legacyRatingWire,
  membershipWire,
  surveyResponseWire,
  ticketEventWire,
  ticketWire,
  withId,
} from "#lib/zendesk/wire.ts";

export { fieldPartsHeld, readRatingsPast } from "#lib/zendesk/store/facts.ts";

export type StoreResult = PageResult & { left?: Departure[] };

/** Which of a stream's lists rows are from, and when they were asked for. */
interface From {
  part: string;
  fetchedAt: Date;
}

/** Everything that the engine needs to know about a stream whose rows are of type `Row`. */
export interface Stream<Row = unknown> {
  name: StreamName;
  /** `export`: in the order of versions, resumable by time. `list`: each reading sees everything from its start on. */
  kind: "export" | "list";
  /** Each reading lists all there is: nothing, where something is stored, is suspicious (row 123). */
  complete?: boolean;
  /** Zendesk hands out places, and may refuse one later (row 15). */
  resumable: boolean;
  largestPage: number;
  /** How far before the present the next reading starts again: what may still appear late, or change (rows 12, 33). Seconds. */
  overlap: number;
  /** Unix second from which the stream is wanted at all. */
  start: (trx: Trx, connection: Selectable<ConnectionTable>, nowSecond: number) => Promise<number>;
  read: ReadPage;
  wire: (part: string) => z.ZodType;
  /** `payload` is the row as it came. */
  make: (read: RowReader, wire: Wire, payload: () => string, part: string) => Row[];
  /** Its list whose rows have no version: the newest listing holds. */
  unversioned?: string;
  store: (trx: Trx, scope: Scope, rows: Row[], now: Date, from: From) => Promise<StoreResult>;
  /** Zendesk has erased it for good: only a nameless row is left (row 26). */
  isErased?: (row: Row) => boolean;
  /** Of a list that comes whole in one answer: what it does not show is gone. `shown`: the ids in it. Gives how many went. */
  retire?: (trx: Trx, scope: Scope, part: string, shown: readonly string[], now: Date) => Promise<number>;
  /** What a finished reading leaves to doubt. */
  doubt?: (trx: Trx, scope: Scope) => Promise<FailureWords | null>;
  /** Of a stream of several lists: what a finished reading may claim where some were refused. Absent: it has one list. */
  access?: (trx: Trx, scope: Scope, identity: Pick<Identity, "role">, place: Place) => Promise<Access>;
  /** The ids that `store` gives are tickets whose timeline may have changed. */
  touchesTimeline: boolean;
  /** The table, to tell an empty listing from an empty account (row 123). */
  table:
    | "ticket"
    | "ticket_event"
    | "zendesk_user"
    | "organization"
    | "zendesk_group"
    | "satisfaction_rating"
    | "field_definition";
}

const minute = 60;
const day = 86_400;
/** Rows may appear this long after their stamp (row 12), and the next run must find them. */
const lateness = 30 * minute;
/** A rating can be changed, a survey answered, for so long after it was offered (row 33). */
const ratingsReread = 35 * day;

const everything = async () => 0;

const fields: Stream<unknown> = {
  name: "fields",
  kind: "list",
  complete: true,
  resumable: false,
  largestPage: 100,
  overlap: 0,
  start: everything,
  read: readFields,
  wire: () => withId,
  make: (read, wire, _payload, part) => {
    if (part === "custom_statuses") return [rows.customStatusRow(read, wire)];
    return [
      rows.fieldRow(
        read,
        wire,
        part === "user_fields" ? "user" : part === "organization_fields" ? "organization" : "ticket",
      ),
    ];
  },
  store: (trx, scope, rows, now, { part }) => storeFieldPart(trx, scope, rows, now, part),
  retire: retireFields,
  doubt: async (trx, scope) => absentFieldsDoubt(await absentFields(trx, scope)),
  access: async (trx, scope, _identity, place) => {
    const refused = fieldsRefused(place);
    return refused.length === 0 ? "granted" : fieldsAccess(refused, await fieldPartsHeld(trx, scope));
  },
  touchesTimeline: true,
  table: "field_definition",
};

const groups: Stream<ReturnType<typeof rows.groupRow>> = {
  name: "groups",
  kind: "list",
  complete: true,
  resumable: true,
  largestPage: 100,
  overlap: 0,
  start: everything,
  read: readGroups,
  wire: () => withId,
  make: (read, wire) => [rows.groupRow(read, wire)],
  store: storeGroups,
  touchesTimeline: false,
  table: "zendesk_group",
};

const organizations: Stream<ReturnType<typeof rows.organizationRow>> = {
  name: "organizations",
  kind: "export",
  resumable: true,
  largestPage: 1000,
  overlap: lateness,
  start: everything,
  read: timeExport({
    path: "/api/v2/incremental/organizations",
    rows: "organizations",
    endpoint: "incremental",
    crowded: throughTheList({ path: "/api/v2/organizations", rows: "organizations" }),
  }),
  wire: () => withId,
  make: (read, wire) => [rows.organizationRow(read, wire)],
  store: (trx, scope, rows, now, { fetchedAt }) => storeOrganizations(trx, scope, rows, now, fetchedAt),
  touchesTimeline: false,
  table: "organization",
};

/** The list of who belongs to which organization, which is read beside the users, at night. */
export const membershipPart = "memberships";

const users: Stream<UserRow | MembershipRow> = {
  name: "users",
  kind: "export",
  resumable: true,
  largestPage: 1000,
  overlap: lateness,
  start: everything,
  read: cursorExport({
    path: "/api/v2/incremental/users/cursor",
    rows: "users",
    endpoint: "incremental_users",
    version: "updated_at",
  }),
  wire: (part) => (part === membershipPart ? membershipWire : withId),
  make: (read, wire, _payload, part) => [
    part === membershipPart ? rows.membershipRow(read, wire) : rows.userRow(read, wire),
  ],
  store: (trx, scope, rows, _now, { part, fetchedAt }) =>
    part === membershipPart
      ? storeMemberships(trx, scope, rows as MembershipRow[])
      : storeUsers(trx, scope, rows as UserRow[], fetchedAt),
  unversioned: membershipPart,
  isErased: (row) => "email" in row && rows.isErasedUser(row),
  touchesTimeline: false,
  table: "zendesk_user",
};

const tickets: Stream<ReturnType<typeof rows.ticketRow>> = {
  name: "tickets",
  kind: "export",
  resumable: true,
  largestPage: 1000,
  overlap: lateness,
  start: async (_trx, connection, now) => daysBefore(now, connection.history_days),
  read: cursorExport({
    path: "/api/v2/incremental/tickets/cursor",
    rows: "tickets",
    endpoint: "incremental",
    sideload: { include: "metric_sets", key: "metric_set" },
    version: "generated_timestamp",
  }),
  wire: () => ticketWire,
  make: (read, wire, payload) => [rows.ticketRow(read, wire, payload())],
  store: (trx, scope, rows, now, { fetchedAt }) => storeTickets(trx, scope, rows, now, { fetchedAt }),
  isErased: rows.isErasedTicket,
  touchesTimeline: true,
  table: "ticket",
};

const ticketEvents: Stream<ReturnType<typeof ticketEventRows>[number]> = {
  name: "ticket_events",
  kind: "export",
  resumable: true,
  largestPage: 1000,
  overlap: lateness,
  start: async (_trx, connection, now) => daysBefore(now, connection.event_history_days),
  read: timeExport({
    path: "/api/v2/incremental/ticket_events",
    rows: "ticket_events",
    endpoint: "incremental",
    crowded: failLoudly("ticket events", 1000),
  }),
  wire: () => ticketEventWire,
  make: ticketEventRows,
  store: storeEvents,
  touchesTimeline: true,
  table: "ticket_event",
};

const satisfactionRatings: Stream<ReturnType<typeof legacyRatingRow>> = {
  name: "satisfaction_ratings",
  kind: "list",
  resumable: true,
  largestPage: 100,
  overlap: ratingsReread,
  start: async (trx, connection, now) => {
    const wanted = daysBefore(now, connection.history_days);
    // No rating is older than the first ticket: no need to ask for decades of empty slices.
    return Math.max(wanted, Math.min(await firstTicketSecond(trx, connection), now - ratingsReread));
  },
  read: readRatings,
  wire: (part) => (part === "survey" ? surveyResponseWire : legacyRatingWire),
  make: (read, wire, _payload, part) => {
    const row = part === "survey" ? surveyRatingRow(read, wire) : legacyRatingRow(read, wire);
    return row ? [row] : [];
  },
  store: storeRatings,
  access: async (trx, scope, { role }, place) => {
    const heard = ratingsHeard(place);
    if (heard.refused.length === 0) return "granted";
    return ratingsAccess(heard, await readRatingsPast(trx, scope), role === "admin");
  },
  touchesTimeline: true,
  table: "satisfaction_rating",
};

/** Zero days: everything there is. */
function daysBefore(now: number, days: number): number {
  return days === 0 ? 0 : Math.max(0, now - days * day);
}

/** In the order of reading: what names others comes after them, though no row ever fails for want of another. */
export const streams: readonly Stream[] = [
  fields,
  groups,
  organizations,
  users,
  tickets,
  ticketEvents,
  satisfactionRatings,
] as Stream[];

export function streamNamed(name: StreamName): Stream {
  return streams.find((stream) => stream.name === name) as Stream;
}
