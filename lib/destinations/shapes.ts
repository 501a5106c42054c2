import { z } from "zod";
import { id, instant, listOf, listQuery, zendeskId } from "#lib/api/shapes.ts";
import { eventType } from "#lib/sources/shapes.ts";

export const actionKeys = [
  "upsert_user",
  "upsert_organization",
  "update_membership",
  "create_ticket",
  "update_ticket",
  "track_event",
] as const;
export const actionKey = z.enum(actionKeys);
export type ActionKey = z.infer<typeof actionKey>;
/** What a delivery does: an action, or the write-back of what we know. */
export const commandKinds = [...actionKeys, "write_back"] as const;
export type CommandKind = (typeof commandKinds)[number];

export const profiles = ["customerio", "rudderstack"] as const;
export const profile = z.enum(profiles);
export type Profile = z.infer<typeof profile>;

/** What happens to a trait that no field of Zendesk takes. `ask`: the write waits until a person decides. */
const traitPolicy = z.enum(["discard", "ask", "create"]);
export const settings = z.strictObject({
  unknownUserOnTrack: z.enum(["error", "create"]),
  unknownUserTraits: traitPolicy,
  unknownOrganizationTraits: traitPolicy,
  associateOnGroup: z.boolean(),
  acceptGroupWithoutUser: z.boolean(),
  allowRemovals: z.boolean(),
  createVerified: z.boolean(),
  skipVerifyEmail: z.boolean(),
});
export type Settings = z.infer<typeof settings>;

/** The code of what a person has decided never to do: it has failed, and counts as no dead letter. */
export const discarded = "discarded";
/** Every look at a destination counts its deliveries: further than this nobody reads. */
export const mostCounted = 10_000;

/**
 * `state`: `off` (takes no events, sends nothing), `on`, `stopped` (takes events and keeps them queued, sends nothing).
 * `queued`, `unknown`, `held`, `failed`: deliveries that are in that state now; those that a person has discarded are counted
 * nowhere. Nothing is counted beyond 10,000: that number means as many or more.
 */
export const destination = z.object({
  id,
  name: z.string(),
  connection: z.object({ id, name: z.string(), subdomain: z.string() }),
  connectionId: id,
  sources: z.array(z.object({ id, name: z.string() })),
  sourceIds: z.array(id),
  profile,
  settings,
  enabled: z.boolean(),
  state: z.enum(["off", "on", "stopped"]),
  stopped: z.object({ at: instant, by: z.string().nullable() }).nullable(),
  /**
   * Why nothing is sent although it is on: a person has paused the connection, it is disconnected (or archived), its login or
   * address fails, or it may only be read.
   */
  blocked: z
    .object({ code: z.enum(["paused", "disconnected", "login", "read_only"]), reason: z.string(), fix: z.string() })
    .nullable(),
  /** That much of what is sent comes to nothing: at least ten of the last day's writes, and one in ten, are dead letters. */
  failing: z.object({ reason: z.string(), fix: z.string() }).nullable(),
  /** That Zendesk does not answer: something was tried twice or more in vain, and nothing was done since. */
  unanswered: z.object({ reason: z.string(), fix: z.string() }).nullable(),
  deliveries: z.object({
    queued: z.number().int(),
    unknown: z.number().int(),
    held: z.number().int(),
    failed: z.number().int(),
    doneLastDay: z.number().int(),
  }),
  testedAt: instant.nullable(),
  createdAt: instant,
});
export type Destination = z.infer<typeof destination>;
export const destinationList = listOf(destination);

const name = z.string().trim().min(1, "must not be empty").max(200);
const sourceIds = z.array(id).max(100);
export const destinationBody = z.strictObject({
  connectionId: id,
  name: name.optional(),
  sourceIds: sourceIds.default([]),
  profile,
  settings: settings.partial().optional(),
  enabled: z.boolean().default(false),
});
/** A `profile` sets its presets anew before `settings` are applied. */
export const destinationPatch = z.strictObject({
  name: name.optional(),
  sourceIds: sourceIds.optional(),
  profile: profile.optional(),
  settings: settings.partial().optional(),
  enabled: z.boolean().optional(),
});

