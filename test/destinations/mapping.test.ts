import { describe, expect, test } from "vitest";
import { mapEvent, mappingProblems } from "#lib/destinations/mapping.ts";
import type { ActionKey, MappingRule } from "#lib/destinations/shapes.ts";
import { TemplateTime } from "#lib/destinations/template-time.ts";
import { slowTemplate } from "#test/destinations/slow-template.ts";

const event = {
  type: "identify",
  userId: 12345,
  traits: {
    first_name: "Ann",
    lastName: "Ames",
    email: " ann@example.com ",
    phone: null,
    plan: "gold",
    seats: 5,
    tags: ["VIP customer", "new"],
    fields: { plan: "gold", seats: 5 },
    company: { id: 9 },
  },
  context: { traits: { city: "Berlin", plan: "silver" } },
};
const user = (rules: MappingRule[]) => mapEvent("upsert_user", rules, event, new TemplateTime());
const fields = (...rules: MappingRule[]) => user(rules).command.fields;

describe("a rule", () => {
  test("takes the first of path, template, value and default that gives something", () => {
    expect(
      fields({ to: "name", from: "$.traits.name", template: "{{ traits.first_name }} {{ traits.lastName }}" }),
    ).toEqual({
      name: "Ann Ames",
    });
    expect(fields({ to: "name", from: "$.traits.first_name", value: "never" })).toEqual({ name: "Ann" });
    expect(fields({ to: "phone", from: "$.traits.phone", template: "{{ traits.mobile }}", default: "none" })).toEqual({
      phone: "none",
    });
    expect(fields({ to: "phone", from: "$.traits.phone" }, { to: "notes", value: "from the shop" })).toEqual({
      notes: "from the shop",
    });
  });

  test("gives a text field a text, and a list field a list", () => {
    expect(fields({ to: "email", from: "$.traits.email" }, { to: "external_id", from: "$.userId" })).toEqual({
      email: "ann@example.com",
      external_id: "12345",
    });
    expect(fields({ to: "tags", from: "$.traits.tags" })).toEqual({ tags: ["vip_customer", "new"] });
    expect(fields({ to: "tags", value: "gold, vip new" })).toEqual({ tags: ["gold", "vip", "new"] });
  });

  test("fills custom fields one by one, or all from an object, in their own types", () => {
    expect(fields({ to: "user_fields.seats", from: "$.traits.seats" })).toEqual({ "user_fields.seats": 5 });
    expect(fields({ to: "user_fields", from: "$.traits.fields" })).toEqual({
      "user_fields.plan": "gold",
      "user_fields.seats": 5,
    });
    const ticket = { properties: { custom_fields: [{ id: 360001, value: "x" }, { id: "7" }] } };
    expect(
      mapEvent(
        "create_ticket",
        [{ to: "custom_fields", from: "$.properties.custom_fields" }],
        ticket,
        new TemplateTime(),
      ).command.fields,
    ).toEqual({ "custom_fields.360001": "x", "custom_fields.7": null });
  });

  test("that fails leaves its field out with a problem, and the others go on", () => {
    const { command, problems } = user([
      { to: "name", from: "$.traits.company" },
      { to: "notes", template: "{{ traits.company }}" },
      { to: "details", template: "{% for i in (1..1000000) %}{{ i }}{% endfor %}" },
      { to: "email", from: "$.traits.email" },
    ]);
    expect(command.fields).toEqual({ email: "ann@example.com" });
    expect(problems.map(({ field, message }) => `${field} ${message}`)).toEqual([
      expect.stringMatching(/^name takes a text, and the event has an object there/),
      expect.stringMatching(/^notes the template writes an object/),
      expect.stringMatching(/^details .*limit exceeded/),
    ]);
  });
});

test("a time zone is sent by Zendesk's name; whose name was taken instead, and what is no zone, is told (C-17, X-13)", () => {
  const sent = (timezone: string) => {
    const rules = [{ to: "time_zone", from: "$.traits.timezone" }];
    const { command, problems } = mapEvent("upsert_user", rules, { traits: { timezone } }, new TemplateTime());
    return [command.fields.time_zone, ...problems.map(({ field, message }) => `${field}: ${message}`)];
  };
  expect(sent("America/New_York")).toEqual(["Eastern Time (US & Canada)"]);
  expect(sent("America/Toronto")).toEqual([
    "Eastern Time (US & Canada)",
    "time_zone: Zendesk has no name for America/Toronto: “Eastern Time (US & Canada)” was taken, where the clock shows the same all year",
  ]);
  expect(sent("America/Springfield")).toEqual([
    ...[undefined, "time_zone: “America/Springfield” is no time zone: it was left out"],
  ]);
});

