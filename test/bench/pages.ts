import { sql } from "kysely";
import { type Db, inWorkspace } from "#db/client.ts";
import { parseJson } from "#lib/zendesk/json.ts";
import { type MadePage, makeRows } from "#lib/zendesk/page-rows.ts";
import type { TicketRow } from "#lib/zendesk/row-types.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import { streamNamed } from "#lib/zendesk/streams.ts";
import type { Random } from "#test/metrics/random.ts";
import { NOW } from "./generate.ts";

/** A page as Zendesk answers it: the bytes of the wire. */
export type WirePage = Buffer;

export const PAGE = 1000;
const priorities = [null, "low", "normal", "high", "urgent"];
const statuses = ["new", "open", "pending", "hold", "solved"];

interface TicketFacts {
  id: string;
  organizationId: string | null;
  createdAt: Date;
  requesterId: string | null;
  subject: string;
}

/** Makes pages of tickets that the database does not know yet, or knows in an older version. */
export class PageMaker {
  private nextId: number;
  private version: number;

  constructor(
    private readonly db: Db,
    private readonly scope: Scope,
    private readonly size: { tickets: number; accounts: number },
    private readonly random: Random,
    /** Makers of one workspace take turns: a later place has other ids and younger versions than the ones before. */
    place = 1,
  ) {
    this.nextId = size.tickets + 1 + place * 10_000_000;
    this.version = Math.floor(NOW.getTime() / 1000) + place * 1_000_000;
  }

  /** `known` tickets among the newest, changed, and the rest of the page new ones. */
  async page(known: number, length = PAGE): Promise<WirePage> {
    const changed = known === 0 ? [] : await this.recent(known);
    const created = Array.from({ length: length - changed.length }, () => this.newTicket());
    return wirePage([...changed, ...created].map((facts) => this.wireTicket(facts)));
  }

  /** The newest tickets change most: their age falls off exponentially. */
  private async recent(count: number): Promise<TicketFacts[]> {
    const { tickets } = this.size;
    const ids = new Set<number>();
    const wanted = Math.min(count, Math.floor(tickets / 2));
    while (ids.size < wanted) {
      const back = Math.floor(-Math.log(1 - this.random()) * tickets * 0.05);
      if (back < tickets) ids.add(tickets - back);
    }
    return inWorkspace(this.db, this.scope.workspaceId, async (trx) => {
      const { rows } = await sql<TicketFacts>`
        select id, organization_id as "organizationId", created_at as "createdAt", requester_id as "requesterId",
               coalesce(subject, '') as subject
          from ticket where workspace_id = ${this.scope.workspaceId} and connection_id = ${this.scope.connectionId}
           and id = any(${[...ids]}::bigint[])`.execute(trx);
      return rows;
    });
  }

  private newTicket(): TicketFacts {
    const { accounts } = this.size;
    const account = Math.min(accounts, Math.floor(Math.exp(this.random() * Math.log(accounts + 1))));
    const second = account <= Math.floor(accounts / 5) && this.random.chance(0.5);
    const id = String(this.nextId++);
    return {
      id,
      organizationId: this.random.chance(0.05) ? null : String(second ? accounts + account : account),
      createdAt: new Date(NOW.getTime() - this.random.int(0, 86_400_000)),
      requesterId: String(this.random.int(1, 3 * accounts)),
      subject: `Question ${id} about something new`,
    };
  }

  private wireTicket(facts: TicketFacts): object {
    this.version += 1;
    const priority = drawPriority(this.random());
    const status = this.random.pick(statuses);
    return ticketWire(facts, { priority, status, version: this.version });
  }
}

function drawPriority(draw: number): string | null {
  const [none, low, normal, high, urgent] = priorities;
  const word = draw < 0.3 ? none : draw < 0.5 ? low : draw < 0.85 ? normal : draw < 0.96 ? high : urgent;
  return word ?? null;
}

