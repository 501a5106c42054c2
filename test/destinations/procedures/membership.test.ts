import { describe, expect, test } from "vitest";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { destination } from "./ground.ts";

async function company() {
  const ground = await destination();
  const { world } = ground;
  const acme = world.organizations.create({ name: "Acme", externalId: "c-1" });
  const other = world.organizations.create({ name: "Other" });
  const ann = world.users.create({
    name: "Ann",
    email: "ann@acme.example",
    externalId: "u-1",
    organizationId: other.id,
  });
  const of = (organizationId: string, more = {}) => ({
    "user.external_id": "u-1",
    organization_id: organizationId,
    ...more,
  });
  const organizationsOf = () => world.users.membershipsOf(ann.id).map(({ organizationId }) => organizationId);
  return { ...ground, acme, other, ann, of, organizationsOf };
}

describe("joining", () => {
  test.each(["external id", "id in Zendesk"])(
    "by the organization's %s; other memberships stay (C-9, C-21, R-17)",
    async (by) => {
      const { run, acme, other, of, organizationsOf, effects } = await company();
      const reference = by === "external id" ? "C-1" : acme.id;
      expect(await run("update_membership", of(reference))).toMatchObject({ state: "done", result: { kind: "user" } });
      expect(await run("update_membership", of(reference))).toMatchObject({ state: "done" });
      expect(organizationsOf()).toEqual([other.id, acme.id]);
      expect(effects()).toEqual(["membership.created"]);
    },
  );

  test("an id that is one organization's and another's external id is held (R-17, row 102)", async () => {
    const { world, run, acme, of, effects } = await company();
    const twin = world.organizations.create({ name: "Twin", externalId: acme.id });
    const verdict = await run("update_membership", of(acme.id));
    expect(verdict).toMatchObject({
      state: "held",
      code: "ambiguous_organization",
      reason: expect.stringContaining(twin.id),
    });
    expect(effects()).toEqual([]);
  });

  test("neither an unknown organization nor, unless set, an unknown user comes to be (C-21, X-1)", async () => {
    const { run, effects, of, acme } = await company();
    expect(await run("update_membership", of("c-9"))).toMatchObject({
      state: "failed",
      code: "organization_not_found",
    });
    const nobody = { ...of(acme.id), "user.external_id": "u-9" };
    expect(await run("update_membership", nobody)).toMatchObject({ state: "failed", code: "user_not_found" });
    expect(effects()).toEqual([]);
  });
});

describe("behind a later call about the same membership", () => {
  test.each(["joining", "leaving"])("%s is held until somebody says that it holds (replay)", async (what) => {
    const { world, ann, begin, of, acme, other, effects, organizationsOf } = await company();
    const isRemoval = what === "leaving";
    const fields = isRemoval ? of(other.id, { remove: true }) : of(acme.id);
    const late = begin("update_membership", fields, { isOvertaken: true });
    expect(await late.again()).toMatchObject({ state: "held", code: "overtaken" });
    expect(effects()).toEqual([]);
    expect(await late.again({ approvedFor: ["overtaken", "removal"] })).toMatchObject({ state: "done" });
    expect(organizationsOf()).toEqual(isRemoval ? [] : [other.id, acme.id]);
    expect(world.users.byId.has(ann.id)).toBe(true);
  });

  test("what is so already is done, and nobody is asked", async () => {
    const { run, of, acme, other, effects } = await company();
    const late = { isOvertaken: true };
    expect(await run("update_membership", of(other.id), late)).toMatchObject({ state: "done" });
    expect(await run("update_membership", of(acme.id, { remove: true }), late)).toMatchObject({ state: "done" });
    expect(effects()).toEqual([]);
  });
});

