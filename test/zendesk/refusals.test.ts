import { describe, expect, it } from "vitest";
import type { StreamName } from "#lib/connections/shapes.ts";
import { streams } from "#lib/zendesk/streams.ts";
import { useDatabase } from "#test/support/database.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { DAY, HOUR, MINUTE } from "#test/support/zendesk/world/clock.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { type Account, connect } from "#test/zendesk/account.ts";
import { expectConverged, stored } from "#test/zendesk/stored.ts";

/* 403 on one stream (row 62): from the first page on, and in the middle of a run. */

const database = useDatabase();

/** What each stream asks for. */
const paths: Record<StreamName, string | RegExp> = {
  fields: /_fields$|custom_statuses$/,
  groups: "/api/v2/groups",
  organizations: "/api/v2/incremental/organizations",
  users: "/api/v2/incremental/users/cursor",
  tickets: "/api/v2/incremental/tickets/cursor",
  ticket_events: "/api/v2/incremental/ticket_events",
  satisfaction_ratings: /satisfaction_ratings$|survey_responses$/,
};
const names = streams.map(({ name }) => name);
const states = (outcome: { streams: { name: string; state: string }[] }) =>
  Object.fromEntries(outcome.streams.map(({ name, state }) => [name, state]));

function world(): World {
  const acme = new World({ subdomain: "acme", clock: "2026-03-02T09:00:00Z" });
  const start = acme.now() - 2 * DAY;
  for (let n = 0; n < 16; n++) {
    acme.at(new Date(start + n * MINUTE).toISOString(), () => {
      acme.definitions.createGroup({ name: `Group ${n}` });
      const { id: organizationId } = acme.organizations.create({ name: `Organization ${n}` });
      const { id: requesterId } = acme.users.create({ name: `User ${n}`, organizationId });
      const { id } = acme.tickets.create({ subject: `Ticket ${n}`, requesterId });
      acme.tickets.solve(id);
      acme.ratings.offer(id);
      acme.ratings.rate(id, "good");
    });
  }
  return acme;
}
const smallPages = (account: Account) =>
  account.read((trx) =>
    trx
      .insertInto("stream_state")
      .values(
        names.map((stream) => ({
          workspace_id: account.workspaceId,
          connection_id: account.connectionId,
          stream,
          purpose: "incremental",
          page_size: 5,
          updated_at: new Date(),
        })),
      )
      .execute(),
  );
const stateOf = (account: Account, stream: StreamName) =>
  account.read((trx) =>
    trx
      .selectFrom("stream_state")
      .select(["state", "fresh_through", "caught_up", "failure_code"])
      .where("stream", "=", stream)
      .where("purpose", "=", "incremental")
      .executeTakeFirstOrThrow(),
  );

describe("a stream that the credentials may not read", () => {
  it.each(names)("(%s) is said to have failed, claims nothing, and the rest goes on", async (name) => {
    const account = await connect(database, world());
    const closed = account.zendesk.faults.add({ path: paths[name] }, fault.forbidden("scope"));
    const outcome = await account.sync();
    expect(outcome.connectionFailure).toBeUndefined();
    expect(states(outcome)).toEqual(Object.fromEntries(names.map((each) => [each, each === name ? "failed" : "ok"])));
    expect(outcome.streams.find((stream) => stream.name === name)?.failure).toMatchObject({
      code: "missing_scope",
      action: expect.stringContaining("scope"),
    });
    expect(await stateOf(account, name)).toMatchObject({ state: "failed", fresh_through: null });
    closed.remove();
    account.world.advance(HOUR);
    expect(Object.values(states(await account.sync())).every((state) => state === "ok")).toBe(true);
    await expectConverged(account);
  });

  it.each(names.filter((name) => name !== "fields"))(
    "from its second page on (%s) keeps its first page, claims nothing, and goes on there",
    async (name) => {
      const account = await connect(database, world());
      await smallPages(account);
      const closed = account.zendesk.faults.add({ path: paths[name], page: 2 }, fault.forbidden("titled"));
      const outcome = await account.sync();
      expect(closed.strikes).toBe(1);
      expect(states(outcome)).toEqual(Object.fromEntries(names.map((each) => [each, each === name ? "failed" : "ok"])));
      expect(await stateOf(account, name)).toMatchObject({ state: "failed", fresh_through: null, caught_up: false });
      const { tickets, users } = await stored(account);
      const kept: Partial<Record<StreamName, { length: number }>> = { tickets, users };
      expect(kept[name]?.length ?? 1).toBeGreaterThan(0);
      expect(kept[name]?.length ?? 1).toBeLessThan(16);
      closed.remove();
      expect(Object.values(states(await account.sync())).every((state) => state === "ok")).toBe(true);
      await expectConverged(account);
    },
  );
});
