import { normalized } from "#lib/matching/rules.ts";
import type { MatchKey } from "#lib/matching/shapes.ts";
import { dayIn } from "#lib/metrics/windows.ts";
import type { OrganizationRow, RatingRow, TicketRow } from "#lib/zendesk/row-types.ts";

/**
 * The numbers by brute force: a plain copy of what was sent, and metrics.md read over it line by line. It shares nothing
 * with the product's counting but the calendar and the normalisation of a match value, which have tests of their own.
 */
export interface OracleAccount {
  id: string;
  externalId: string;
  name: string;
}
export interface OracleSettings {
  timeZone: string;
  windows: number[];
  topPriorities: string[];
  countMerged: boolean;
}
export type Verdict = { state: "matched" | "unmatched" | "ambiguous" | "ignored"; accountId: string | null };
export type Numbers = Record<string, number>;

interface Held<Row> {
  connectionId: number;
  row: Row;
  version: number;
  hash: string;
}

export class Oracle {
  settings: OracleSettings;
  accounts: OracleAccount[] = [];
  keys = new Map<number, MatchKey[]>();
  decisions = new Map<string, { accountId: string | null }>();
  customStatuses = new Map<string, string>();
  private tickets = new Map<string, Held<TicketRow>>();
  private organizations = new Map<string, Held<OrganizationRow>>();
  private ratings = new Map<string, Held<RatingRow>>();

  constructor(settings: OracleSettings) {
    this.settings = settings;
  }

  ticket(connectionId: number, row: TicketRow): void {
    keep(this.tickets, connectionId, row.id, row, row.generatedTimestamp);
  }
  organization(connectionId: number, row: OrganizationRow): void {
    keep(this.organizations, connectionId, row.id, row, row.updatedAt?.getTime() ?? 0);
  }
  rating(connectionId: number, row: RatingRow): void {
    keep(this.ratings, connectionId, `${row.system} ${row.id}`, row, row.updatedAt?.getTime() ?? 0);
  }
  ticketGone(connectionId: number, id: string, at: Date): void {
    bury(this.tickets, connectionId, id, at);
  }
  organizationGone(connectionId: number, id: string, at: Date): void {
    bury(this.organizations, connectionId, id, at);
  }

  /** Counts of one organization as of `day`, under the columns of org_metric. */
  organizationNumbers(connectionId: number, organizationId: string, day: string): Numbers {
    return this.numbers(
      this.countedTickets().filter((t) => t.connectionId === connectionId && t.row.organizationId === organizationId),
      day,
    );
  }

  accountNumbers(accountId: string, day: string): Numbers {
    return this.numbers(this.ticketsOf(accountId), day);
  }

  /** Keys (connection and id) of the tickets that a number counts. */
  ticketsBehind(accountId: string | "all", column: string, window: number | null, day: string): string[] {
    return this.ticketsOf(accountId)
      .filter((held) => {
        const top = this.settings.topPriorities.includes(held.row.priority ?? "");
        if (column === "ticketsTotal") return true;
        if (column === "ticketsUnsolved") return this.isUnsolved(held);
        if (column === "topUnsolved") return this.isUnsolved(held) && top;
        if (column === "ticketsCreated") return this.isIn(held.row.createdAt, window ?? 0, day);
        if (column === "topCreated") return this.isIn(held.row.createdAt, window ?? 0, day) && top;
        const rating = this.ratingOf(held);
        const rated = rating !== null && this.isIn(rating.ratedAt, window ?? 0, day);
        return rated && (column === "csat" || top);
      })
      .map((held) => `${held.connectionId}/${held.row.id}`)
      .sort();
  }

  verdict(connectionId: number, organizationId: string): Verdict | null {
    const held = this.organizations.get(`${connectionId}/${organizationId}`);
    if (!held || held.row.deletedAt) return null;
    const decision = this.decisions.get(`${connectionId}/${organizationId}`);
    if (decision?.accountId === null) return { state: "ignored", accountId: null };
    if (decision && this.accounts.some((account) => account.id === decision.accountId)) {
      return { state: "matched", accountId: decision.accountId };
    }
    for (const key of this.keys.get(connectionId) ?? []) {
      const mine = organizationValues(held.row, key.organizationField).map((v) => normalized(v, key.normalize));
      const met = this.accounts.filter((account) => {
        const theirs = normalized(accountValue(account, key.accountField), key.normalize);
        return theirs !== "" && mine.includes(theirs);
      });
      if (met.length === 1) return { state: "matched", accountId: met[0]?.id ?? null };
      if (met.length > 1) return { state: "ambiguous", accountId: null };
    }
    return { state: "unmatched", accountId: null };
  }

  organizationIds(): { connectionId: number; id: string }[] {
    return [...this.organizations.values()].map(({ connectionId, row }) => ({ connectionId, id: row.id }));
  }

  /** Every organization that any counted ticket names, known or not. */
  namedOrganizations(): { connectionId: number; id: string }[] {
    const keys = new Set(this.countedTickets().map((t) => `${t.connectionId}/${t.row.organizationId}`));
    return [...keys].map((key) => ({ connectionId: Number(key.split("/")[0]), id: key.split("/")[1] ?? "" }));
  }

