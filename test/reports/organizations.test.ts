import { parse } from "csv-parse/sync";
import { beforeEach, describe, expect, test } from "vitest";
import type { Trx } from "#db/client.ts";
import { defaultZendeskUrl } from "#lib/config.ts";
import { rematchWorkspace } from "#lib/matching/run.ts";
import { organizationsQuery } from "#lib/matching/shapes.ts";
import { decideMatch, putMatchKeys } from "#lib/matching/store.ts";
import { uploadDecisions } from "#lib/matching/upload.ts";
import { csvLines } from "#lib/reports/csv.ts";
import {
  listAccountOrganizations,
  listOrganizations,
  organizationColumns,
  organizationsCsv,
  readOrganization,
} from "#lib/reports/organizations.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import { storeOrganizations } from "#lib/zendesk/store/organizations.ts";
import { storeTickets } from "#lib/zendesk/store/tickets.ts";
import { makeConnections } from "#test/metrics/history.ts";
import { organizationRow, ticketRow } from "#test/metrics/rows.ts";
import { useDatabase } from "#test/support/database.ts";

const database = useDatabase();
const now = new Date("2026-11-20T10:00:00Z");
let scope: Scope;
let accounts: Record<string, string>;

beforeEach(async () => {
  const workspaceId = await database.workspace();
  await database.inWorkspace(workspaceId, async (trx) => {
    const [connectionId = 0] = await makeConnections(trx, workspaceId, 1);
    scope = { workspaceId, connectionId };
    const rows = [
      ["A-1", "Acme Inc."],
      ["A-2", "Globex"],
      ["A-3", "Twin"],
      ["A-4", "Twin"],
    ];
    const made = await trx
      .insertInto("account")
      .values(
        rows.map(([external_id = "", name = ""]) => ({
          ...{ workspace_id: workspaceId, external_id, name, owner_email: null, created_at: now, updated_at: now },
        })),
      )
      .returning(["id", "external_id"])
      .execute();
    accounts = Object.fromEntries(made.map((row) => [row.external_id, row.id]));
    await trx
      .insertInto("account_attribute")
      .values({
        workspace_id: workspaceId,
        account_id: accounts["A-2"] ?? "",
        key: "site",
        value: "https://www.Globex.com/",
      })
      .execute();
    await rematchWorkspace(trx, workspaceId, now);
    await putMatchKeys(trx, scope, [
      { organizationField: "external_id", accountField: "externalId", normalize: "exact" },
      { organizationField: "name", accountField: "name", normalize: "exact" },
    ]);
    await storeOrganizations(
      trx,
      scope,
      [
        organizationRow({ id: "9007199254740993", name: "ACME, GmbH", externalId: "a-1" }),
        organizationRow({ id: "2", name: "Second", externalId: "A-2" }),
        organizationRow({ id: "3", name: "Twin" }),
        organizationRow({ id: "4", name: "=cmd|' /C calc'!A0", domainNames: ["globex.com", "gmail.com"] }),
        organizationRow({ id: "5", name: "Gone", deletedAt: now }),
        organizationRow({ id: "6", name: null, externalId: null }),
      ],
      now,
    );
    await storeTickets(
      trx,
      scope,
      [ticketRow({ id: "1", organizationId: "4" }), ticketRow({ id: "2", organizationId: "4" })],
      now,
    );
  });
});

const inside = <T>(work: (trx: Trx) => Promise<T>) => database.inWorkspace(scope.workspaceId, work);
const list = (query: object = {}) => inside((trx) => listOrganizations(trx, scope, organizationsQuery.parse(query)));
const one = (id: string) => inside((trx) => readOrganization(trx, scope, id));
const upload = (text: string | Uint8Array) =>
  uploadDecisions(
    database.db,
    scope.workspaceId,
    String(scope.connectionId),
    typeof text === "string" ? new TextEncoder().encode(text) : text,
    "ann@example.com",
    now,
  );

