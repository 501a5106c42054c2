import { sql } from "kysely";
import { beforeEach, describe, expect, test } from "vitest";
import type { Trx } from "#db/client.ts";
import { normalized } from "#lib/matching/rules.ts";
import { previewMatch, rematch, rematchWorkspace } from "#lib/matching/run.ts";
import { type MatchKey, normalizations } from "#lib/matching/shapes.ts";
import { connectionScope, decideMatch, matchCounts, putMatchKeys, withdrawDecision } from "#lib/matching/store.ts";
import type { OrganizationRow } from "#lib/zendesk/row-types.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import { storeOrganizations } from "#lib/zendesk/store/organizations.ts";
import { storeTickets } from "#lib/zendesk/store/tickets.ts";
import { makeConnections } from "#test/metrics/history.ts";
import { organizationRow, ticketRow } from "#test/metrics/rows.ts";
import { useDatabase } from "#test/support/database.ts";

const database = useDatabase();
const now = new Date("2026-11-20T10:00:00Z");
let scope: Scope;

beforeEach(async () => {
  const workspaceId = await database.workspace();
  const [connectionId = 0] = await database.inWorkspace(workspaceId, (trx) => makeConnections(trx, workspaceId, 1));
  scope = { workspaceId, connectionId };
});

const inside = <T>(work: (trx: Trx) => Promise<T>) => database.inWorkspace(scope.workspaceId, work);

/** Adds accounts; answers their ids by external id. */
async function accounts(rows: { externalId: string; name?: string; attributes?: Record<string, string> }[]) {
  return inside(async (trx) => {
    const ids: Record<string, string> = {};
    for (const { externalId, name = externalId, attributes = {} } of rows) {
      const { id } = await trx
        .insertInto("account")
        .values({
          workspace_id: scope.workspaceId,
          external_id: externalId,
          name,
          owner_email: null,
          created_at: now,
          updated_at: now,
        })
        .returning("id")
        .executeTakeFirstOrThrow();
      for (const [key, value] of Object.entries(attributes)) {
        await trx
          .insertInto("account_attribute")
          .values({ workspace_id: scope.workspaceId, account_id: id, key, value })
          .execute();
      }
      ids[externalId] = id;
    }
    await rematchWorkspace(trx, scope.workspaceId, now);
    return ids;
  });
}

const organizations = (...rows: (Partial<OrganizationRow> & { id: string })[]) =>
  inside((trx) => storeOrganizations(trx, scope, rows.map(organizationRow), now));
const key = (
  organizationField: string,
  accountField: string,
  normalize: MatchKey["normalize"] = "exact",
): MatchKey => ({
  organizationField,
  accountField,
  normalize,
});
const put = (...keys: MatchKey[]) => inside((trx) => putMatchKeys(trx, scope, keys));

/** `matched A-1 by 0` for each organization, in words short enough for a table. */
async function outcomes(): Promise<Record<string, string>> {
  const rows = await inside((trx) =>
    trx
      .selectFrom("organization as o")
      .leftJoin("account as a", "a.id", "o.account_id")
      .select(["o.id", "o.match_state", "o.match_key_index", "a.external_id"])
      .where("o.deleted_at", "is", null)
      .execute(),
  );
  return Object.fromEntries(
    rows.map((row) => [
      row.id,
      [row.match_state, row.external_id, row.match_key_index === null ? null : `by ${row.match_key_index}`]
        .filter((part) => part !== null)
        .join(" "),
    ]),
  );
}