export const operators = [
  "equals",
  "not_equals",
  "exists",
  "not_exists",
  "contains",
  "not_contains",
  "starts_with",
  "greater_than",
  "less_than",
] as const;
const comparison = z.strictObject({
  /** `type`, `event`, or a path into the event: `$.traits.plan`, `$.properties.total`, `$.context.zendesk_user_id`. */
  field: z.string().min(1).max(300),
  operator: z.enum(operators),
  value: z.union([z.string().max(1000), z.number(), z.boolean()]).optional(),
});
export type Comparison = z.infer<typeof comparison>;
export type Condition = Comparison | { all: Condition[] } | { any: Condition[] } | { not: Condition };
/** Which events an action is for: comparisons, joined by `all` (and), `any` (or) and `not`; at most eight deep. */
export const condition: z.ZodType<Condition> = z.lazy(() =>
  z.union([
    comparison,
    z.strictObject({ all: z.array(condition).max(50) }),
    z.strictObject({ any: z.array(condition).max(50) }),
    z.strictObject({ not: condition }),
  ]),
);

/**
 * One field of Zendesk's and where its value comes from: a path into the event (`$.traits.email`), else a Liquid template
 * (`{{ traits.first_name }} {{ traits.last_name }}`), else a fixed value; `default` where that gives nothing.
 */
export const mappingRule = z.strictObject({
  to: z.string().min(1).max(200),
  from: z.string().max(300).optional(),
  template: z.string().max(5000).optional(),
  value: z.union([z.string().max(5000), z.number(), z.boolean(), z.array(z.string().max(255)).max(200)]).optional(),
  default: z.union([z.string().max(5000), z.number(), z.boolean()]).optional(),
});
export type MappingRule = z.infer<typeof mappingRule>;

const actionFields = {
  key: actionKey,
  enabled: z.boolean(),
  trigger: condition,
  mapping: z.array(mappingRule).max(200),
};
/**
 * What is told with an action and nobody sets: taken back as it was told, so that what GET gives can be PUT. `position`: its
 * place among the six, from 0; it is set by the order of the list.
 */
const told = {
  name: z.string(),
  description: z.string(),
  position: z.number().int(),
  version: z.number().int(),
  changedAt: instant,
};
const givenAction = z.strictObject({
  ...actionFields,
  ...z.object({ ...told, changedBy: z.string().nullable() }).partial().shape,
});
export const actionBody = givenAction.transform(({ key, enabled, trigger, mapping }) => ({
  key,
  enabled,
  trigger,
  mapping,
}));
const unsavedActions = z.array(actionBody).max(actionKeys.length);
/**
 * All six, in the order in which they are asked about an event; those that are left out stay as they are, behind.
 * `expectedVersion`: the version that the change was made of; where another one is stored by then, nothing is changed
 * (`conflict`). Without it the change is made of whatever is stored.
 */
export const actionsBody = z
  .array(
    givenAction
      .extend({ expectedVersion: z.number().int().min(1).optional() })
      .transform(({ key, enabled, trigger, mapping, expectedVersion }) => ({
        ...{ key, enabled, trigger, mapping },
        expectedVersion,
      })),
  )
  .max(actionKeys.length);
export const action = z.object({ ...actionFields, ...told, changedBy: z.string().nullable() });
export type Action = z.infer<typeof action>;
export const actionList = z.array(action);
/** Newest first. */
export const actionVersionList = listOf(action);

/** An event as a program would send it; `type` tells the door. */
export const sampleEvent = z.looseObject({ type: eventType });
/** The body, or the id of an event that was received. */
export const previewBody = z
  .strictObject({
    event: sampleEvent.optional(),
    eventId: id.optional(),
    /** Settings that are not saved yet. */
    actions: unsavedActions.optional(),
  })
  .refine(({ event, eventId }) => (event === undefined) !== (eventId === undefined), "needs event or eventId");
/**
 * What each action would send about the event, as far as the event and the settings tell: of what Zendesk has already, only
 * differences are sent, which a dry run tells. Nothing is asked and nothing is sent.
 */
export const preview = z.object({
  items: z.array(
    z.object({
      key: actionKey,
      enabled: z.boolean(),
      triggered: z.boolean(),
      /** As they are sent, by Zendesk's names of fields; custom ones as `user_fields.<key>`. */
      fields: z.record(z.string(), z.unknown()),
      /** What is sent besides, should the user have to be created; empty where nobody would be. */
      creation: z.record(z.string(), z.unknown()),
      /** Traits that no rule names: candidates for custom fields. */
      unmapped: z.record(z.string(), z.unknown()),
      /** What is left out, each with its reason; without a `field`, why the action as a whole would fail. */
      problems: z.array(z.object({ field: z.string(), message: z.string() })),
    }),
  ),
});