describe("leaving", () => {
  test("is refused where removals are not allowed (R-15, X-6)", async () => {
    const { run, of, other, effects } = await company();
    const verdict = await run("update_membership", of(other.id, { remove: true }), {
      settings: { allowRemovals: false },
    });
    expect(verdict).toMatchObject({ state: "failed", code: "removals_off" });
    expect(effects()).toEqual([]);
  });

  test("is held with the working tickets that Zendesk will unassign, and done when approved; nothing else ends (C-22, C-23, R-16, R-18)", async () => {
    const { world, begin, of, acme, other, ann, organizationsOf, effects } = await company();
    world.users.join(ann.id, acme.id);
    const ticket = (status: "open" | "solved" | "pending", organizationId: string) =>
      world.tickets.create({ subject: status, status, requesterId: ann.id, organizationId });
    const [open, pending] = [ticket("open", other.id), ticket("pending", other.id)];
    ticket("solved", other.id);
    ticket("open", acme.id);
    const delivery = begin("update_membership", of(other.id, { remove: true }));
    const held = await delivery.again();
    expect(held).toMatchObject({
      state: "held",
      code: "removal",
      reason: expect.stringMatching(/Other.*2 working tickets/),
    });
    const affected = [
      { id: open.id, subject: "open", status: "open" },
      { id: pending.id, subject: "pending", status: "pending" },
    ];
    expect(held).toMatchObject({ affected });
    expect(effects()).toEqual([]);
    expect(await delivery.again({ approvedFor: ["removal"] })).toMatchObject({ state: "done", affected });
    expect(organizationsOf()).toEqual([acme.id]);
  });

  test("of the second of many memberships removes that one (RudderStack's code misses it)", async () => {
    const { world, run, of, ann, organizationsOf } = await company();
    const many = Array.from({ length: 105 }, (_, n) => world.organizations.create({ name: `O${n}` }).id);
    for (const id of many) world.users.join(ann.id, id);
    await run("update_membership", of(many.at(-1) ?? "", { remove: true }), { approvedFor: ["removal"] });
    expect(organizationsOf()).toHaveLength(105);
  });

  test("twice, or by somebody who is no member, succeeds with a note (X-5, C-22)", async () => {
    const { begin, of, other, effects } = await company();
    const removal = () => begin("update_membership", of(other.id, { remove: true }));
    await removal().again({ approvedFor: ["removal"] });
    expect(await removal().again()).toMatchObject({
      state: "done",
      notes: [expect.stringContaining("was not a member")],
    });
    expect(effects().filter((kind) => kind === "membership.removed")).toHaveLength(1);
  });

  test("a membership that an agent has ended in the same moment is gone as wanted (C-22)", async () => {
    const { world, zendesk, run, ann, of, other, organizationsOf } = await company();
    const path = /organization_memberships\/\d+$/;
    zendesk.faults.add(
      { method: "DELETE", path },
      fault.inTheMoment("an agent", () => world.users.leave(ann.id, other.id)),
    );
    const verdict = await run("update_membership", of(other.id, { remove: true }), { approvedFor: ["removal"] });
    expect(verdict).toMatchObject({ state: "done", notes: [expect.stringContaining("Somebody else has ended")] });
    expect(organizationsOf()).toEqual([]);
  });

  test("a lost answer is looked up (row 96)", async () => {
    const { zendesk, begin, of, other, effects } = await company();
    zendesk.faults.add(
      { method: "DELETE", path: /organization_memberships/ },
      fault.changes("lost", () => ({ status: 502, text: "" })),
      { times: 1 },
    );
    const delivery = begin("update_membership", of(other.id, { remove: true }), { approvedFor: ["removal"] });
    await expect(delivery.again()).rejects.toMatchObject({ code: "outcome_unknown" });
    expect(await delivery.again()).toMatchObject({ state: "done" });
    expect(effects().filter((kind) => kind === "membership.removed")).toHaveLength(1);
  });

  test("in a dry run is told with its tickets, and not done (C-23, row 103)", async () => {
    const { begin, of, other, effects } = await company();
    const delivery = begin("update_membership", of(other.id, { remove: true }), { isDryRun: true });
    expect(await delivery.again()).toMatchObject({ state: "held", code: "removal", affected: [] });
    expect(delivery.intents).toMatchObject([{ verb: "remove" }]);
    expect(effects()).toEqual([]);
  });
});