describe("the list of organizations", () => {
  test("says where each stands and why, without those that Zendesk has no more", async () => {
    const { items } = await list();
    expect(items.map((item) => [item.organizationId, item.state, item.tickets])).toEqual([
      ["2", "matched", 0],
      ["3", "ambiguous", 0],
      ["4", "unmatched", 2],
      ["6", "unmatched", 0],
      ["9007199254740993", "unmatched", 0],
    ]);
    const [second, twin, , empty] = items;
    expect(second).toMatchObject({
      reason: "Key 1: external_id “A-2” is the external id in exactly one account.",
      account: { externalId: "A-2", name: "Globex" },
      decidedBy: { type: "key", index: 0 },
    });
    expect(twin).toMatchObject({ account: null, decidedBy: null });
    expect(twin?.reason).toBe("Key 2: name “Twin” is the name in 2 accounts.");
    expect(twin?.candidates.map((candidate) => candidate.externalId)).toEqual(["A-3", "A-4"]);
    expect(empty?.reason).toBe("Key 1: external_id is empty. Key 2: name is empty.");
  });

  test("suggests accounts with what speaks for them, and decides nothing by it", async () => {
    expect((await one("9007199254740993")).candidates).toEqual([
      {
        id: accounts["A-1"],
        externalId: "A-1",
        name: "Acme Inc.",
        evidence: "The names are alike: “ACME, GmbH” and “Acme Inc.”.",
      },
    ]);
    expect((await one("4")).candidates).toEqual([
      {
        id: accounts["A-2"],
        externalId: "A-2",
        name: "Globex",
        evidence: "The domain globex.com stands in the attribute site.",
      },
    ]);
    expect((await one("4")).state).toBe("unmatched");
  });

  test("pages, filters and searches", async () => {
    for (const sort of ["id", "-tickets"]) {
      const ids: string[] = [];
      let cursor: string | null = null;
      do {
        const page: Awaited<ReturnType<typeof list>> = await list({ limit: 2, sort, ...(cursor && { cursor }) });
        ids.push(...page.items.map((item) => item.organizationId));
        cursor = page.nextCursor;
      } while (cursor);
      expect(ids).toEqual(
        sort === "id" ? ["2", "3", "4", "6", "9007199254740993"] : ["4", "2", "3", "6", "9007199254740993"],
      );
    }
    expect((await list({ state: "ambiguous" })).items.map((item) => item.organizationId)).toEqual(["3"]);
    expect((await list({ q: "globex" })).items.map((item) => item.organizationId)).toEqual(["4"]);
    expect((await list({ q: "9007199254740993" })).items).toHaveLength(1);
    expect((await list({ state: "ignored" })).items).toEqual([]);
    await expect(list({ cursor: "x" })).rejects.toMatchObject({ code: "invalid" });
  });

  test("names the person who decided", async () => {
    await inside((trx) => decideMatch(trx, scope, "6", { ignored: true }, "ann@example.com", now));
    expect(await one("6")).toMatchObject({
      state: "ignored",
      decidedBy: { type: "person", email: "ann@example.com", at: now.toISOString() },
      reason: "ann@example.com said that this is not an account.",
    });
  });

  test("of an account is what is matched to it", async () => {
    const of = (id: string) =>
      inside((trx) => listAccountOrganizations(trx, scope.workspaceId, id, { limit: 10 }, defaultZendeskUrl));
    expect((await of(accounts["A-2"] ?? "")).items).toMatchObject([
      { organizationId: "2", url: "https://acme1.zendesk.com/agent/organizations/2", tickets: 0 },
    ]);
    expect((await of(accounts["A-1"] ?? "")).items).toEqual([]);
    await expect(of("999")).rejects.toMatchObject({ code: "not_found" });
  });
});

describe("the unmatched list as a file", () => {
  const download = async (query: object = { state: "unmatched" }) => {
    const response = await organizationsCsv(database.db, scope, organizationsQuery.parse(query), now);
    return parse(await response.text(), { columns: true }) as Record<string, string>[];
  };
  const file = (rows: Record<string, string>[]) =>
    csvLines([[...organizationColumns], ...rows.map((row) => organizationColumns.map((name) => row[name] ?? ""))]);

  test("comes down safe to open, is filled in, goes up, and its rows hold", async () => {
    const rows = await download();
    expect(rows.map((row) => row.organization_id)).toEqual(["4", "6", "9007199254740993"]);
    expect(rows[0]?.name).toBe("'=cmd|' /C calc'!A0");
    const corrected = rows.map((row) => ({
      ...row,
      action: row.organization_id === "6" ? "Ignore" : "",
      account_external_id: row.organization_id === "4" ? "A-2" : "",
    }));
    const text = file(corrected);
    expect(await upload(text)).toEqual({ decided: 2, unchanged: 1, rejected: [] });
    expect(await one("4")).toMatchObject({ state: "matched", account: { externalId: "A-2" } });
    expect(await one("6")).toMatchObject({ state: "ignored" });
    expect(await upload(text)).toEqual({ decided: 0, unchanged: 3, rejected: [] });
    expect(await upload("organization_id;account_external_id;action\n6;;undo\n")).toMatchObject({ decided: 1 });
    expect(await one("6")).toMatchObject({ state: "unmatched" });
    const total = await inside((trx) =>
      trx
        .selectFrom("account_metric")
        .select("total")
        .where("account_id", "=", accounts["A-2"] ?? "")
        .executeTakeFirst(),
    );
    expect(total?.total).toBe(2);
  });

  test("says for each row that cannot hold what is wrong, with its line; the others hold", async () => {
    const text = [
      "\ufefforganization_id,account_external_id,action,name",
      'abc,,ignore,"two\nlines"',
      "",
      "9.00719925474099E+15,A-1,,",
      "5,A-1,,",
      "2,a-2,,",
      "3,A-3,ignore,",
      "3,A-3,,",
      "3,A-4,,",
      "4,,delete,",
      "6,,ignore",
    ].join("\n");
    const result = await upload(text);
    expect(result).toMatchObject({ decided: 2, unchanged: 0 });
    expect(result.rejected.map((row) => [row.line, row.organizationId])).toEqual([
      [2, "abc"],
      [5, "9.00719925474099E+15"],
      [6, "5"],
      [7, "2"],
      [8, "3"],
      [10, "3"],
      [11, "4"],
    ]);
    expect(result.rejected.map((row) => row.message)).toEqual([
      "organization_id must be a Zendesk id: digits only.",
      "The spreadsheet shortened the organization id to 9.00719925474099E+15: format its column as text and fill in the id again.",
      "This connection has no organization 5.",
      "No account has the external id “a-2” (upper and lower case differ).",
      "Give either an account or the action ignore, not both.",
      "Organization 3 stands in an earlier line already.",
      "action must be ignore, undo or empty, and is “delete”.",
    ]);
  });

  test.each([
    ["nothing", "", "lacks the column organization_id, account_external_id, action"],
    ["another file", "id,name\n1,x\n", "lacks the column"],
    ["an open quote", 'organization_id,account_external_id,action\n"1,A,\n', "cannot be read"],
    ["UTF-16", new Uint8Array([0xff, 0xfe, 0x6f, 0x00]), "is not UTF-8"],
  ])("with %s is refused whole", async (_what, text, message) => {
    await expect(upload(text)).rejects.toMatchObject({ code: "invalid", message: expect.stringContaining(message) });
    expect(await inside((trx) => trx.selectFrom("match_decision").selectAll().execute())).toEqual([]);
  });
});
