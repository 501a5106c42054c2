import { expect, test } from "vitest";
import { approveDelivery } from "#lib/destinations/replay.ts";
import { openQueue } from "#test/destinations/queue-ground.ts";
import { useDatabase } from "#test/support/database.ts";
import { World } from "#test/support/zendesk/world/world.ts";

const database = useDatabase();

test("a person's word is for what they have read: what comes up after it is held anew (rows 101, 102, X-2)", async () => {
  const world = new World({ clock: "2026-03-02T09:00:00Z" });
  const user = world.users.create({ name: "Ann Lee", email: "ann@acme.example", externalId: "u-0" });
  const queue = await openQueue(database, world);
  await queue.read((trx) =>
    trx.updateTable("destination").set({ unknown_user_traits: "ask" }).where("id", "=", queue.destinationId).execute(),
  );
  const command = { fields: { email: "ann@acme.example", external_id: "u-1" }, unmapped: { plan: "pro" } };
  const [id = ""] = await queue.queue({ action: "upsert_user", command });
  const approve = () => queue.read((trx) => approveDelivery(trx, queue.workspaceId, id, "Ada", new Date(world.now())));
  for (const code of ["external_id_differs", "unknown_traits"]) {
    await queue.drain();
    expect(await queue.delivery(id)).toMatchObject({ state: "held", code });
    expect(user.externalId).toBe("u-0");
    await approve();
  }
  await queue.drain();
  expect(await queue.delivery(id)).toMatchObject({ state: "done", result_id: user.id });
  expect([user.externalId, user.fields.get("plan")]).toEqual(["u-1", "pro"]);
});
