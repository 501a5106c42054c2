import { describe, expect, test } from "vitest";
import { actionDefinitions, kindOf } from "#lib/destinations/actions.ts";
import { eventBody, type PlannedCommand, planCommand, planCommands, sampleBody } from "#lib/destinations/commands.ts";
import { mappingProblems } from "#lib/destinations/mapping.ts";
import { presets, settingsOf } from "#lib/destinations/profiles.ts";
import { actionKeys, type Profile, profiles, type Settings } from "#lib/destinations/shapes.ts";
import { TemplateTime } from "#lib/destinations/template-time.ts";
import { conditionProblems } from "#lib/destinations/triggers.ts";
import { slowTemplate } from "#test/destinations/slow-template.ts";

const now = new Date("2026-03-01T10:00:00Z");
const defaults = (profile: Profile) =>
  actionKeys.map((key) => ({ key, enabled: true, ...actionDefinitions[key].defaults[profile] }));

/** What the profile as it comes makes of an event, by action. */
function planned(profile: Profile, event: Record<string, unknown>, settings: Partial<Settings> = {}) {
  const commands = planCommands(
    defaults(profile),
    sampleBody(event, now),
    settingsOf(profile, settings),
    new TemplateTime(),
  );
  return Object.fromEntries(commands.map((each) => [each.planned.action, each.planned])) as Record<
    string,
    PlannedCommand
  >;
}

test.each(profiles)("every default of %s can be saved as it is", (profile) => {
  for (const { key, trigger, mapping } of defaults(profile)) {
    expect([key, conditionProblems(trigger, "t"), mappingProblems(key, mapping, "m", new TemplateTime())]).toEqual([
      key,
      [],
      [],
    ]);
  }
});

test("the profiles disagree where their documents do, and neither sends a verification mail (X-1 … X-3, R-8, R-15, row 101)", () => {
  const differing = Object.entries(presets.customerio).flatMap(([name, value]) =>
    value === presets.rudderstack[name as keyof Settings] ? [] : [name],
  );
  expect(differing).toEqual(["unknownUserOnTrack", "unknownUserTraits", "acceptGroupWithoutUser", "allowRemovals"]);
  expect([presets.customerio, presets.rudderstack].map(({ skipVerifyEmail }) => skipVerifyEmail)).toEqual([true, true]);
});

