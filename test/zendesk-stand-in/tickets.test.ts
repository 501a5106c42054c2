import { describe, expect, it } from "vitest";
import { randomWorld } from "#test/support/zendesk/random-world.ts";
import { truth } from "#test/support/zendesk/truth.ts";
import { DAY, HOUR, MINUTE, seconds } from "#test/support/zendesk/world/clock.ts";
import { World } from "#test/support/zendesk/world/world.ts";

const statusesOf = (world: World, id: string) =>
  world.tickets
    .existing(id)
    .audits.flatMap((audit) => audit.changes)
    .filter((change) => change.field === "status")
    .map((change) => change.value);

describe("a ticket's life", () => {
  it("goes from new to closed, counting reopenings and clearing solved_at on each", () => {
    const world = new World();
    const { id } = world.tickets.create();
    world.tickets.update(id, { assigneeId: world.adminId });
    world.advance(HOUR);
    world.tickets.solve(id, { comment: { body: "Done." } });
    expect(world.tickets.existing(id).metrics).toMatchObject({ replies: 1, solvedAt: world.now(), reopens: 0 });
    world.tickets.reopen(id);
    expect(world.tickets.existing(id).metrics).toMatchObject({ reopens: 1, solvedAt: null });
    world.advance(HOUR);
    world.tickets.solve(id);
    world.tickets.closeSolved(id);
    expect(statusesOf(world, id)).toEqual(["new", "open", "solved", "open", "solved", "closed"]);
    expect(() => world.tickets.update(id, { priority: "low" })).toThrow("closed prevents ticket update");
  });

  it("keeps status and custom status together", () => {
    const world = new World();
    const waiting = world.definitions.createCustomStatus({ category: "hold", agentLabel: "Waiting for parts" });
    const { id } = world.tickets.create();
    world.tickets.update(id, { customStatusId: waiting.id });
    expect(world.tickets.existing(id)).toMatchObject({ status: "hold", customStatusId: waiting.id });
    world.tickets.update(id, { status: "pending" });
    expect(world.tickets.existing(id).customStatusId).toBe(world.definitions.defaultStatusId("pending"));
  });

  it("moves updated_at and generated_timestamp on updates, generated_timestamp alone on system changes", () => {
    const world = new World();
    const ticket = world.tickets.create();
    const createdAt = world.now();
    world.advance(HOUR);
    world.tickets.systemTouch(ticket.id);
    expect(ticket).toMatchObject({ updatedAt: createdAt, generatedTimestamp: seconds(world.now()) });
    world.advance(HOUR);
    world.tickets.update(ticket.id, { priority: "urgent" });
    expect(ticket).toMatchObject({ updatedAt: world.now(), generatedTimestamp: seconds(world.now()) });
  });

  it("comes back from deletion as it was, but not from scrubbing", () => {
    const world = new World();
    const ticket = world.tickets.create({ priority: "high" });
    world.tickets.delete(ticket.id);
    expect(truth(world).tickets[0]).toMatchObject({ status: "deleted", deleted: true });
    world.tickets.restore(ticket.id);
    expect(truth(world).tickets[0]).toMatchObject({ status: "new", deleted: false, priority: "high" });
    world.tickets.scrub(ticket.id);
    expect(() => world.tickets.restore(ticket.id)).toThrow("cannot be restored");
  });

  it("ends in a merge closed with closed_by_merge, while the survivor lives on", () => {
    const world = new World();
    const [target, source] = [world.tickets.create(), world.tickets.create({ tags: ["billing"] })];
    world.tickets.merge(target.id, [source.id]);
    expect(source).toMatchObject({ status: "closed", tags: ["billing", "closed_by_merge"], mergedInto: target.id });
    world.tickets.solve(target.id);
    expect(target.status).toBe("solved");
  });
});

