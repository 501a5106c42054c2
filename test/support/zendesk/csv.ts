import { parse } from "csv-parse/sync";
import type { DemoAccount } from "./company/accounts.ts";
import { type Clock, DAY, fixedClock, HOUR, MINUTE } from "./world/clock.ts";
import type { Id } from "./world/ids.ts";
import { World } from "./world/world.ts";

export type CsvRow = Record<string, string>;

/** Which columns of two files mean what. */
export interface CsvMapping {
  accounts: {
    externalId: string;
    name: string;
    ownerEmail?: string;
    /** Every other column becomes an attribute. */
  };
  tickets: {
    /** The account's external id. */
    account: string;
    createdAt: string;
    /** Empty: not solved. */
    solvedAt?: string;
    /** Hours after creation; stands before `solvedAt`, which may be a mere day. */
    hoursToSolve?: string;
    minutesToReply?: string;
    priority?: string;
    subject?: string;
    /** 1 to 5, or `good`, `neutral`, `bad`; empty: not rated. */
    satisfaction?: string;
    comment?: string;
    /** `TRUE` sets the tag `escalated`. */
    escalated?: string;
    externalId?: string;
  };
}

export const csvMappings: Record<string, CsvMapping> = {
  plain: {
    accounts: { externalId: "external_id", name: "name", ownerEmail: "owner_email" },
    tickets: {
      account: "account_external_id",
      createdAt: "created_at",
      solvedAt: "solved_at",
      priority: "priority",
      subject: "subject",
      satisfaction: "rating",
      comment: "rating_comment",
    },
  },
  ravenstack: {
    accounts: { externalId: "account_id", name: "account_name" },
    tickets: {
      account: "account_id",
      createdAt: "submitted_at",
      solvedAt: "closed_at",
      hoursToSolve: "resolution_time_hours",
      minutesToReply: "first_response_time_minutes",
      priority: "priority",
      satisfaction: "satisfaction_score",
      escalated: "escalation_flag",
      externalId: "ticket_id",
    },
  },
};

export interface CsvOptions {
  /** The contents of the files. */
  accounts: string | Buffer;
  tickets: string | Buffer;
  /** Default: the first of `csvMappings` whose columns are all there. */
  mapping?: CsvMapping;
  subdomain?: string;
  /** Default: a fixed one, a week after the last thing that the files tell. */
  clock?: Clock;
}

/**
 * An account filled from a file of accounts and one of tickets. Each account becomes an organization with the same
 * external id and one contact; each ticket gets the history that its columns tell.
 * Throws naming the columns that are missing, and the line of a ticket whose account or date is unknown.
 */
export function worldFromCsv(options: CsvOptions): { world: World; accounts: DemoAccount[] } {
  const accountRows = readCsv(options.accounts);
  const ticketRows = readCsv(options.tickets);
  const mapping = options.mapping ?? detectMapping(accountRows, ticketRows);
  requireColumns("accounts", accountRows, mapping.accounts);
  requireColumns("tickets", ticketRows, mapping.tickets);
  const stories = ticketRows.map((row, position) => readTicket(row, mapping.tickets, position + 2));
  const first = Math.min(...stories.map((story) => story.createdAt), Date.now());
  const last = Math.max(...stories.map((story) => story.solvedAt ?? story.createdAt), first);
  const world = new World({
    clock: options.clock ?? fixedClock(new Date(last + 7 * DAY)),
    openedAt: first - DAY,
    settings: { satisfaction: "survey" },
    ...(options.subdomain !== undefined && { subdomain: options.subdomain }),
  });
  const accounts = accountRows.map((row) => readAccount(row, mapping.accounts));
  const contacts = world.at(first - DAY, () => foundOrganizations(world, accounts));
  for (const story of stories) {
    const requesterId = contacts.get(story.account);
    if (requesterId === undefined) throw new Error(`tickets, line ${story.line}: no account ${story.account}`);
    world.schedule.plan(story.createdAt, () => unfold(world, requesterId, story));
  }
  world.catchUp();
  return { world, accounts };
}

function readCsv(content: string | Buffer): CsvRow[] {
  return parse(content, { columns: true, bom: true, skip_empty_lines: true, trim: true }) as CsvRow[];
}

function detectMapping(accounts: CsvRow[], tickets: CsvRow[]): CsvMapping {
  for (const mapping of Object.values(csvMappings)) {
    const missing = [...missingColumns(accounts, mapping.accounts), ...missingColumns(tickets, mapping.tickets)];
    if (missing.length === 0) return mapping;
  }
  throw new Error(`No known mapping fits these columns; known: ${Object.keys(csvMappings).join(", ")}`);
}

function missingColumns(rows: CsvRow[], columns: object): string[] {
  const present = Object.keys(rows[0] ?? {});
  return Object.values(columns as Record<string, string>).filter((column) => !present.includes(column));
}