describe("an identify", () => {
  const identify = {
    type: "identify",
    userId: "12345",
    traits: {
      first_name: "Homer",
      last_name: "Simpson",
      email: "Homer.Simpson@example.com",
      timezone: "America/Chicago",
      organizationId: 6789,
      phone: "555-555-1234",
      plan: "gold",
    },
  };

  test("becomes a user by the standard mapping, its name joined of two parts, the rest for custom fields (C-12 … C-18)", () => {
    const { upsert_user: user, ...others } = planned("customerio", identify);
    expect(user?.command).toEqual({
      fields: {
        email: "Homer.Simpson@example.com",
        name: "Homer Simpson",
        external_id: "12345",
        organization_id: "6789",
        time_zone: "Central Time (US & Canada)",
        phone: "555-555-1234",
      },
      unmapped: { plan: "gold" },
    });
    expect(user?.refusal).toBeNull();
    expect(user?.lanes).toEqual(["u:12345", "m:homer.simpson@example.com", "o:6789"]);
    expect(others).toEqual({});
  });

  test("of RudderStack's browser SDK has its traits in the context (R-16)", () => {
    const { upsert_user: user, update_membership: membership } = planned("rudderstack", {
      type: "identify",
      userId: "12345678",
      context: {
        traits: {
          firstName: "John",
          lastName: "Wick",
          email: "johnwick@example.com",
          company: { id: 900001329943, remove: true },
        },
      },
    });
    expect(user?.command.fields).toEqual({ email: "johnwick@example.com", name: "John Wick", external_id: "12345678" });
    expect(membership?.command.fields).toEqual({
      "user.email": "johnwick@example.com",
      "user.external_id": "12345678",
      organization_id: "900001329943",
      remove: true,
    });
  });

  test("leaves the organization that goes with the word to leave, not one of another place in the event (R-16)", () => {
    const membership = (traits: object, inContext: object) => {
      const event = { type: "identify", userId: "1", traits, context: { traits: inContext } };
      return planned("rudderstack", event).update_membership;
    };
    const removed = (traits: object, inContext: object) => {
      const { command: { fields = {} } = {}, refusal } = membership(traits, inContext) ?? {};
      return refusal?.code === "removal_elsewhere" ? refusal.code : [fields.organization_id, fields.remove];
    };
    const gone = { company: { id: "A", remove: true } };
    expect(removed({}, gone)).toEqual(["A", true]);
    expect(removed(gone, {})).toEqual(["A", true]);
    expect(removed({ company: { id: "A" } }, gone)).toEqual(["A", true]);
    expect(removed({ company: { id: 7 } }, { company: { id: "7", remove: true } })).toEqual(["7", true]);
    expect(removed({ company: { remove: true } }, { company: { id: "A" } })).toEqual(["A", true]);
    expect(removed({ company: { id: null, remove: true } }, { company: { id: "A" } })).toEqual(["A", true]);
    expect(removed({ company: { remove: true } }, { company: { id: "A", remove: false } })).toEqual(["A", false]);
    expect(removed({ company: { id: "B", remove: true } }, { company: { id: "A" } })).toEqual(["B", true]);
    expect(removed({ company: { id: "B" } }, { company: { id: "A", remove: false } })).toEqual(["B", undefined]);
    // Who is to leave one organization does not join another one for it.
    for (const company of [{ id: "B" }, { id: "B", remove: false }, { id: "B", remove: true }]) {
      expect(removed({ company }, gone)).toBe("removal_elsewhere");
      const { reason, fix } = membership({ company }, gone)?.refusal ?? {};
      expect(reason).toContain("“A” in $.context.traits.company");
      expect(fix).toMatch(/call of its own/);
    }
  });

  test("takes the word to leave from wherever else a mapping says (R-16)", () => {
    const mapping = [
      { to: "user.external_id", from: "$.userId" },
      { to: "organization_id", from: "$.traits.company.id | $.context.traits.company.id" },
      { to: "remove", from: "$.traits.company.remove | $.context.gone" },
    ];
    const event = { userId: "1", traits: {}, context: { gone: true, traits: { company: { id: "A" } } } };
    const { command } = planCommand(
      { key: "update_membership", mapping },
      sampleBody(event, now),
      presets.rudderstack,
      new TemplateTime(),
    );
    expect(command.fields).toMatchObject({ organization_id: "A", remove: true });
  });

  test("with ids that are no exact numbers writes nothing, and says how to send them (row 52, R-17)", () => {
    const rounded: number = JSON.parse("9007199254740993");
    const company = { id: rounded, remove: true };
    const event = { ...identify, traits: { ...identify.traits, company } };
    const { upsert_user: user, update_membership: membership } = planned("customerio", event);
    expect(user?.refusal).toBeNull();
    expect(membership?.refusal).toMatchObject({ code: "inexact_id", fix: expect.stringContaining("as text") });
    const named = planned("customerio", { ...identify, context: { zendesk_user_id: rounded } });
    expect(named.upsert_user?.refusal?.code).toBe("inexact_id");
  });

  test("with a company updates the membership as well, after the user (C-9, C-21, R-18)", () => {
    const withCompany = { ...identify, traits: { ...identify.traits, company: { id: "6789" } } };
    expect(Object.keys(planned("customerio", withCompany))).toEqual(["upsert_user", "update_membership"]);
    expect(planned("customerio", withCompany).upsert_user?.command.unmapped).toEqual({ plan: "gold" });
    const nobody = { ...identify, traits: { ...identify.traits, company: { id: null } } };
    expect(Object.keys(planned("customerio", nobody))).toEqual(["upsert_user"]);
  });

  test("that names nobody is refused with what to send (C-13)", () => {
    const { refusal } = planned("customerio", { type: "identify", traits: { name: "Ann" } }).upsert_user ?? {};
    expect(refusal).toMatchObject({ code: "missing_email", fix: expect.stringContaining("traits.email") });
    expect(planned("customerio", { type: "identify", userId: "1", traits: {} }).upsert_user?.refusal).toBeNull();
  });

  test("with an e-mail that is none is refused, whatever else names the user", () => {
    for (const email of [
      "ann",
      "ann@",
      "ann@host",
      "a b@example.com",
      "@example.com",
      `${"a".repeat(250)}@example.com`,
    ]) {
      const { refusal, problems } =
        planned("customerio", { type: "identify", userId: "1", traits: { email } }).upsert_user ?? {};
      // Nothing is written: so it was not left out of anything.
      expect([email, refusal?.code, problems]).toEqual([email, "invalid_email", []]);
    }
  });

  test("names the user by the Zendesk id only where that is given (X-4, C-29)", () => {
    const given = { ...identify, context: { zendesk_user_id: 4711 } };
    expect(planned("rudderstack", given).upsert_user?.command.fields).toMatchObject({
      id: "4711",
      external_id: "12345",
    });
    expect(planned("rudderstack", identify).upsert_user?.command.fields).not.toHaveProperty("id");
  });
});