const seconds = (instant: Date) => `${instant.toISOString().slice(0, 19)}Z`;
const sentence = "The export stops after the first page and the log says nothing that would help us to find out why. ";

/** A ticket with its metric set, 2.7 kB, as the export writes it. */
function ticketWire(facts: TicketFacts, state: { priority: string | null; status: string; version: number }): object {
  const id = Number(facts.id);
  const updated = seconds(new Date(state.version * 1000));
  const address = `https://bench.zendesk.com/api/v2`;
  return {
    url: `${address}/tickets/${id}.json`,
    id,
    external_id: null,
    via: { channel: "web", source: { from: {}, to: {}, rel: null } },
    created_at: seconds(facts.createdAt),
    updated_at: updated,
    generated_timestamp: state.version,
    type: "incident",
    subject: facts.subject,
    raw_subject: facts.subject,
    description: sentence.repeat(6),
    priority: state.priority,
    status: state.status,
    recipient: null,
    requester_id: Number(facts.requesterId),
    submitter_id: Number(facts.requesterId),
    assignee_id: 1 + (id % 50),
    organization_id: facts.organizationId === null ? null : Number(facts.organizationId),
    group_id: 1 + (id % 7),
    collaborator_ids: [],
    follower_ids: [],
    email_cc_ids: [],
    forum_topic_id: null,
    problem_id: null,
    has_incidents: false,
    is_public: true,
    due_at: null,
    tags: ["support", "bench"],
    custom_fields: Array.from({ length: 12 }, (_, field) => ({
      id: 360_000_100 + field,
      value: `value ${(id * 31 + field) % 97}`,
    })),
    satisfaction_rating: { score: "unoffered" },
    sharing_agreement_ids: [],
    custom_status_id: null,
    encoded_id: `B${id.toString(36).toUpperCase()}`,
    followup_ids: [],
    ticket_form_id: 360_000_001,
    brand_id: 360_000_002,
    allow_channelback: false,
    allow_attachments: true,
    from_messaging_channel: false,
    metric_set: {
      url: `${address}/ticket_metrics/${id}.json`,
      id,
      ticket_id: id,
      created_at: seconds(facts.createdAt),
      updated_at: updated,
      group_stations: 1,
      assignee_stations: 1,
      reopens: 0,
      replies: 2,
      assignee_updated_at: updated,
      requester_updated_at: updated,
      status_updated_at: updated,
      initially_assigned_at: updated,
      assigned_at: updated,
      solved_at: state.status === "solved" ? updated : null,
      latest_comment_added_at: updated,
      reply_time_in_minutes: { calendar: 12, business: 12 },
      first_resolution_time_in_minutes: { calendar: null, business: null },
      full_resolution_time_in_minutes: { calendar: null, business: null },
      agent_wait_time_in_minutes: { calendar: null, business: null },
      requester_wait_time_in_minutes: { calendar: 3, business: 3 },
      on_hold_time_in_minutes: { calendar: 0, business: 0 },
    },
  };
}

function wirePage(tickets: object[]): WirePage {
  return Buffer.from(
    JSON.stringify({ tickets, after_url: null, after_cursor: "bench", before_url: null, end_of_stream: true }),
  );
}

/** What the sync does with the bytes of an answer before it writes anything. */
export function readPage(bytes: WirePage): MadePage {
  const text = bytes.toString("utf8");
  const { tickets } = parseJson(text) as { tickets: Record<string, unknown>[] };
  // Asked for when its newest row was there, and stored as of now.
  const newest = Math.max(...tickets.map(({ generated_timestamp: second }) => Number(second)));
  const asked = { requestedAt: new Date(newest * 1000), latest: new Date(newest * 1000), fetchedAt: NOW };
  const page = { part: "tickets", rows: tickets, text, at: null, end: true, ...asked, stamp: null };
  return makeRows(streamNamed("tickets"), page);
}

export function ticketRows(page: MadePage): TicketRow[] {
  return page.items.flatMap((item) => item.rows as TicketRow[]);
}