/** One thing that a command would do, in the words of a person. */
export const intent = z.object({
  verb: z.enum(["create", "change", "remove", "none"]),
  what: z.string(),
  zendeskId: zendeskId.nullable(),
  changes: z.array(z.object({ field: z.string(), from: z.unknown(), to: z.unknown() })),
});
/** Zendesk is asked, and nothing is written. `state`: how the command would end. */
export const dryRun = z.object({
  counts: z.object({
    create: z.number().int(),
    change: z.number().int(),
    remove: z.number().int(),
    none: z.number().int(),
    failed: z.number().int(),
    held: z.number().int(),
    unknown: z.number().int(),
  }),
  items: z.array(
    z.object({
      action: z.enum(commandKinds),
      messageId: z.string().nullable(),
      /** `unknown`: it cannot be told now, for the reason given. */
      state: z.enum(["done", "failed", "held", "unknown"]),
      reason: z.string().nullable(),
      fix: z.string().nullable(),
      /** What would be left out or done otherwise, though the command is done. */
      notes: z.array(z.string()),
      intents: z.array(intent),
    }),
  ),
});
/** An event of the caller's, one that was received, or deliveries that exist; at most 100. */
export const dryRunBody = z
  .strictObject({
    event: sampleEvent.optional(),
    eventId: id.optional(),
    /** Of an event: settings that are not saved yet. */
    actions: unsavedActions.optional(),
    deliveryIds: z.array(id).max(100).optional(),
  })
  .refine(
    ({ event, eventId, deliveryIds }) =>
      [event, eventId, deliveryIds].filter((given) => given !== undefined).length === 1,
    "needs event, eventId or deliveryIds, and only one of them",
  );

export const deliveryStates = ["queued", "sending", "done", "failed", "unknown", "held"] as const;
export const deliveryState = z.enum(deliveryStates);
export type DeliveryState = z.infer<typeof deliveryState>;

/** What a person's word allows. What is held for any other code is looked up again when they approve it, and may be held again. */
export const allowedByWord = [
  "external_id_differs",
  "name_taken",
  "overtaken",
  "removal",
  "removal_grown",
  "unknown_traits",
  "unverified_email",
  "user_not_found",
] as const;

const deliveryFilter = z.object({
  state: deliveryState.optional(),
  messageId: z.string().max(512).optional(),
  destinationId: id.optional(),
  action: z.enum(commandKinds).optional(),
  /** The code of the reason. */
  code: z.string().max(100).optional(),
  /** A code that is left out: `discarded`, where only what still waits for somebody is wanted. */
  exceptCode: z.string().max(100).optional(),
  /** A message id, an id in Zendesk, or whom it concerns; of these a part is enough among the newest 10,000. */
  q: z.string().max(200).optional(),
});
export const deliveriesQuery = listQuery.extend(deliveryFilter.shape);
/**
 * `reason`: what happened, in Zendesk's words where it gave some; `fix`: what to do about it. Of the states only `held` can be
 * approved; `failed`, `held` and `unknown` can be replayed, and whatever is not done or being sent can be discarded.
 */
export const delivery = z.object({
  id,
  messageId: z.string().nullable(),
  destination: z.object({ id, name: z.string() }),
  action: z.enum(commandKinds),
  state: deliveryState,
  attempts: z.number().int(),
  code: z.string().nullable(),
  reason: z.string().nullable(),
  fix: z.string().nullable(),
  /** What was left out or done otherwise than asked, though the command is done. */
  notes: z.array(z.string()),
  /** Whom it concerns, as a person would name it. */
  subject: z.string(),
  result: z.object({ kind: z.string(), id: zendeskId, url: z.string().nullable() }).nullable(),
  /** When it is tried again by itself. */
  dueAt: instant.nullable(),
  createdAt: instant,
  updatedAt: instant,
});
export type Delivery = z.infer<typeof delivery>;
export const deliveryList = listOf(delivery);
export const exchange = z.object({
  attempt: z.number().int(),
  step: z.string(),
  isWrite: z.boolean(),
  method: z.string(),
  path: z.string(),
  request: z.unknown(),
  status: z.number().int().nullable(),
  response: z.unknown(),
  outcome: z.enum(["open", "done", "refused", "unknown", "not_sent"]),
  sentAt: instant,
  endedAt: instant.nullable(),
});
export const deliveryDetail = delivery.extend({
  event: z
    .object({ id, type: z.string(), name: z.string().nullable(), receivedAt: instant, payload: z.unknown() })
    .nullable(),
  actionVersion: z.number().int(),
  command: z.object({ fields: z.record(z.string(), z.unknown()), unmapped: z.record(z.string(), z.unknown()) }),
  exchanges: z.array(exchange),
  /** The last word; `codes`: all for which it was held and a person has allowed it, so that it was looked up again. */
  approved: z.object({ by: z.string().nullable(), at: instant, codes: z.array(z.string()) }).nullable(),
  /**
   * Of a removal from an organization: the working tickets that Zendesk will unassign (C-23), as read when it was held; of one
   * that is done, those that it has unassigned, as read right before. Null where it was not held, or where nothing was removed.
   */
  affectedTickets: z
    .array(z.object({ id: zendeskId, subject: z.string(), status: z.string(), url: z.string().nullable() }))
    .nullable(),
});
export type DeliveryDetail = z.infer<typeof deliveryDetail>;