describe("a group call", () => {
  const group = {
    type: "group",
    groupId: "xyz999",
    traits: {
      name: "SF Giants",
      url: "https://mlb.com/giants",
      domainNames: ["giants.example"],
      tags: ["baseball"],
      deleted: false,
      plan: "trial",
    },
  };

  test("becomes an organization by the standard mapping (C-11, C-34, C-36)", () => {
    const { upsert_organization: organization, ...others } = planned("customerio", group);
    expect(organization?.command).toEqual({
      fields: {
        external_id: "xyz999",
        name: "SF Giants",
        domain_names: ["giants.example"],
        tags: ["baseball"],
        url: "https://mlb.com/giants",
        deleted: false,
      },
      unmapped: { plan: "trial" },
    });
    expect([organization?.refusal, organization?.lanes, others]).toEqual([null, ["o:xyz999"], {}]);
  });

  test("takes its user's e-mail from context.traits, else from traits and says so (X-16)", () => {
    const user = { ...group, userId: "12", context: { traits: { email: "ann@example.com", name: "Ann" } } };
    const both = { ...user, traits: { ...group.traits, email: "office@giants.example" } };
    const first = planned("rudderstack", both).upsert_organization;
    expect([first?.command.fields["user.email"], first?.problems]).toEqual(["ann@example.com", []]);
    expect(first?.lanes).toEqual(["u:12", "m:ann@example.com", "o:xyz999"]);
    const second = planned("rudderstack", { ...both, context: {} }).upsert_organization;
    expect(second?.command.fields["user.email"]).toBe("office@giants.example");
    expect(second?.problems).toEqual([{ field: "user.email", message: expect.stringContaining("taken from traits") }]);
  });

  test("takes no object for an e-mail, whatever it says of itself as text", () => {
    const email = { toString: 1 };
    const user = { ...group, userId: "12", traits: { ...group.traits, email }, context: { traits: { email } } };
    expect(planned("rudderstack", user).upsert_organization?.command.fields["user.email"]).toBeUndefined();
  });

  test("does not say that the e-mail is from traits where the mapping took it from elsewhere (X-16)", () => {
    const action = defaults("rudderstack").find(({ key }) => key === "upsert_organization");
    const mapping = (action?.mapping ?? []).map((rule) =>
      rule.to === "user.email" ? { to: rule.to, from: "$.properties.mail | $.traits.email" } : rule,
    );
    const command = (properties: object, context = {}) =>
      planCommand(
        { key: "upsert_organization", mapping },
        sampleBody({ ...group, userId: "12", traits: { email: " Office@giants.example " }, properties, context }, now),
        presets.rudderstack,
        new TemplateTime(),
      );
    expect(command({ mail: "ann@example.com" })).toMatchObject({
      command: { fields: { "user.email": "ann@example.com" } },
      problems: [],
    });
    const told = [{ field: "user.email", message: expect.stringContaining("taken from traits") }];
    expect(command({}).problems).toEqual(told);
    expect(command({}, { traits: { email: "ann@example.com" } }).problems).toEqual([]);
  });

  test("without a user is about the organization alone, where such calls are accepted (R-8)", () => {
    const withOffice = { ...group, traits: { ...group.traits, email: "office@giants.example" } };
    expect(planned("rudderstack", withOffice).upsert_organization?.refusal?.code).toBe("group_without_user");
    const accepted = planned("rudderstack", withOffice, { acceptGroupWithoutUser: true }).upsert_organization;
    expect(accepted?.refusal).toBeNull();
    expect(Object.keys(accepted?.command.fields ?? {}).filter((name) => name.startsWith("user."))).toEqual([]);
  });

  test("without a groupId is refused", () => {
    const { groupId: _, ...nameless } = group;
    expect(planned("customerio", nameless).upsert_organization?.refusal?.code).toBe("missing_group_id");
  });
});

