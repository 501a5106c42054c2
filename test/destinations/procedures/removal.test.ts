import { describe, expect, test } from "vitest";
import { getDeliveryDetail } from "#lib/destinations/deliveries.ts";
import { approveDelivery } from "#lib/destinations/replay.ts";
import { openQueue } from "#test/destinations/queue-ground.ts";
import { useDatabase } from "#test/support/database.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { MINUTE, SECOND } from "#test/support/zendesk/world/clock.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { commitsThen } from "#test/support/zendesk/write-faults.ts";

const database = useDatabase();

/** A removal that waits for a person's word, with two working tickets. */
async function held() {
  const world = new World({ clock: "2026-03-02T09:00:00Z" });
  const { id: organizationId } = world.organizations.create({ name: "Acme", externalId: "c-1" });
  const { id: requesterId } = world.users.create({
    ...{ name: "Ann", email: "ann@acme.example", externalId: "u-1" },
    organizationId,
  });
  const opens = (subject: string) => world.tickets.create({ subject, status: "open", requesterId, organizationId }).id;
  const [first, second] = [opens("First"), opens("Second")];
  const queue = await openQueue(database, world);
  await queue.read((trx) => trx.updateTable("destination").set({ allow_removals: true }).execute());
  const fields = { "user.external_id": "u-1", organization_id: "c-1", remove: true };
  const [id = ""] = await queue.queue({ action: "update_membership", command: { fields, unmapped: {} } });
  await queue.drain();
  const told = () => queue.read((trx) => getDeliveryDetail(trx, queue.ctx.config, queue.workspaceId, id));
  return {
    ...{ ...queue, id, first, second, opens, told },
    /** As the screen does: with the code that was read. */
    approve: (seen?: string | null) =>
      queue.read((trx) => approveDelivery(trx, queue.workspaceId, id, "Ada", queue.clock(), seen)),
    tickets: async () => (await told()).affectedTickets?.map((ticket) => ticket.id) ?? null,
    isMember: () => world.users.membershipsOf(requesterId).length > 0,
  };
}

describe("an approved removal (C-23)", () => {
  test("is held again where more working tickets would be unassigned than the person saw, with the new ones named", async () => {
    const place = await held();
    expect(await place.told()).toMatchObject({ state: "held", code: "removal" });
    const stale = (await place.told()).code;
    const third = place.opens("Third");
    await place.approve(stale);
    await place.drain();
    const again = await place.told();
    expect(again).toMatchObject({ state: "held", fix: expect.stringMatching(/approve/) });
    expect(again.reason).toMatch(new RegExp(`3 working tickets.*New since it was approved: #${third} “Third”`));
    expect(await place.tickets()).toEqual([place.first, place.second, third]);
    expect(place.isMember()).toBe(true);
    // Somebody whose screen still shows the first list has not seen this one.
    await expect(place.approve(stale)).rejects.toMatchObject({ code: "conflict" });
    await place.approve(again.code);
    await place.drain();
    expect(await place.told()).toMatchObject({ state: "done" });
    expect(place.isMember()).toBe(false);
  });

  test("goes on where tickets were solved meanwhile; the log keeps those that were unassigned", async () => {
    const place = await held();
    expect(await place.tickets()).toEqual([place.first, place.second]);
    place.world.tickets.update(place.first, { status: "solved" });
    await place.approve();
    await place.drain();
    expect(await place.told()).toMatchObject({ state: "done" });
    expect(await place.tickets()).toEqual([place.second]);
    expect(place.isMember()).toBe(false);
  });

  test("that has to wait before it is done still knows what was approved", async () => {
    const place = await held();
    const [removal, lists] = [
      { method: "DELETE", path: /organization_memberships/ },
      { method: "GET", path: /tickets\/requested/ },
    ];
    place.zendesk.faults.add(removal, fault.tooManyRequests({ retryAfter: "60" }), { times: 1 });
    place.world.tickets.update(place.first, { status: "solved" });
    await place.approve();
    await place.drain();
    expect(await place.told()).toMatchObject({ state: "queued", code: "rate_limited" });
    expect(await place.tickets()).toEqual([place.first, place.second]);
    const unreadable = place.zendesk.faults.add(lists, fault.status(500));
    place.world.advance(2 * MINUTE);
    await place.drain();
    unreadable.remove();
    // The person has seen this one.
    place.world.tickets.update(place.first, { status: "open" });
    place.world.advance(2 * MINUTE);
    await place.drain();
    expect(await place.told()).toMatchObject({ state: "done" });
    expect(await place.tickets()).toEqual([place.first, place.second]);
  });

  test("whose answer was lost keeps what it unassigned, as it was read right before (row 96)", async () => {
    const place = await held();
    place.world.tickets.update(place.first, { status: "solved" });
    place.zendesk.faults.add({ method: "DELETE", path: /organization_memberships/ }, commitsThen("502"), { times: 1 });
    await place.approve();
    await place.drain();
    expect(await place.told()).toMatchObject({ state: "unknown" });
    place.world.advance(5 * SECOND);
    await place.drain();
    expect(await place.told()).toMatchObject({ state: "done", notes: [expect.stringMatching(/earlier try/)] });
    expect(await place.tickets()).toEqual([place.second]);
  });

  test("of a membership that somebody else has ended unassigned nothing", async () => {
    const place = await held();
    const [{ userId = "", organizationId = "" } = {}] = place.world.users.memberships.values();
    place.world.users.leave(userId, organizationId);
    await place.approve();
    await place.drain();
    expect(await place.told()).toMatchObject({ state: "done", notes: [expect.stringMatching(/was not a member/)] });
    expect(await place.tickets()).toBeNull();
  });
});