describe("organizations and users on the move", () => {
  it("move users, domains and tickets to the winner of a merge", () => {
    const world = new World();
    const loser = world.organizations.create({ name: "Loser", domainNames: ["loser.example"] });
    const winner = world.organizations.create({ name: "Winner", domainNames: ["winner.example"] });
    const user = world.users.create({ name: "Una", organizationId: loser.id });
    const open = world.tickets.create({ requesterId: user.id });
    const closed = world.tickets.create({ requesterId: user.id, status: "closed" });
    world.organizations.merge(loser.id, winner.id, { leaveClosed: true });
    expect([open.organizationId, closed.organizationId, user.organizationId]).toEqual([winner.id, loser.id, winner.id]);
    expect(winner.domainNames).toEqual(["winner.example", "loser.example"]);
    expect(truth(world).goneOrganizations).toEqual([{ id: loser.id, mergedInto: winner.id }]);
  });

  it("leave working tickets without organization, or with the new default, as the account is set", () => {
    for (const mode of ["null", "default"] as const) {
      const world = new World({ settings: { leaverTickets: mode } });
      const [old, next] = ["Old", "Next"].map((name) => world.organizations.create({ name }).id);
      const user = world.users.create({ name: "Una", organizationId: old ?? null });
      world.users.join(user.id, next ?? "");
      const working = world.tickets.create({ requesterId: user.id });
      const closed = world.tickets.create({ requesterId: user.id, status: "closed" });
      world.users.leave(user.id, old ?? "");
      expect(working.organizationId).toBe(mode === "null" ? null : next);
      expect(closed.organizationId).toBe(old);
    }
  });

  it("can exchange two names in one second, and refuse a taken one in any case", () => {
    const world = new World();
    const [a, b] = ["Alpha", "Beta"].map((name) => world.organizations.create({ name }));
    world.organizations.swapNames(a?.id ?? "", b?.id ?? "");
    expect([a?.name, b?.name]).toEqual(["Beta", "Alpha"]);
    expect(() => world.organizations.create({ name: "ALPHA" })).toThrow("already been taken");
  });
});

describe("the truth", () => {
  it("names each transition once, with the priority of its moment", () => {
    const world = new World();
    const { id } = world.tickets.create({ priority: "low" });
    world.advance(MINUTE);
    world.tickets.update(id, { priority: "urgent" });
    world.advance(MINUTE);
    world.tickets.update(id, { status: "solved", priority: "normal" });
    world.advance(MINUTE);
    world.tickets.reopen(id);
    expect(truth(world).transitions.map(({ kind, priority, top }) => [kind, priority, top])).toEqual([
      ["ticket_created", "low", false],
      ["ticket_escalated", "urgent", true],
      ["ticket_solved", "normal", false],
      ["ticket_reopened", "normal", false],
    ]);
  });

  it("has the latest answer of both systems as the one rating of a ticket", () => {
    const world = new World();
    const { id } = world.tickets.create();
    world.ratings.rate(id, "good");
    world.settings.satisfaction = "survey";
    world.advance(DAY);
    world.ratings.rate(id, "bad", { comment: "No" });
    expect(truth(world).answers).toEqual([
      { ticketId: id, system: "survey", score: "bad", comment: "No", at: "2026-03-03T09:00:00.000Z" },
    ]);
  });
});

describe("a random world", () => {
  it("is the same for the same seed and another for another", () => {
    const options = { tickets: 60, days: 30 };
    expect(truth(randomWorld(5, options))).toEqual(truth(randomWorld(5, options)));
    expect(truth(randomWorld(5, options))).not.toEqual(truth(randomWorld(6, options)));
  });

  it("unfolds when its clock is moved", () => {
    const world = randomWorld(5, { tickets: 60, days: 30 });
    const before = truth(world);
    world.advance(10 * DAY);
    const after = truth(world);
    expect(after.tickets.length).toBeGreaterThan(before.tickets.length);
    expect(after.transitions.length).toBeGreaterThan(before.transitions.length);
  });

  it("knows reopenings, deletions, merges, archived tickets and both satisfaction systems", () => {
    const worlds = [1, 2, 3, 4, 5, 6].map((seed) => truth(randomWorld(seed, { tickets: 200 })));
    const tickets = worlds.flatMap((world) => world.tickets);
    expect(tickets.some((ticket) => ticket.reopens > 1)).toBe(true);
    for (const flag of ["deleted", "scrubbed", "merged", "archived"] as const) {
      expect(tickets.some((ticket) => ticket[flag])).toBe(true);
    }
    const systems = new Set(worlds.flatMap((world) => world.answers.map((answer) => answer.system)));
    expect(systems).toEqual(new Set(["legacy", "survey"]));
    expect(worlds.some((world) => world.goneOrganizations.some((row) => row.mergedInto !== null))).toBe(true);
  });
});