describe("a number that is no exact id names nobody (row 52, C-29, R-17)", () => {
  const rounded: number = JSON.parse("9007199254740993");
  const refused = (action: ActionKey, rule: MappingRule, sent: Record<string, unknown>) =>
    mapEvent(action, [rule, { to: "tags", value: "x" }], sent, new TemplateTime());

  test.each<[ActionKey, string]>([
    ["upsert_user", "id"],
    ["upsert_user", "external_id"],
    ["upsert_user", "organization_id"],
    ["upsert_organization", "external_id"],
    ["upsert_organization", "user.id"],
    ["update_membership", "user.external_id"],
    ["update_membership", "organization_id"],
    ["create_ticket", "requester.id"],
    ["create_ticket", "assignee_id"],
    ["update_ticket", "id"],
    ["update_ticket", "external_id"],
    ["update_ticket", "group_id"],
    ["track_event", "user.id"],
  ])("%s is refused for its %s, from a path, a template or a fixed value", (action, to) => {
    for (const rule of [
      { to, from: "$.properties.id" },
      { to, template: "{{ properties.id }}" },
      { to, template: "{{ properties.none | default: properties.id }}-x" },
      { to, value: rounded },
    ]) {
      const { command, refusal } = refused(action, rule, { properties: { id: rounded } });
      expect([rule, refusal?.code, command.fields[to]]).toEqual([rule, "inexact_id", undefined]);
      expect(refusal?.reason).toMatch(new RegExp(`^${to} is the number 900719925474099[24]`));
      expect(refusal?.fix).toContain("as text");
    }
    const exact = [Number.MAX_SAFE_INTEGER, String(rounded), "900719925474099355"];
    for (const id of exact) {
      const { command, refusal } = refused(action, { to, from: "$.properties.id" }, { properties: { id } });
      expect([refusal, command.fields[to]]).toEqual([null, String(id)]);
    }
  });

  test("a fraction is the text of it, from a path as from a template", () => {
    for (const rule of [{ from: "$.userId" }, { template: "{{ userId }}" }, { value: 12.5 }]) {
      const { command, refusal } = refused("upsert_user", { to: "external_id", ...rule }, { userId: 12.5 });
      expect([command.fields.external_id, refusal]).toEqual(["12.5", null]);
    }
  });

  test("neither does a custom field's id", () => {
    const custom_fields = [{ id: rounded, value: "x" }];
    const rule = { to: "custom_fields", from: "$.properties.custom_fields" };
    expect(refused("update_ticket", rule, { properties: { custom_fields } }).refusal?.code).toBe("inexact_id");
  });

  test("other fields take numbers as they are", () => {
    const { command, refusal } = refused("upsert_user", { to: "notes", from: "$.traits.n" }, { traits: { n: 1.5 } });
    expect([command.fields.notes, refusal]).toEqual(["1.5", null]);
  });
});

