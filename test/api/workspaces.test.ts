import { expect, test } from "vitest";
import { z } from "zod";
import { route } from "#app/api/handler.ts";
import { operation } from "#app/api/operation.ts";
import { DELETE as revokeApiKey } from "#app/api/v1/api-keys/[id]/route.ts";
import { GET as listApiKeys } from "#app/api/v1/api-keys/route.ts";
import { PATCH as updateUser } from "#app/api/v1/users/[id]/route.ts";
import { GET as listUsers } from "#app/api/v1/users/route.ts";
import { useApi } from "#test/support/api.ts";
import { useDatabase } from "#test/support/database.ts";

const database = useDatabase();
const api = useApi(database);

/** A workspace whose tickets and accounts have the ids of the other's. */
async function tenant(name: string) {
  const workspace = await database.workspace({ name });
  await database.inWorkspace(workspace, async (trx) => {
    const times = { created_at: new Date(), updated_at: new Date() };
    await trx
      .insertInto("account")
      .values({ workspace_id: workspace, external_id: "1", name, ...times })
      .execute();
    const ticket = { workspace_id: workspace, connection_id: 1, id: "1", subject: name, generated_timestamp: "1" };
    await trx
      .insertInto("ticket")
      .values({ ...ticket, content_hash: "1" })
      .execute();
  });
  const person = await api.person(workspace, "admin", `${name}@example.com`);
  return { workspace, person, key: await api.key(workspace) };
}

/** Reads without naming a workspace: what row-level security leaves. */
const everything = route(
  operation({ id: "everything", method: "GET", path: "/api/v1/all", summary: "", role: "viewer", answer: z.unknown() }),
  async ({ db }) => ({
    accounts: await db.selectFrom("account").select("name").execute(),
    tickets: await db.selectFrom("ticket").select("subject").execute(),
  }),
);

test("200 requests of two workspaces at once each see their own rows only", async () => {
  const [northwind, contoso] = [await tenant("northwind"), await tenant("contoso")];
  const calls = Array.from({ length: 200 }, async (_, index) => {
    const { key, person } = index % 2 === 0 ? northwind : contoso;
    const { body } = await api.call(everything, "/api/v1/all", index % 4 < 2 ? { key } : { cookie: person.cookie });
    return body;
  });
  for (const [index, body] of (await Promise.all(calls)).entries()) {
    const name = index % 2 === 0 ? "northwind" : "contoso";
    expect(body).toEqual({ accounts: [{ name }], tickets: [{ subject: name }] });
  }
});

test("people and keys of another workspace are neither listed nor changed", async () => {
  const [mine, theirs] = [await tenant("fabrikam"), await tenant("adventure")];
  const { body: people } = await api.call(listUsers, "/api/v1/users", { key: mine.key });
  expect(people.items.map(({ email }) => email)).toEqual(["fabrikam@example.com"]);
  const { body: theirKeys } = await api.call(listApiKeys, "/api/v1/api-keys", { key: theirs.key });
  const id = theirKeys.items[0]?.id;
  expect((await api.call(revokeApiKey, `/api/v1/api-keys/${id}`, { key: mine.key })).status).toBe(404);
  const change = { key: mine.key, body: { role: "viewer" } };
  expect((await api.call(updateUser, `/api/v1/users/${theirs.person.userId}`, change)).status).toBe(404);
  expect((await api.call(listUsers, "/api/v1/users", { key: theirs.key })).body.items[0]?.role).toBe("admin");
});
