import { sql } from "kysely";
import type { Trx } from "#db/client.ts";
import { rematchWorkspace } from "#lib/matching/run.ts";
import { decideMatch, putMatchKeys, withdrawDecision } from "#lib/matching/store.ts";
import { ensureMetricsDay } from "#lib/metrics/store.ts";
import { updateWorkspace } from "#lib/workspace/store.ts";
import type { OrganizationRow, RatingRow, TicketRow } from "#lib/zendesk/row-types.ts";
import { storeOrganizations, tombstoneOrganizations } from "#lib/zendesk/store/organizations.ts";
import { storeRatings } from "#lib/zendesk/store/ratings.ts";
import { rederiveStatusCategories, storeTickets, tombstoneTickets } from "#lib/zendesk/store/tickets.ts";
import type { TestDatabase } from "#test/support/database.ts";
import { Oracle } from "./oracle.ts";
import { type Random, randomFrom } from "./random.ts";

const DAY = 86_400_000;
const names = ["Acme", "acme ", "Globex", "Initech", "Umbrella", "Ärzte", "ärzte", ""];
const domains = ["acme.com", "globex.com", "initech.com", "gmail.com", "umbrella.org"];
const zones = ["UTC", "America/New_York", "Europe/London", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Havana"];
/** Changes of clocks in the zones above lie near these. */
const starts = ["2026-03-08", "2026-03-29", "2026-10-25", "2026-11-01", "2026-04-05", "2026-10-04"];

/** One workspace with two Zendesk accounts of equal ids, and a history that unfolds step by step on product and oracle. */
export class History {
  readonly oracle: Oracle;
  now: Date;
  private readonly random: Random;
  private hashes = 1;
  private version = 1_000;

  private constructor(
    seed: number,
    private readonly database: TestDatabase,
    readonly workspaceId: number,
    readonly connections: number[],
  ) {
    this.random = randomFrom(seed);
    this.now = new Date(Date.parse(`${this.random.pick(starts)}T00:00:00Z`) + this.random.int(-2 * DAY, 2 * DAY));
    this.oracle = new Oracle({
      timeZone: "UTC",
      windows: [7, 14, 30, 90, 180],
      topPriorities: ["high", "urgent"],
      countMerged: true,
    });
  }

  static async begin(database: TestDatabase, seed: number): Promise<History> {
    const workspaceId = await database.workspace();
    const connections = await database.inWorkspace(workspaceId, (trx) => makeConnections(trx, workspaceId, 2));
    return new History(seed, database, workspaceId, connections);
  }

  /** Accounts that organizations match, and tickets in them: random steps alone leave many worlds empty. */
  async populate(): Promise<void> {
    for (let i = 0; i < 4; i += 1) await this.run(this.accounts);
    for (const connectionId of this.connections) {
      await this.database.inWorkspace(this.workspaceId, async (trx) => {
        const keys = [{ organizationField: "external_id", accountField: "externalId", normalize: "exact" as const }];
        await putMatchKeys(trx, { workspaceId: this.workspaceId, connectionId }, keys);
        this.oracle.keys.set(connectionId, keys);
      });
    }
    for (let i = 0; i < 6; i += 1) await this.run(this.organizations);
    for (let i = 0; i < 8; i += 1) await this.run(this.tickets);
    for (let i = 0; i < 4; i += 1) await this.run(this.ratings);
  }

  private run(happening: (trx: Trx) => Promise<void>): Promise<void> {
    return this.database.inWorkspace(this.workspaceId, (trx) => happening.call(this, trx));
  }

  /** One random thing happens, and is told to both. Its name is for the failure message. */
  async step(): Promise<string> {
    const { random } = this;
    const happenings = [
      ...Array(6).fill(this.tickets),
      ...Array(3).fill(this.ratings),
      ...Array(2).fill(this.organizations),
      this.accounts,
      this.accountsGone,
      this.time,
      this.time,
      this.matchKeys,
      this.decision,
      this.settings,
      this.ticketsGone,
      this.organizationsGone,
      this.customStatus,
    ] as ((trx: Trx) => Promise<void>)[];
    const happening = random.pick(happenings);
    await this.run(happening);
    return happening.name;
  }

  private async tickets(trx: Trx): Promise<void> {
    const scope = this.scope();
    const rows = Array.from({ length: this.random.int(1, 12) }, () => this.ticket());
    await storeTickets(trx, scope, rows, this.now);
    // A page may hold the same ticket twice: only the highest version of it counts, whichever order.
    for (const row of rows) this.oracle.ticket(scope.connectionId, row);
  }

  private ticket(): TicketRow {
    const { random } = this;
    const stale = random.chance(0.25);
    const status = random.pick(["new", "open", "pending", "hold", "solved", "closed", "Løst", null, ""]);
    const deleted = random.chance(0.1);
    const merged = status === "closed" && random.chance(0.5);
    return {
      id: String(random.int(1, 30)),
      createdAt: random.chance(0.03) ? null : this.instant(),
      updatedAt: this.now,
      generatedTimestamp: stale ? random.int(900, this.version) : this.nextVersion(),
      solvedAt: null,
      deletedAt: deleted ? this.now : null,
      organizationId: random.chance(0.1) ? null : String(random.int(1, 6)),
      requesterId: String(random.int(1, 5)),
      assigneeId: null,
      groupId: null,
      customStatusId: random.chance(0.5) ? String(random.int(1, 3)) : null,
      reopens: null,
      merged,
      priority: random.pick(["low", "normal", "high", "urgent", null, "", "High"]),
      status: deleted ? "deleted" : status,
      type: null,
      channel: "web",
      externalId: null,
      subject: random.pick(["Help", '"quoted" \\ {braces}', "NULL", ""]),
      tags: random.pick([[], ["a"], ['say "hi"', "back\\slash", "NULL", "{,}"]]),
      contentHash: this.hash(),
      payload: "{}",
    };
  }

  private async ratings(trx: Trx): Promise<void> {
    const scope = this.scope();
    const rows = Array.from({ length: this.random.int(1, 8) }, () => this.rating());
    await storeRatings(trx, scope, rows, this.now);
    for (const row of rows) this.oracle.rating(scope.connectionId, row);
  }

  private rating(): RatingRow {
    const { random } = this;
    const ticket = random.int(1, 32);
    const category = random.pick(["good", "neutral", "bad", null] as const);
    const at = this.instant();
    return {
      system: random.pick(["legacy", "survey"]),
      id: `${ticket}${random.pick(["", "0", "1"])}`,
      ticketId: String(ticket),
      score: category ?? random.pick(["offered", "splendid"]),
      category,
      comment: "words",
      ratedAt: at,
      createdAt: at,
      updatedAt: new Date(this.now.getTime() - (random.chance(0.2) ? random.int(0, DAY) : 0)),
      contentHash: this.hash(),
    };
  }

  private async organizations(trx: Trx): Promise<void> {
    const scope = this.scope();
    const rows = Array.from({ length: this.random.int(1, 4) }, () => this.organization());
    await storeOrganizations(trx, scope, rows, this.now);
    for (const row of rows) this.oracle.organization(scope.connectionId, row);
  }

  private organization(): OrganizationRow {
    const { random } = this;
    return {
      id: String(random.int(1, 6)),
      name: random.pick(names),
      externalId: random.chance(0.5) ? `A-${random.int(1, 4)}` : random.pick([null, ""]),
      domainNames: domains.filter(() => random.chance(0.3)).map((d) => random.pick([d, `https://www.${d}/x`])),
      groupId: null,
      createdAt: null,
      updatedAt: new Date(this.now.getTime() - (random.chance(0.2) ? DAY : 0)),
      deletedAt: random.chance(0.1) ? this.now : null,
      fields: random.chance(0.5) ? [["site", random.pick([...domains, "", " "])]] : [],
      contentHash: this.hash(),
    };
  }

  private async accounts(trx: Trx): Promise<void> {
    const { random, workspaceId, oracle } = this;
    const account = {
      external_id: `A-${random.int(1, 5)}`,
      name: random.pick([...names.filter(Boolean), ...domains]),
      updated_at: this.now,
    };
    const { id } = await trx
      .insertInto("account")
      .values({ workspace_id: workspaceId, ...account, owner_email: null, created_at: this.now })
      .onConflict((oc) => oc.columns(["workspace_id", "external_id"]).doUpdateSet(account))
      .returning("id")
      .executeTakeFirstOrThrow();
    oracle.accounts = oracle.accounts.filter((known) => known.id !== id);
    oracle.accounts.push({ id, externalId: account.external_id, name: account.name });
    await rematchWorkspace(trx, workspaceId, this.now);
  }

  private async accountsGone(trx: Trx): Promise<void> {
    const gone = this.oracle.accounts.splice(0, this.random.chance(0.3) ? 1 : 0);
    for (const { id } of gone) {
      for (const table of ["account", "account_metric"] as const) {
        await sql`delete from ${sql.table(table)} where workspace_id = ${this.workspaceId}
          and ${sql.ref(table === "account" ? "id" : "account_id")} = ${id}`.execute(trx);
      }
    }
    await rematchWorkspace(trx, this.workspaceId, this.now);
  }

  private async time(trx: Trx): Promise<void> {
    this.now = new Date(this.now.getTime() + this.random.pick([3_600_000, DAY / 3, DAY, 3 * DAY, 40 * DAY]));
    await ensureMetricsDay(trx, this.workspaceId, this.now);
  }

  private async matchKeys(trx: Trx): Promise<void> {
    const scope = this.scope();
    const all = [
      { organizationField: "external_id", accountField: "externalId", normalize: "exact" },
      { organizationField: "name", accountField: "name", normalize: "case_insensitive" },
      { organizationField: "name", accountField: "name", normalize: "exact" },
      { organizationField: "domain_names", accountField: "name", normalize: "domain" },
      { organizationField: "organization_fields.site", accountField: "name", normalize: "domain" },
      { organizationField: "id", accountField: "id", normalize: "exact" },
    ] as const;
    const keys = [...all].sort(() => this.random() - 0.5).slice(0, this.random.int(0, 3));
    await putMatchKeys(trx, scope, keys);
    this.oracle.keys.set(scope.connectionId, keys);
  }

  private async decision(trx: Trx): Promise<void> {
    const scope = this.scope();
    const id = String(this.random.int(1, 6));
    if (this.oracle.verdict(scope.connectionId, id) === null) return;
    const key = `${scope.connectionId}/${id}`;
    if (this.random.chance(0.3)) {
      await withdrawDecision(trx, scope, id);
      this.oracle.decisions.delete(key);
      return;
    }
    const account = this.random.chance(0.3) ? undefined : this.oracle.accounts[0];
    const decision = account ? { accountId: account.id } : { ignored: true as const };
    await decideMatch(trx, scope, id, decision, "someone@example.com", this.now);
    this.oracle.decisions.set(key, { accountId: account?.id ?? null });
  }

  private async settings(trx: Trx): Promise<void> {
    const { random } = this;
    const patch = random.pick([
      { timeZone: random.pick(zones) },
      { windows: random.pick([[1], [30, 7], [7, 14, 30, 90, 180], [1, 2, 3, 365, 730], [5]]) },
      { topPriorities: random.pick([["urgent" as const], ["high" as const, "urgent" as const], ["low" as const]]) },
      { countMerged: random.chance(0.5) },
    ]);
    await updateWorkspace(trx, this.workspaceId, patch, this.now);
    Object.assign(this.oracle.settings, patch);
  }

  private async ticketsGone(trx: Trx): Promise<void> {
    const scope = this.scope();
    const ids = [String(this.random.int(1, 30)), String(this.random.int(1, 30))];
    await tombstoneTickets(trx, scope, ids, this.now);
    for (const id of ids) this.oracle.ticketGone(scope.connectionId, id, this.now);
  }

  private async organizationsGone(trx: Trx): Promise<void> {
    const scope = this.scope();
    const id = String(this.random.int(1, 6));
    await tombstoneOrganizations(trx, scope, [id], this.now, new Map([[id, "1"]]));
    this.oracle.organizationGone(scope.connectionId, id, this.now);
  }

  private async customStatus(trx: Trx): Promise<void> {
    const scope = this.scope();
    const id = String(this.random.int(1, 3));
    const category = this.random.pick(["open", "solved", "hold"]);
    await trx
      .insertInto("custom_status")
      .values({
        workspace_id: scope.workspaceId,
        connection_id: scope.connectionId,
        id,
        category,
        label: null,
        active: true,
        updated_at: null,
        content_hash: "1",
      })
      .onConflict((oc) => oc.columns(["workspace_id", "connection_id", "id"]).doUpdateSet({ category }))
      .execute();
    await rederiveStatusCategories(trx, scope, this.now);
    this.oracle.customStatuses.set(`${scope.connectionId}/${id}`, category);
  }

  /** Days apart, and often within seconds of midnight somewhere. */
  private instant(): Date {
    const { random } = this;
    const day = this.now.getTime() - random.int(0, random.pick([3, 20, 200])) * DAY;
    if (random.chance(0.3)) return new Date(Math.floor(day / 3_600_000) * 3_600_000 - random.pick([0, 1, 1000]));
    return new Date(day - random.int(0, DAY));
  }

  private scope() {
    return { workspaceId: this.workspaceId, connectionId: this.random.pick(this.connections) };
  }

  /** Often the same as before: two changes in one second. */
  private nextVersion(): number {
    this.version += this.random.int(0, 3);
    return this.version;
  }

  private hash(): string {
    this.hashes += 1;
    return String(this.hashes);
  }
}

/** Bare connections: enough for rows to belong to. */
export async function makeConnections(trx: Trx, workspaceId: number, count: number): Promise<number[]> {
  const at = new Date("2026-01-01T00:00:00Z");
  const rows = await trx
    .insertInto("connection")
    .values(
      Array.from({ length: count }, (_, index) => ({
        workspace_id: workspaceId,
        name: `Zendesk ${index + 1}`,
        subdomain: `acme${index + 1}`,
        access: "read",
        auth_type: "api_token",
        created_at: at,
        updated_at: at,
      })),
    )
    .returning("id")
    .execute();
  return rows.map((row) => row.id);
}