describe("the ladder of keys", () => {
  test("asks them in order: the first that meets exactly one account decides, one that meets several stops", async () => {
    await accounts([
      { externalId: "A-1", name: "Acme" },
      { externalId: "A-2", name: "Globex" },
      { externalId: "A-3", name: "Twin" },
      { externalId: "A-4", name: "Twin" },
    ]);
    await organizations(
      { id: "1", externalId: "A-1", name: "Globex" },
      { id: "2", externalId: "nobody", name: "Globex" },
      { id: "3", externalId: null, name: "Twin", domainNames: ["A-1"] },
      { id: "4", externalId: "", name: "None", domainNames: ["A-2"] },
      { id: "5", externalId: "a-1", name: null },
    );
    await put(key("external_id", "externalId"), key("name", "name"), key("domain_names", "externalId"));
    expect(await outcomes()).toEqual({
      "1": "matched A-1 by 0",
      "2": "matched A-2 by 1",
      "3": "ambiguous by 1",
      "4": "matched A-2 by 2",
      "5": "unmatched",
    });
  });

  test("compares every field of the organization with every field of the account, numbers as text", async () => {
    const ids = await accounts([
      { externalId: "77", name: "By id" },
      { externalId: "x", name: "By custom field", attributes: { "crm id": "0042", empty: "" } },
      { externalId: "y", name: "By our id" },
    ]);
    await organizations(
      { id: "77" },
      {
        id: "2",
        fields: [
          ["crm", "0042"],
          ["blank", ""],
        ],
      },
      { id: "3", name: ids.y ?? "" },
      { id: "4", fields: [["crm", "42"]] },
    );
    await put(
      key("organization_fields.blank", "attributes.empty"),
      key("id", "externalId"),
      key("organization_fields.crm", "attributes.crm id"),
      key("name", "id"),
    );
    expect(await outcomes()).toEqual({
      "77": "matched 77 by 1",
      "2": "matched x by 2",
      "3": "matched y by 3",
      "4": "unmatched",
    });
  });

  test("lets a list of domains meet the accounts of all its values together", async () => {
    await accounts([
      { externalId: "A", attributes: { site: "https://www.acme.com/en" } },
      { externalId: "B", attributes: { site: "globex.com." } },
      { externalId: "C", attributes: { site: "gmail.com" } },
      { externalId: "D", attributes: { site: "shared.com" } },
      { externalId: "E", attributes: { site: "SHARED.com:443" } },
    ]);
    await organizations(
      { id: "1", domainNames: ["acme.com", "ACME.com", "unknown.com"] },
      { id: "2", domainNames: ["acme.com", "globex.com"] },
      { id: "3", domainNames: ["gmail.com"] },
      { id: "4", domainNames: ["gmail.com", "globex.com"] },
      { id: "5", domainNames: ["shared.com"] },
      { id: "6", domainNames: [] },
    );
    await put(key("domain_names", "attributes.site", "domain"));
    expect(await outcomes()).toEqual({
      "1": "matched A by 0",
      "2": "ambiguous by 0",
      "3": "unmatched",
      "4": "matched B by 0",
      "5": "ambiguous by 0",
      "6": "unmatched",
    });
    const { match_candidates: met } = await inside((trx) =>
      trx.selectFrom("organization").select("match_candidates").where("id", "=", "2").executeTakeFirstOrThrow(),
    );
    expect(met).toHaveLength(2);
  });

  test("with no key at all leaves everything unmatched", async () => {
    await accounts([{ externalId: "A" }]);
    await organizations({ id: "1", externalId: "A" });
    await put(key("external_id", "externalId"));
    expect(await put()).toMatchObject({ organizations: 1, unmatched: 1, keys: [], byKey: [], changes: { lost: 1 } });
    expect(await outcomes()).toEqual({ "1": "unmatched" });
  });

  test("keeps at most 20 candidates of a crowd, and does not multiply crowds with each other", async () => {
    await accounts(Array.from({ length: 60 }, (_, i) => ({ externalId: `A-${i}`, name: "Same" })));
    await organizations(
      ...Array.from({ length: 60 }, (_, i) => ({ id: String(i + 1), name: "same", domainNames: ["same", "SAME"] })),
    );
    for (const field of ["name", "domain_names"]) {
      expect(await put(key(field, "name", "case_insensitive"))).toMatchObject({ ambiguous: 60 });
      const rows = await inside((trx) => trx.selectFrom("organization").select("match_candidates").execute());
      expect(new Set(rows.map((row) => row.match_candidates?.length))).toEqual(new Set([20]));
    }
  });
});

