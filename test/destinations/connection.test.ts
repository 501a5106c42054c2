import { sql } from "kysely";
import { expect, test } from "vitest";
import { DELETE as deleteConnection } from "#app/api/v1/connections/[id]/route.ts";
import { GET as listDestinations } from "#app/api/v1/destinations/route.ts";
import { putWriteBack } from "#lib/destinations/write-back.ts";
import { type Place, receivedAt, useDestinations } from "#test/destinations/ground.ts";

const ground = useDestinations();
const { api, database } = ground;

/** A put-away connection with a destination that has something of everything. */
async function putAway(): Promise<Place> {
  const place = await ground.place();
  const id = await ground.destination(place);
  await ground.receive(
    place,
    { type: "identify", userId: "ann", traits: { email: "ann@example.com" } },
    { type: "identify", traits: {} },
  );
  await ground.route(place);
  const [delivery] = await ground.deliveries(place);
  await database.inWorkspace(place.workspace, async (trx) => {
    const own = { workspace_id: place.workspace, delivery_id: delivery?.id ?? "" };
    const rule = { organizationField: "urgent", measure: "topUnsolved", enabled: true };
    await putWriteBack(trx, place.workspace, id, { rules: [rule] }, "Ann", receivedAt);
    await trx
      .insertInto("delivery_exchange")
      .values({
        ...own,
        position: 1,
        attempt: 1,
        step: "look",
        is_write: false,
        method: "GET",
        path: "/",
        outcome: "done",
        sent_at: receivedAt,
      })
      .execute();
    await trx
      .insertInto("write_back_value")
      .values({
        workspace_id: place.workspace,
        destination_id: Number(id),
        organization_id: "1",
        organization_field: "urgent",
        value: "2",
        delivery_id: null,
        set_at: receivedAt,
      })
      .execute();
    await trx.updateTable("connection").set({ state: "archived" }).execute();
  });
  return place;
}

const tables = [
  ...["destination", "destination_source", "destination_action", "delivery", "delivery_lane", "delivery_exchange"],
  ...["write_back_rule", "write_back_value"],
];
const counts = (place: Place) =>
  database.inWorkspace(place.workspace, async (trx) => {
    const found: [string, number][] = [];
    for (const table of tables) {
      const { rows } = await sql<{ n: number }>`select count(*)::int as n from ${sql.table(table)}`.execute(trx);
      found.push([table, rows[0]?.n ?? -1]);
    }
    return found;
  });
const remove = ({ connectionId, key }: Place, data: string) =>
  api.call(deleteConnection, `/api/v1/connections/${connectionId}?data=${data}`, { key });

test("a connection that is deleted with its rows kept takes its destinations along; what was not sent is listed as failed", async () => {
  const place = await putAway();
  expect((await remove(place, "keep")).status).toBe(204);
  expect((await api.call(listDestinations, "/api/v1/destinations", place)).body.items).toEqual([]);
  const deliveries = await ground.deliveries(place);
  expect(deliveries.map(({ state, code, due_at }) => [state, code, due_at])).toEqual([
    ["failed", "destination_deleted", null],
    ["failed", "missing_email", null],
  ]);
  expect(deliveries[0]?.reason).toContain("The connection “Acme support” was deleted");
});

test("a connection that is purged leaves nothing of its destinations and deliveries, and others keep theirs", async () => {
  const [place, bystander] = [await putAway(), await putAway()];
  const before = await counts(bystander);
  expect(before.map(([, rows]) => rows > 0)).toEqual(tables.map(() => true));
  expect((await remove(place, "purge")).status).toBe(204);
  expect(await counts(place)).toEqual(tables.map((table) => [table, 0]));
  expect(await counts(bystander)).toEqual(before);
});