function requireColumns(file: string, rows: CsvRow[], columns: object): void {
  const missing = missingColumns(rows, columns);
  if (missing.length > 0) throw new Error(`${file}: missing columns ${missing.join(", ")}`);
}

function readAccount(row: CsvRow, columns: CsvMapping["accounts"]): DemoAccount {
  const { externalId, name, ownerEmail } = columns;
  const known = new Set([externalId, name, ownerEmail]);
  return {
    externalId: row[externalId] ?? "",
    name: row[name] ?? "",
    ownerEmail: row[ownerEmail ?? ""] ?? "",
    attributes: Object.fromEntries(Object.entries(row).filter(([column]) => !known.has(column))),
  };
}

/** Answers the contact of each account by external id. */
function foundOrganizations(world: World, accounts: readonly DemoAccount[]): Map<string, Id> {
  const names = new Set<string>();
  const contacts = new Map<string, Id>();
  for (const { externalId, name } of accounts) {
    const unique = names.has(name.toLowerCase()) ? `${name} (${externalId})` : name;
    names.add(unique.toLowerCase());
    const organization = world.organizations.create({ name: unique, externalId });
    const email = `contact@${externalId.toLowerCase().replace(/[^a-z0-9]+/g, "-")}.example`;
    const contact = world.users.create({ name: `Contact of ${name}`, email, organizationId: organization.id });
    contacts.set(externalId, contact.id);
  }
  return contacts;
}

interface TicketStory {
  line: number;
  account: string;
  externalId: string | null;
  subject: string;
  priority: string | null;
  createdAt: number;
  repliedAt: number | null;
  solvedAt: number | null;
  satisfaction: string | null;
  comment: string | null;
  escalated: boolean;
}

function readTicket(row: CsvRow, columns: CsvMapping["tickets"], line: number): TicketStory {
  const cell = (column: string | undefined): string | null => (column && row[column]) || null;
  const createdAt = instantOf(cell(columns.createdAt), columns.createdAt, line);
  if (createdAt === null) throw new Error(`tickets, line ${line}: ${columns.createdAt} is empty`);
  const hours = cell(columns.hoursToSolve);
  const minutes = cell(columns.minutesToReply);
  const closed = instantOf(cell(columns.solvedAt), columns.solvedAt ?? "", line);
  const solved = hours === null ? closed : createdAt + Number(hours) * HOUR;
  return {
    line,
    account: cell(columns.account) ?? "",
    externalId: cell(columns.externalId),
    subject: cell(columns.subject) ?? `Request ${cell(columns.externalId) ?? line}`,
    priority:
      cell(columns.priority)
        ?.toLowerCase()
        .replace(/^medium$/, "normal") ?? null,
    createdAt,
    repliedAt: minutes === null ? null : createdAt + Number(minutes) * MINUTE,
    solvedAt: closed === null ? null : solved,
    satisfaction: cell(columns.satisfaction),
    comment: cell(columns.comment),
    escalated: cell(columns.escalated)?.toUpperCase() === "TRUE",
  };
}

function instantOf(text: string | null, column: string, line: number): number | null {
  if (text === null) return null;
  const instant = Date.parse(text);
  if (Number.isNaN(instant)) throw new Error(`tickets, line ${line}: ${column} is no date: ${text}`);
  return instant;
}

/** Creation, first reply, solution, answer and closing, each at its time. */
function unfold(world: World, requesterId: Id, story: TicketStory): void {
  const { tickets, ratings, schedule } = world;
  const { id } = tickets.create({
    requesterId,
    subject: story.subject,
    priority: story.priority,
    externalId: story.externalId,
    tags: story.escalated ? ["escalated"] : [],
  });
  const { repliedAt, solvedAt } = story;
  if (repliedAt !== null && (solvedAt === null || repliedAt < solvedAt)) {
    schedule.plan(repliedAt, () => tickets.update(id, { assigneeId: world.adminId }, { comment: { body: "Hello." } }));
  }
  if (solvedAt === null) return;
  schedule.plan(solvedAt, () => tickets.solve(id, { by: world.adminId }));
  const answer = answerOf(story.satisfaction);
  if (answer !== null) {
    const { score, rating } = answer;
    schedule.plan(solvedAt + HOUR, () =>
      ratings.rate(id, score, { comment: story.comment, ...(rating && { rating }) }),
    );
  }
  schedule.plan(solvedAt + 4 * DAY, () => tickets.closeSolved(id));
}

/** 4 and 5 of five are good, 3 is neutral. */
function answerOf(text: string | null): { score: string; rating?: number } | null {
  if (text === null) return null;
  const rating = Number(text);
  if (!Number.isFinite(rating)) return { score: text.toLowerCase() };
  return { score: rating >= 4 ? "good" : rating >= 3 ? "neutral" : "bad", rating };
}