test("SQL normalises exactly as the rule does, whatever the text", async () => {
  const texts = [
    ...[
      "Acme",
      " Acme\u00a0",
      "ÄÖÜ ß Ø Σ",
      "İstanbul",
      "\u2003wide\u3000",
      "tab\there",
      "a\nb",
      "🚀 Rocket",
      "'quote\"\\",
      "%_",
    ],
    ...[
      "https://WWW.Acme.com:8443/p?q#f",
      "acme.com.",
      "user@acme.com",
      "a@b@c.com",
      "//x.com",
      "ftp+ssh://y.com",
      "www.www.z.com",
    ],
    ...["www.", ".", "http://", "gmail.com", "www.gmail.com", "GMAIL.COM:25", "[::1]:80", "host:", "x.com\\y", "", " "],
  ];
  const kept = await accounts(
    texts.map((text, i) => ({ externalId: `T-${i}`, name: text || "empty", attributes: { value: text } })),
  );
  expect(Object.keys(kept)).toHaveLength(texts.length);
  for (const normalize of normalizations) {
    await organizations(
      ...texts.map((text, i) => ({
        id: String(i + 1),
        name: text,
        updatedAt: new Date(now.getTime() + normalizations.indexOf(normalize)),
      })),
    );
    await put(key("name", "attributes.value", normalize));
    const found = await outcomes();
    texts.forEach((text, i) => {
      const mine = normalized(text, normalize);
      const alike = texts.filter((other) => mine !== "" && normalized(other, normalize) === mine).length;
      const expected = alike === 0 ? "unmatched" : alike === 1 ? `matched T-${i} by 0` : "ambiguous by 0";
      expect(found[String(i + 1)], `${normalize} of ${JSON.stringify(text)}`).toBe(expected);
    });
  }
});

describe("a person's decision", () => {
  test("comes before all keys, for an account or for ignoring, and can be taken back", async () => {
    const ids = await accounts([{ externalId: "A" }, { externalId: "B" }]);
    await organizations({ id: "1", externalId: "A" }, { id: "2", externalId: "A" });
    await put(key("external_id", "externalId"));
    await inside((trx) => decideMatch(trx, scope, "1", { accountId: ids.B ?? "" }, "ann@example.com", now));
    await inside((trx) => decideMatch(trx, scope, "2", { ignored: true }, "ann@example.com", now));
    expect(await outcomes()).toEqual({ "1": "matched B", "2": "ignored" });
    await put(key("external_id", "externalId"), key("name", "name"));
    expect(await outcomes()).toEqual({ "1": "matched B", "2": "ignored" });
    await inside((trx) => withdrawDecision(trx, scope, "2"));
    expect(await outcomes()).toEqual({ "1": "matched B", "2": "matched A by 0" });
  });

  test("for an account that no longer exists is void", async () => {
    const ids = await accounts([{ externalId: "A" }, { externalId: "B" }]);
    await organizations({ id: "1", externalId: "A" });
    await put(key("external_id", "externalId"));
    await inside((trx) => decideMatch(trx, scope, "1", { accountId: ids.B ?? "" }, "ann@example.com", now));
    await inside(async (trx) => {
      await sql`delete from account where id = ${ids.B}`.execute(trx);
      await rematchWorkspace(trx, scope.workspaceId, now);
    });
    expect(await outcomes()).toEqual({ "1": "matched A by 0" });
  });

  test("about what does not exist is refused and changes nothing", async () => {
    await organizations({ id: "1" }, { id: "2", deletedAt: now });
    const decide = (id: string, accountId: string) =>
      inside((trx) => decideMatch(trx, scope, id, { accountId }, "ann@example.com", now));
    await expect(decide("99", "1")).rejects.toMatchObject({ code: "not_found" });
    await expect(decide("2", "1")).rejects.toMatchObject({ code: "not_found" });
    await expect(decide("1", "12345")).rejects.toMatchObject({ code: "invalid", details: [{ path: "accountId" }] });
    await expect(decide("1", "not-a-number")).rejects.toMatchObject({ code: "invalid" });
    expect(await inside((trx) => trx.selectFrom("match_decision").selectAll().execute())).toEqual([]);
  });
});