  private ticketsOf(accountId: string): Held<TicketRow>[] {
    return this.countedTickets().filter(
      ({ connectionId, row }) => this.verdict(connectionId, row.organizationId ?? "")?.accountId === accountId,
    );
  }

  private countedTickets(): Held<TicketRow>[] {
    return [...this.tickets.values()].filter(
      ({ row }) => row.deletedAt === null && row.organizationId !== null && (this.settings.countMerged || !row.merged),
    );
  }

  private numbers(tickets: Held<TicketRow>[], day: string): Numbers {
    const isTop = (t: Held<TicketRow>) => this.settings.topPriorities.includes(t.row.priority ?? "");
    const numbers: Numbers = {
      total: tickets.length,
      unsolved: tickets.filter((t) => this.isUnsolved(t)).length,
      unsolved_top: tickets.filter((t) => this.isUnsolved(t) && isTop(t)).length,
    };
    for (let slot = 1; slot <= 5; slot += 1) {
      const days = this.settings.windows[slot - 1] ?? 0;
      this.addRange(numbers, `w${slot}`, tickets, days, day);
      this.addRange(numbers, `p${slot}`, tickets, days, daysBefore(day, days));
    }
    for (let block = 1; block <= 12; block += 1) {
      const end = daysBefore(day, 7 * (12 - block));
      numbers[`t${block}_created`] = tickets.filter((t) => this.isIn(t.row.createdAt, 7, end)).length;
    }
    return numbers;
  }

  /** Every count of the `days` days that end with `end`. */
  private addRange(numbers: Numbers, name: string, tickets: Held<TicketRow>[], days: number, end: string): void {
    const isTop = (t: Held<TicketRow>) => this.settings.topPriorities.includes(t.row.priority ?? "");
    const created = tickets.filter((t) => this.isIn(t.row.createdAt, days, end));
    numbers[`${name}_created`] = created.length;
    numbers[`${name}_created_top`] = created.filter(isTop).length;
    for (const answer of ["good", "neutral", "bad"]) {
      const rated = tickets.filter((t) => {
        const rating = this.ratingOf(t);
        return rating?.category === answer && this.isIn(rating.ratedAt, days, end);
      });
      numbers[`${name}_${answer}`] = rated.length;
      numbers[`${name}_${answer}_top`] = rated.filter(isTop).length;
    }
  }

  private isUnsolved({ connectionId, row }: Held<TicketRow>): boolean {
    const known = ["new", "open", "pending", "hold", "solved", "closed"];
    const category = known.includes(row.status ?? "")
      ? row.status
      : this.customStatuses.get(`${connectionId}/${row.customStatusId}`);
    return ["new", "open", "pending", "hold"].includes(category ?? "");
  }

  private ratingOf(ticket: Held<TicketRow>): RatingRow | null {
    const given = [...this.ratings.values()]
      .filter((r) => r.connectionId === ticket.connectionId && r.row.ticketId === ticket.row.id)
      .map((r) => r.row)
      .filter((r) => r.category !== null);
    const order = (r: RatingRow) => [r.ratedAt?.getTime() ?? -1, r.system === "survey" ? 1 : 0, r.id.length] as const;
    given.sort((a, b) => {
      const [x, y] = [order(a), order(b)];
      return y[0] - x[0] || y[1] - x[1] || y[2] - x[2] || (b.id > a.id ? 1 : -1);
    });
    return given[0] ?? null;
  }

  /** The day of the instant, counted one by one: no bounds, no arithmetic on instants. */
  private isIn(at: Date | null, days: number, asOf: string): boolean {
    if (at === null) return false;
    const day = dayIn(this.settings.timeZone, at);
    let last = asOf;
    for (let i = 0; i < days; i += 1) {
      if (last === day) return true;
      last = daysBefore(last, 1);
    }
    return false;
  }
}

function daysBefore(day: string, days: number): string {
  return new Date(Date.parse(`${day}T12:00:00Z`) - days * 86_400_000).toISOString().slice(0, 10);
}

function keep<Row extends { contentHash: string }>(
  held: Map<string, Held<Row>>,
  connectionId: number,
  id: string,
  row: Row,
  version: number,
): void {
  const key = `${connectionId}/${id}`;
  const known = held.get(key);
  if (known && (version < known.version || (version === known.version && row.contentHash === known.hash))) return;
  held.set(key, { connectionId, row, version, hash: row.contentHash });
}

function bury<Row extends { deletedAt: Date | null }>(
  held: Map<string, Held<Row>>,
  connectionId: number,
  id: string,
  at: Date,
): void {
  const known = held.get(`${connectionId}/${id}`);
  if (!known) return;
  known.row = { ...known.row, deletedAt: known.row.deletedAt ?? at };
  known.hash = "0";
}

function organizationValues(row: OrganizationRow, field: string): string[] {
  if (field === "id") return [row.id];
  if (field === "name") return [row.name ?? ""];
  if (field === "external_id") return [row.externalId ?? ""];
  if (field === "domain_names") return row.domainNames;
  return row.fields.filter(([key]) => `organization_fields.${key}` === field).map(([, value]) => value);
}

function accountValue(account: OracleAccount, field: string): string {
  if (field === "id") return account.id;
  return field === "externalId" ? account.externalId : account.name;
}
