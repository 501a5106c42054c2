import type { Variant } from "#test/chaos/variants.ts";

/** Ways to break what writes to Zendesk on purpose, which the chaos of writes must notice. */
export const variants: readonly Omit<Variant, "under">[] = [
  {
    name: "memberships never ensured",
    replacements: [
      {
        file: "lib/destinations/procedures/memberships.ts",
        search: "if (!user.isNew && membershipIn(await membershipsOf(task, user.id), organization.id)) return;",
        replace: 'if (user.id !== "") return;',
      },
    ],
  },
  {
    name: "fields of users never written",
    replacements: [
      {
        file: "lib/destinations/procedures/write-user.ts",
        search: "...[...values.fields].map(",
        replace: "...[...values.fields].slice(0, 0).map(",
      },
    ],
  },
  {
    name: "fields of organizations never written",
    replacements: [
      {
        file: "lib/destinations/procedures/write-organization.ts",
        search: "...[...fields].map(",
        replace: "...[...fields].slice(0, 0).map(",
      },
    ],
  },
  {
    name: "traits without a field discarded by every profile",
    replacements: [
      {
        file: "lib/destinations/procedures/custom-fields.ts",
        search: 'if (policy === "discard") {',
        replace: 'if (policy !== "ask") {',
      },
    ],
  },
  {
    name: "tags never added",
    replacements: [
      {
        file: "lib/destinations/procedures/tags.ts",
        search: "tags.filter((tag) => !had.includes(tag))",
        replace: "tags.slice(0, 0)",
      },
    ],
  },
  {
    name: "account numbers never written back",
    replacements: [
      {
        file: "lib/destinations/procedures/write-back.ts",
        search: "if (changes.length === 0) return;",
        replace: "if (changes.length >= 0) return;",
      },
    ],
  },
  {
    name: "a second try at a ticket that does not look first",
    replacements: [
      {
        file: "lib/destinations/procedures/create-ticket.ts",
        search: "const [first] = await knownTickets(task, externalId);",
        replace: "const [first]: Wire[] = [];",
      },
      {
        file: "lib/destinations/procedures/create-ticket.ts",
        search: "const suffix = over > 0 ?",
        replace: "const suffix = earlier.length > 0 ? `:again-`.concat(String(earlier.length)) : over > 0 ?",
      },
    ],
  },
  {
    name: "a second try at a comment that does not look first",
    replacements: [
      {
        file: "lib/destinations/procedures/update-ticket.ts",
        search: "if (!isDone(task, audits))",
        replace: "if (audits)",
      },
    ],
  },
  {
    name: "a second try at an event that does not look first",
    replacements: [
      {
        file: "lib/destinations/procedures/track-event.ts",
        search: "if (await isFiled(task, id, event)) return;",
        replace: "",
      },
    ],
  },
  {
    name: "a lost answer taken for success",
    replacements: [
      {
        file: "lib/destinations/verdicts.ts",
        search: 'if (error.code === "outcome_unknown") return unknown(',
        replace:
          'if (error.code === "outcome_unknown") return ending("done", {});\n  if (Date.now() < 0) return unknown(',
      },
    ],
  },
  {
    name: "a lost answer taken for a refusal",
    replacements: [
      {
        file: "lib/destinations/verdicts.ts",
        search: 'if (error.code === "outcome_unknown") return unknown(',
        replace:
          'if (error.code === "outcome_unknown") return ending("failed", { ...error.words(), reason: error.message, fix: error.action });\n  if (Date.now() < 0) return unknown(',
      },
    ],
  },
  {
    name: "a 503 taken for a refusal",
    replacements: [
      {
        file: "lib/zendesk/client.ts",
        search: "(sent.status >= 500 || sent.status === 408)",
        replace: "sent.status >= 500 && sent.status !== 503",
      },
    ],
  },
  {
    name: "a 503 that names its time taken for a limit",
    replacements: [
      {
        file: "lib/zendesk/client.ts",
        search: "throw sent.status === 429 ? wait",
        replace: "throw sent.status >= 429 ? wait",
      },
    ],
  },
  {
    name: "what waited for its user or its ticket left to a person",
    replacements: [
      {
        file: "lib/destinations/recover.ts",
        search: "await requeueOfLanes(",
        replace: "if (Date.now() < 0) await requeueOfLanes(",
      },
    ],
  },
  {
    name: "updates that waited for their ticket left to a person",
    replacements: [
      {
        file: "lib/destinations/recover.ts",
        search: 'by: "create_ticket", step: "create ticket"',
        replace: 'by: "none", step: "none"',
      },
    ],
  },
  {
    name: "a call of a user by the id alone, before the identify, lost where users are created",
    replacements: [
      {
        file: "lib/destinations/procedures/write-user.ts",
        search: "if (!mayCreate || person.email === null)",
        replace: "if (!mayCreate)",
      },
    ],
  },
  {
    name: "an event that comes again stored again",
    replacements: [
      {
        file: "lib/sources/store/events.ts",
        search: "where known.received_at <= excluded.received_at - make_interval(",
        replace: "where known.received_at <= excluded.received_at + make_interval(",
      },
    ],
  },
  {
    name: "no order in a lane",
    replacements: [
      {
        file: "lib/destinations/store/claims.ts",
        search: " and d.waits_for is null",
        replace: "",
      },
      {
        file: "lib/destinations/store/claims.ts",
        search: "and not exists (select from under_way u where u.lanes && d.lanes)",
        replace: "",
      },
    ],
  },
  {
    name: "an old call that is taken up again writes over a newer one",
    replacements: [
      {
        file: "lib/destinations/procedures/changes.ts",
        search: "if (!isOvertaken) return changes;",
        replace: "if (notes) return changes;",
      },
      {
        file: "lib/destinations/procedures/update-membership.ts",
        search: 'if (isApproved(task, "overtaken")) return;',
        replace: "if (task) return;",
      },
    ],
  },
  {
    name: "a removal that nobody was asked about",
    replacements: [
      {
        file: "lib/destinations/procedures/update-membership.ts",
        search: "if (unseen?.length === 0) {",
        replace: "if (affected) {",
      },
    ],
  },
  {
    name: "a removal that takes tickets nobody was shown",
    replacements: [
      {
        file: "lib/destinations/procedures/update-membership.ts",
        search: "if (unseen?.length === 0) {",
        replace: "if (unseen) {",
      },
    ],
  },
];