describe("a preview", () => {
  test("says what would be gained, lost and moved, changes nothing, and is what the change then gives", async () => {
    const ids = await accounts([
      { externalId: "A", name: "Acme" },
      { externalId: "B", name: "Beta" },
      { externalId: "C", name: "Twin" },
      { externalId: "D", name: "Twin" },
    ]);
    await organizations(
      { id: "1", externalId: "A", name: "Beta" },
      { id: "2", externalId: "B", name: "Nobody" },
      { id: "3", name: "Acme" },
      { id: "4", name: "Twin" },
      { id: "5", name: "Acme" },
      { id: "6", name: "Acme", deletedAt: now },
    );
    await put(key("external_id", "externalId"));
    await inside((trx) => decideMatch(trx, scope, "5", { ignored: true }, "ann@example.com", now));
    const before = await outcomes();
    const keys = [key("name", "name")];
    const preview = await inside((trx) => previewMatch(trx, scope, keys));
    expect(preview).toEqual({
      organizations: 5,
      matched: 2,
      unmatched: 1,
      ambiguous: 1,
      ignored: 1,
      byKey: [{ index: 0, matched: 2, ambiguous: 1 }],
      changes: { gained: 1, lost: 1, moved: 1 },
    });
    expect(await outcomes()).toEqual(before);
    const { keys: saved, ...changed } = await inside((trx) => putMatchKeys(trx, scope, keys));
    expect(saved).toEqual(keys);
    expect(changed).toEqual(preview);
    expect(await inside((trx) => matchCounts(trx, scope))).toEqual({
      organizations: 5,
      matched: 2,
      unmatched: 1,
      ambiguous: 1,
      ignored: 1,
    });
    expect(ids.A).toBeDefined();
    expect((await inside((trx) => rematch(trx, scope))).changes).toEqual({ gained: 0, lost: 0, moved: 0 });
  });

  test("of an empty connection is all zeros", async () => {
    expect(await inside((trx) => previewMatch(trx, scope, [key("id", "externalId")]))).toMatchObject({
      organizations: 0,
      byKey: [{ index: 0, matched: 0, ambiguous: 0 }],
    });
  });
});

test("accounts that come later, or change their key, are matched to what is stored, with every number right at once", async () => {
  await put(key("external_id", "externalId"));
  await organizations({ id: "1", externalId: "late" });
  await inside((trx) => storeTickets(trx, scope, [ticketRow({ id: "1" })], now));
  const ids = await accounts([{ externalId: "late" }]);
  const total = async () =>
    (await inside((trx) => trx.selectFrom("account_metric").select(["total", "name"]).executeTakeFirst())) ?? null;
  expect(await total()).toEqual({ total: 1, name: "late" });
  await inside(async (trx) => {
    await trx
      .updateTable("account")
      .set({ external_id: "other", name: "Renamed" })
      .where("id", "=", ids.late ?? "")
      .execute();
    await rematchWorkspace(trx, scope.workspaceId, now);
  });
  expect(await total()).toEqual({ total: 0, name: "Renamed" });
});

test("swapped names of two organizations swap their accounts, not their ids", async () => {
  await accounts([
    { externalId: "A", name: "North" },
    { externalId: "B", name: "South" },
  ]);
  await put(key("name", "name"));
  await organizations({ id: "1", name: "North" }, { id: "2", name: "South" });
  expect(await outcomes()).toEqual({ "1": "matched A by 0", "2": "matched B by 0" });
  const later = new Date(now.getTime() + 1000);
  await organizations({ id: "1", name: "South", updatedAt: later }, { id: "2", name: "North", updatedAt: later });
  expect(await outcomes()).toEqual({ "1": "matched B by 0", "2": "matched A by 0" });
});

test("a connection of another workspace is not found", async () => {
  const other = await database.workspace();
  await expect(
    database.inWorkspace(other, (trx) => connectionScope(trx, other, String(scope.connectionId))),
  ).rejects.toMatchObject({ code: "not_found" });
  await expect(inside((trx) => connectionScope(trx, scope.workspaceId, "x"))).rejects.toMatchObject({
    code: "not_found",
  });
});