describe("a track call", () => {
  test("is one of three actions by its name (C-7, C-8, C-10)", () => {
    const actions = (event: string) => Object.keys(planned("customerio", { type: "track", event, userId: "1" }));
    expect([actions("Article Read"), actions("Ticket Created"), actions("Ticket Updated")]).toEqual([
      ["track_event"],
      ["create_ticket"],
      ["update_ticket"],
    ]);
  });

  test("is filed under the Zendesk id, the e-mail or the userId (C-29 … C-33), and refused without any (R-19)", () => {
    const track = { type: "track", event: "Article Read", properties: { title: "How to" } };
    const one = planned("customerio", {
      ...track,
      userId: "12",
      properties: { title: "How to", email: "ann@example.com" },
    });
    expect(one.track_event?.command.fields).toEqual({
      type: "Article Read",
      created_at: now.toISOString(),
      properties: { title: "How to", email: "ann@example.com" },
      "user.email": "ann@example.com",
      "user.external_id": "12",
    });
    expect(planned("customerio", { ...track, context: { zendesk_user_id: "77" } }).track_event?.lanes).toEqual([
      "z:77",
    ]);
    expect(planned("customerio", track).track_event?.refusal?.code).toBe("missing_user");
  });

  test("loses an e-mail that is none, with a note, while the user has another name", () => {
    const event = { type: "track", event: "Read", properties: { email: "nobody" } };
    const named = planned("customerio", { ...event, userId: "12" }).track_event;
    expect([named?.refusal, named?.command.fields["user.email"]]).toEqual([null, undefined]);
    expect(named?.problems).toEqual([{ field: "user.email", message: expect.stringContaining("“nobody”") }]);
    expect(planned("customerio", event).track_event?.refusal?.code).toBe("invalid_email");
  });

  test("shares the lanes of ids that Zendesk takes for the same, whatever their case; tickets have their own", () => {
    const lanesOf = (id: string) =>
      Object.values(
        planned("customerio", {
          ...{ type: "group", userId: id, groupId: id, messageId: "m-1" },
          traits: { name: "Acme" },
        }),
      ).map((one) => one?.lanes);
    expect(lanesOf("Ann-É")).toEqual(lanesOf("aNN-é"));
    expect(lanesOf("Ann-É").flat()).toEqual(expect.arrayContaining(["u:ann-é", "o:ann-é"]));
    const ticket = { type: "track", event: "Ticket Created", messageId: "M-1", userId: "U", properties: {} };
    expect(planned("customerio", ticket).create_ticket?.lanes).toEqual(["u:u", "t:M-1"]);
  });

  test("becomes a ticket that is created once, by its own id or the message's (X-12)", () => {
    const ticket = {
      type: "track",
      event: "Ticket Created",
      messageId: "m-1",
      userId: "12",
      properties: {
        subject: "Help",
        description: "It broke",
        priority: "high",
        tags: "bug, urgent",
        custom_fields: { 7: "x" },
      },
    };
    const { create_ticket: created } = planned("customerio", ticket);
    expect(created?.command.fields).toEqual({
      subject: "Help",
      comment: "It broke",
      priority: "high",
      tags: ["bug", "urgent"],
      "custom_fields.7": "x",
      external_id: "m-1",
      "requester.external_id": "12",
    });
    expect(created?.lanes).toEqual(["u:12", "t:m-1"]);
    const changed = planned("customerio", {
      ...ticket,
      event: "Ticket Updated",
      properties: { ticket_id: 99, tags: ["solved"], remove_tags: ["bug"] },
    });
    expect(changed.update_ticket?.command.fields).toEqual({
      id: "99",
      additional_tags: ["solved"],
      remove_tags: ["bug"],
    });
    expect(planned("customerio", { ...ticket, properties: { subject: "Help" } }).create_ticket?.refusal?.code).toBe(
      "missing_comment",
    );
    expect(planned("customerio", { ...ticket, userId: undefined }).create_ticket?.refusal?.code).toBe(
      "missing_requester",
    );
    expect(planned("customerio", { ...ticket, event: "Ticket Updated" }).update_ticket?.refusal?.code).toBe(
      "missing_ticket_id",
    );
  });
});