describe("a template", () => {
  const rendered = (template: string) => user([{ to: "notes", template }]);

  // Each asks its language for no look at the clock while it works, or counts nothing of what it makes.
  const endless = {
    "a range": "{% for i in (1..1000000) %}{{ i }}{% endfor %}",
    "loops in loops": `${"{% for i in (1..90) %}".repeat(20)}x${"{% endfor %}".repeat(20)}`,
    "a filter that asks a filter for each item":
      "{% assign a = traits.long | split: '' %}{{ a | where_exp: 'x', \"a | has_exp: 'y', 'y == 1'\" | size }}",
    "long texts compared":
      "{% assign a = traits.long | split: '!' %}{% for i in (1..14) %}{% assign a = a | concat: a %}{% endfor %}{{ a | sort_natural | size }}",
    "long texts joined":
      "{% assign a = traits.long | split: '!' %}{% for i in (1..14) %}{% assign a = a | concat: a %}{% endfor %}{{ a | append: '' | size }}",
    "a text doubled": `{% assign t = traits.long %}${"{% capture t %}{{ t }}{{ t }}{% endcapture %}".repeat(30)}{{ t | size }}`,
    "a text written again and again": "{% for i in (1..9000) %}{{ traits.long }}{% endfor %}",
    "a text encoded again and again": `{{ traits.long | replace: 'x', '€'${" | url_encode".repeat(300)} | size }}`,
  };

  test.each(Object.entries(endless))("%s ends, and is a problem of its field", (_, template) => {
    const { command, problems } = mapEvent(
      "upsert_user",
      [
        { to: "notes", template },
        { to: "name", from: "$.traits.plan" },
      ],
      { traits: { ...event.traits, long: "x".repeat(30_000) } },
      new TemplateTime(),
    );
    expect(command.fields).toEqual({ name: "gold" });
    expect(problems).toEqual([{ field: "notes", message: expect.stringMatching(/takes too long|limit exceeded/) }]);
  });

  test("that finds no time left is a problem of its field; what needs none goes on", () => {
    const time = new TemplateTime();
    const rules = Array.from({ length: 200 }, (_, n) => ({ to: `user_fields.f${n}`, template: `${slowTemplate}${n}` }));
    const long = { traits: { plan: "gold", long: "x".repeat(30_000) } };
    const { command, problems } = mapEvent(
      "upsert_user",
      [...rules, { to: "name", from: "$.traits.plan" }],
      long,
      time,
    );
    expect(command).toEqual({ fields: { name: "gold" }, unmapped: {} });
    expect(problems).toHaveLength(200);
    expect(problems[0]?.message).toBe("takes too long: a template has 400 ms, and all together have 800 ms");
    expect(problems[199]?.message).toBe(
      "was not tried: the templates before it took the 800 ms that they have together",
    );
    expect(mapEvent("upsert_user", [{ to: "notes", template: "{{ traits.plan }}" }], long, new TemplateTime())).toEqual(
      {
        command: { fields: { notes: "gold" }, unmapped: { long: long.traits.long } },
        problems: [],
        refusal: null,
      },
    );
  });

  test("whose parts cannot be told in time cannot be saved", () => {
    const template = `{{ a${"[a".repeat(1500)}${"]".repeat(1500)} }}`;
    expect(mappingProblems("upsert_user", [{ to: "notes", template }], "m", new TemplateTime())).toEqual([
      { path: "m.0.template", message: expect.stringContaining("takes too long") },
    ]);
  });

  test("changes nothing of the event that the rules behind it read", () => {
    const { command } = user([
      { to: "notes", template: "{% increment userId %}{% decrement type %}{% assign traits = 1 %}" },
      { to: "external_id", from: "$.userId" },
      { to: "details", template: "{{ type }} {{ traits.plan }}" },
    ]);
    expect(command.fields).toMatchObject({ external_id: "12345", details: "identify gold" });
  });

  test("calls no function and reaches no prototype, whatever an event names its parts", () => {
    for (const name of ["constructor", "__proto__", "toString", "hasOwnProperty"]) {
      for (const place of ["", "traits.", "traits.plan.", "traits.tags."]) {
        expect(rendered(`{{ ${place}${name} }}{{ ${place}${name}.constructor }}`).command.fields).toEqual({});
      }
      expect(rendered(`{{ traits.tags | map: '${name}' }}{{ traits['${name}'] }}`).command.fields).toEqual({});
    }
  });

  test("escapes nothing and reads nothing but the event", () => {
    expect(rendered("{{ traits.plan | append: ' <&>' }}").command.fields).toEqual({ notes: "gold <&>" });
    expect(rendered("{{ traits.constructor }}{{ __proto__ }}{{ process }}").command.fields).toEqual({});
  });

  test("gives the same for the same event, whenever it is asked", () => {
    expect(rendered("{{ 'now' | date: '%s' }}").problems).toEqual([
      { field: "notes", message: expect.stringContaining("know no clock") },
    ]);
    const at = rendered("{{ '2026-03-01T23:30:00-05:00' | date: '%Y-%m-%d %H:%M' }}");
    expect(at.command.fields).toEqual({ notes: "2026-03-02 04:30" });
  });

  test("is refused at saving with its place, where it cannot be read, names files, or filters that there are not", () => {
    const wrong = [
      "{{ a ",
      "{% if %}",
      "{% include 'x' %}",
      "{% render 'x' %}",
      "{{ a | shout }}",
      "{% layout 'x' %}",
      "{{ a | sample }}",
    ];
    const problems = mappingProblems(
      "upsert_user",
      wrong.map((template, index) => ({ to: `user_fields.f${index}`, template })),
      "0.mapping",
      new TemplateTime(),
    );
    expect(problems.map(({ path }) => path)).toEqual(wrong.map((_, index) => `0.mapping.${index}.template`));
    expect(problems[0]?.message).toContain("line:1, col:1");
  });
});

test("a mapping is refused for fields that the action has not, twice the same, no source, and paths that cannot be read", () => {
  expect(
    mappingProblems(
      "upsert_user",
      [
        { to: "email", from: "$.traits.email" },
        { to: "email", from: "$.traits.mail" },
        { to: "role", value: "admin" },
        { to: "name" },
        { to: "phone", from: "traits.phone" },
        { to: "user_fields.", value: 1 },
      ],
      "m",
      new TemplateTime(),
    ).map(({ path }) => path),
  ).toEqual(["m.1.to", "m.2.to", "m.3", "m.4.from", "m.5.to"]);
});

test("traits that no rule reads are candidates for custom fields; those of the call come before those of its context", () => {
  const { unmapped } = user([
    { to: "email", from: "$.traits.email" },
    { to: "name", template: "{{ traits.first_name }} {{ traits.lastName | default: context.traits.city }}" },
    { to: "phone", from: "$.traits.mobile | $.traits.phone" },
    { to: "tags", from: "$.traits.tags[0]" },
  ]).command;
  expect(unmapped).toEqual({ plan: "gold", seats: 5, fields: { plan: "gold", seats: 5 } });
});

test("a trait named __proto__ is a trait like any other", () => {
  const hostile = JSON.parse('{"traits":{"__proto__":{"polluted":true},"plan":"gold"}}') as Record<string, unknown>;
  const { unmapped } = mapEvent("upsert_user", [], hostile, new TemplateTime()).command;
  expect(Object.keys(unmapped).sort()).toEqual(["__proto__", "plan"]);
  expect(JSON.stringify(unmapped)).toContain('"__proto__":{"polluted":true}');
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});