/**
 * `code`: the one that the person has read; what is held for another reason meanwhile is left as it is (`conflict`). Without it
 * the word is about whatever it is held for.
 */
export const decisionBody = z.strictObject({ code: z.string().max(100).nullable().optional() });

export const reasonsQuery = deliveryFilter;
/** The codes of what a filter leaves, most frequent first: what a person chooses among. Only the newest 10,000 are counted. */
export const reasonList = z.object({ items: z.array(z.object({ code: z.string(), deliveries: z.number().int() })) });
export type Reason = z.infer<typeof reasonList>["items"][number];

const saysSomething = (filter: object) => Object.values(filter).some((value) => value !== undefined);
export const replayQuery = deliveryFilter;
/** What a replay of the filter would take up now: so many writes to Zendesk, each with its triggers (row 103). */
export const replayable = z.object({ deliveries: z.number().int() });
/**
 * Either these, or all that the filter leaves: the same filter as that of the list. Those that are done or under way are not
 * touched; those that a person has discarded, and those of another Zendesk account (`different_account`), only by their ids or
 * their code. `expected`: how many the person has seen that it leaves; where there are more now, nothing is replayed
 * (`conflict`).
 */
export const replayBody = z
  .strictObject({
    ids: z.array(id).min(1).max(500).optional(),
    filter: deliveryFilter
      .strict()
      .refine(saysSomething, "must say what to replay: nothing in it would be everything")
      .optional(),
    expected: z.number().int().min(0).optional(),
  })
  .refine(
    ({ ids, filter }) => (ids === undefined) !== (filter === undefined),
    "needs either ids or filter, and not both",
  )
  .refine(({ ids, expected }) => ids === undefined || expected === undefined, "takes expected with a filter only");
export const replayed = z.object({ replayed: z.number().int(), skipped: z.number().int() });

export const testBody = z.strictObject({ event: sampleEvent.optional() });
/** The sample went all the way: its deliveries as they stand. */
export const testAnswer = z.object({ messageId: z.string(), deliveries: z.array(delivery) });

export const measures = [
  "ticketsTotal",
  "ticketsUnsolved",
  "topUnsolved",
  "csat",
  "ratings",
  "owner",
  "accountName",
  "accountExternalId",
] as const;
/** A number or a text of the account (`attributes.<key>` for an attribute), written to `organization_fields.<organizationField>`. */
const writeBackRule = z.strictObject({
  organizationField: z.string().min(1, "needs the key of an organization field of Zendesk").max(100),
  measure: z
    .string()
    .refine((text) => (measures as readonly string[]).includes(text) || /^attributes\..+$/.test(text), {
      message: `must be one of ${measures.join(", ")}, or attributes.<key>`,
    }),
  enabled: z.boolean(),
});
export const writeBackBody = z.strictObject({ rules: z.array(writeBackRule).max(20) });
export const writeBack = z.object({
  rules: z.array(writeBackRule),
  /**
   * Organizations whose fields would change if it ran now, and a few of them; rules that are off count as if they were on. What
   * was queued already is not among them: see `tried`.
   */
  pending: z.object({
    organizations: z.number().int(),
    examples: z.array(
      z.object({
        organizationId: zendeskId,
        name: z.string(),
        field: z.string(),
        from: z.string().nullable(),
        to: z.string().nullable(),
      }),
    ),
  }),
  /** Organizations whose numbers were queued and are not in Zendesk for all we know: on their way (`open`), or `failed`. */
  tried: z.object({ open: z.number().int(), failed: z.number().int() }),
});