test("a ticket changes its requester only where the event names one (X-12)", () => {
  const event = {
    type: "track",
    event: "Ticket Updated",
    userId: "12",
    context: { traits: { email: "agent@us.example" } },
  };
  const update = (properties: object) =>
    planned("customerio", { ...event, properties: { ticket_id: 9, ...properties } }).update_ticket;
  expect(update({})?.command.fields).toEqual({ id: "9" });
  const named = update({ requester: { email: "Ann@example.com", name: "Ann" }, requester_id: 77 });
  expect(named?.command.fields).toMatchObject({
    ...{ "requester.id": "77", "requester.email": "Ann@example.com", "requester.name": "Ann" },
  });
  expect(named?.lanes).toEqual(["u:12", "m:ann@example.com", "z:77", "t:9"]);
  const wrong = update({ requester_email: "nobody", status: "open" });
  expect([wrong?.refusal, wrong?.command.fields]).toEqual([null, { id: "9", status: "open" }]);
  expect(wrong?.problems).toEqual([{ field: "requester.email", message: expect.stringContaining("“nobody”") }]);
});

test("an action that is off does nothing, and others come in the order in which they are set", () => {
  const event = sampleBody({ type: "identify", userId: "1", traits: { company: { id: "2" } } }, now);
  const [user, , membership] = defaults("customerio");
  if (!user || !membership) throw new Error("the defaults changed");
  const keys = (actions: (typeof user)[]) =>
    planCommands(actions, event, presets.customerio, new TemplateTime()).map(({ action }) => action.key);
  expect(keys([membership, user])).toEqual(["update_membership", "upsert_user"]);
  expect(keys([membership, { ...user, enabled: false }])).toEqual(["update_membership"]);
});

test("lanes are short, clean keys of an index, whatever an event names", () => {
  const { lanes = [] } =
    planned("customerio", {
      type: "identify",
      userId: `a\u0000${"b".repeat(5000)}`,
      traits: { email: "ANN@Example.com" },
    }).upsert_user ?? {};
  expect(lanes).toEqual([expect.stringMatching(/^u:[0-9a-f]{64}$/), "m:ann@example.com"]);
});

test("an event is mapped with the type, id and time that its door knows", () => {
  const stored = {
    type: "track",
    messageId: "m-9",
    occurredAt: now,
    payload: '{"event":"Read","timestamp":"soon","type":"spoofed"}',
  };
  expect(eventBody(stored)).toEqual({ event: "Read", type: "track", messageId: "m-9", timestamp: now.toISOString() });
});

test("custom fields are named by their record and key", () => {
  expect([
    kindOf("upsert_user", "user_fields.plan"),
    kindOf("upsert_user", "organization_fields.plan"),
    kindOf("update_ticket", "custom_fields.1"),
  ]).toEqual(["any", null, "any"]);
});

test("the templates of all actions share the time of their event, and what finds none left is told", () => {
  const mapping = ["user.email", "organization_id"].map((to) => ({ to, template: slowTemplate }));
  const actions = actionKeys.map(() => ({
    key: "update_membership" as const,
    enabled: true,
    trigger: { all: [] },
    mapping: [...mapping, { to: "user.external_id", from: "$.userId" }],
  }));
  const event = { type: "identify", userId: "u1", traits: { plan: "gold" } };
  const commands = planCommands(actions, event, presets.customerio, new TemplateTime());
  expect(commands).toHaveLength(actions.length);
  for (const { planned } of commands) {
    expect(planned.command.fields).toEqual({ "user.external_id": "u1" });
    expect(planned.problems.map(({ field }) => field)).toEqual(["user.email", "organization_id"]);
  }
  expect(commands[0]?.planned.problems[0]?.message).toMatch(/^takes too long/);
  expect(commands.at(-1)?.planned.problems[1]?.message).toMatch(/^was not tried/);
});
