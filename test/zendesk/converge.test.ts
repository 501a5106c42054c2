import { describe, expect, it } from "vitest";
import { useDatabase } from "#test/support/database.ts";
import { randomWorld } from "#test/support/zendesk/random-world.ts";
import { DAY, HOUR } from "#test/support/zendesk/world/clock.ts";
import { connect } from "#test/zendesk/account.ts";
import { readAtNight } from "#test/zendesk/compared.ts";
import { expectConverged } from "#test/zendesk/stored.ts";

const database = useDatabase();

describe("a first sync and those after it", () => {
  it.each([1, 2, 3])("arrive at the account's truth, field by field (world %i)", async (seed) => {
    const world = randomWorld(seed, { tickets: 120, days: 60, settings: { deletedOrganizationsInExport: true } });
    const account = await connect(database, world);
    await account.sync();
    for (let n = 0; n < 3; n++) {
      world.advance(3 * DAY);
      const outcome = await account.sync();
      expect(outcome.streams.map(({ state }) => state)).toEqual(Array(7).fill("ok"));
    }
    world.advance(HOUR);
    await account.sync();
    await expectConverged(account);
  });

  it("arrive at the truth of all that hangs on them: values of fields, external ids, memberships, definitions", async () => {
    const world = randomWorld(4, { tickets: 60, days: 20, settings: { deletedOrganizationsInExport: true } });
    const { definitions, organizations, tickets, users } = world;
    const account = await connect(database, world);
    await account.sync({ mode: "reconcile" });
    await expectConverged(account, readAtNight);

    const [one, two, three] = organizations.list().map(({ id }) => id) as [string, string, string];
    const plan = definitions.createField("organization", { key: "plan", title: "Plan", type: "dropdown" });
    definitions.createField("user", { key: "seat", title: "Seat" });
    organizations.update(one, { fields: { account_number: null, plan: "gold", seats: 12, trial: false } });
    organizations.update(two, { fields: { account_number: "4711", plan: ["gold", "silver"] }, externalId: "moved" });
    const [ticket, other] = [...tickets.byId.values()].filter(({ deleted, status }) => !deleted && status !== "closed");
    tickets.update(ticket?.id as string, { externalId: "T-1" });
    tickets.update(other?.id as string, { externalId: null, subject: "Without" });
    const [user, another] = users
      .list(({ organizationId }) => organizationId === three)
      .map(({ id }) => id) as string[];
    users.update(user as string, { externalId: "U-1" });
    users.join(user as string, one);
    users.makeDefault(user as string, one);
    users.endMembership(another as string, three);
    definitions.updateField("organization", plan.id, { title: "Tariff", active: false });
    const [area] = [...definitions.fields.ticket.values()].filter(({ system }) => !system);
    definitions.deleteField("ticket", area?.id as string);
    const status = definitions.createCustomStatus({ category: "pending", agentLabel: "Waiting for the bank" });
    tickets.update(other?.id as string, { customStatusId: status.id });
    world.advance(HOUR);
    await account.sync();
    // A definition is believed to be gone after a day.
    world.advance(DAY);
    await account.sync();
    await expectConverged(account);
    await account.sync({ mode: "reconcile" });
    await expectConverged(account, readAtNight);

    organizations.update(one, { fields: { plan: null, seats: 13 } });
    Object.assign(status, { agentLabel: "Waiting", active: false, updatedAt: world.now() });
    world.advance(HOUR);
    await account.sync();
    await expectConverged(account);
  });
});
