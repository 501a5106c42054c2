import type { Profile } from "#lib/destinations/shapes.ts";
import type { StoredDelivery } from "#lib/destinations/store/deliveries.ts";
import { freshTag, type Sent } from "#test/destinations/chaos/events.ts";
import type { Zendesk } from "#test/support/zendesk/start.ts";
import type { Ticket, User } from "#test/support/zendesk/world/rows.ts";
import type { World } from "#test/support/zendesk/world/world.ts";

/** A person's word on a removal: for whom, from where, and the working tickets that they were shown (C-23). */
export interface Approval {
  at: number;
  userId: string;
  company: string;
  tickets: readonly string[];
}

/** What was to be written back to a field of an organization. */
export interface WrittenBack {
  deliveryId: string;
  organizationId: string;
  field: string;
  value: string | null;
}

/** Everything that was asked of an account, and how it stands. */
export interface Past {
  world: World;
  zendesk: Zendesk;
  profile: Profile;
  sent: readonly Sent[];
  /** Oldest first. */
  deliveries: readonly StoredDelivery[];
  approvals: readonly Approval[];
  writtenBack: readonly WrittenBack[];
}

interface Asked {
  sent: Sent;
  delivery: StoredDelivery;
}

/**
 * What each delivery that is done promises of the account: the user, organization, membership, ticket, event and field is
 * there with the values of the last word on it. Gives what is not so, in words.
 */
export function brokenPromises(past: Past): string[] {
  const asked = askedIn(past);
  const of = (action: string) => asked.filter(({ delivery }) => delivery.action === action);
  const updates = of("update_ticket");
  return [
    ...usersThatDiffer(past, of("upsert_user")),
    ...organizationsThatDiffer(past, of("upsert_organization")),
    ...strangers(past, of("upsert_organization")),
    ...companiesThatDiffer(past, of("update_membership")),
    ...of("create_ticket").flatMap((creation) => ticketThatDiffers(past, creation, updates)),
    ...eventsThatDiffer(past, of("track_event")),
    ...fieldsThatDiffer(past),
    ...removalsWithoutAWord(past, of("update_membership")),
  ];
}

function askedIn({ sent, deliveries }: Past): Asked[] {
  const byMessage = new Map(sent.map((event) => [event.messageId, event]));
  return deliveries.flatMap((delivery) => {
    const event = byMessage.get(delivery.message_id ?? "");
    return event ? [{ sent: event, delivery }] : [];
  });
}

const isDone = ({ delivery }: Asked) => delivery.state === "done";

/** Codes of deliveries that ended before anything was written. */
const nothingWritten = ["user_not_found", "ticket_not_found", "removal", "removal_grown", "overtaken", "discarded"];

/** The last of them that was done; null where a later one may have been, or nobody can tell. */
function lastWord(asked: readonly Asked[], counts: (one: Asked) => boolean = isDone): Asked | null {
  for (const one of asked.toReversed()) {
    if (counts(one)) return one;
    if (!nothingWritten.includes(one.delivery.code ?? "")) return null;
  }
  return null;
}

function grouped(asked: readonly Asked[], keyOf: (sent: Sent) => string): Map<string, Asked[]> {
  const groups = new Map<string, Asked[]>();
  for (const one of asked) {
    const key = keyOf(one.sent);
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return groups;
}

const traitsOf = ({ payload }: Sent) => payload.traits as Record<string, unknown>;
const propertiesOf = ({ payload }: Sent) => payload.properties as Record<string, unknown>;
const namesEmail = ({ payload }: Sent) => /"email":/.test(JSON.stringify(payload));
const companyOf = (sent: Sent) => traitsOf(sent).company as { id: string; remove?: boolean };
const userNamed = ({ world }: Past, externalId: unknown): User | undefined =>
  world.users.findByExternalId(String(externalId));
const organizationNamed = ({ world }: Past, externalId: unknown) =>
  world.organizations.list().find((row) => row.externalId === externalId && row.deletedAt === null);
const isMember = ({ world }: Past, userId: string | undefined, organizationId: string | undefined) =>
  world.users.membershipsOf(userId ?? "").some((row) => row.organizationId === organizationId);

/** In words, where a value is not what it was to be. */
function unlike(name: string, pairs: readonly (readonly [what: string, is: unknown, wanted: unknown])[]): string[] {
  return pairs.flatMap(([what, is, wanted]) =>
    JSON.stringify(is ?? null) === JSON.stringify(wanted ?? null)
      ? []
      : [`${name}: ${what} is ${JSON.stringify(is)}, not ${JSON.stringify(wanted)}`],
  );
}

/** The names, the e-mail and every field of the last identify: those without a field as the profile has it (C-18, R-12). */
function usersThatDiffer(past: Past, identifies: readonly Asked[]): string[] {
  return [...grouped(identifies, ({ payload }) => String(payload.userId))].flatMap(([externalId, all]) => {
    const last = lastWord(all);
    if (!last) return [];
    const user = userNamed(past, externalId);
    const { name, email, plan, seats } = traitsOf(last.sent);
    return unlike(`user ${externalId} after ${last.sent.messageId}`, [
      ["name", user?.name, name],
      ["e-mail", user?.email, email],
      ["plan", user?.fields.get("plan"), plan],
      ["seats", user?.fields.get("seats"), past.profile === "rudderstack" ? seats : undefined],
    ]);
  });
}

/** A group call of a user whom nobody knows fails after its organization was written. */
const isWritten = (one: Asked) =>
  isDone(one) || (one.delivery.code === "user_not_found" && one.delivery.result_kind === "organization");

function organizationsThatDiffer(past: Past, groups: readonly Asked[]): string[] {
  return [...grouped(groups, ({ payload }) => String(payload.groupId))].flatMap(([externalId, all]) => {
    const organization = organizationNamed(past, externalId);
    const last = lastWord(all, isWritten);
    const values = last ? traitsOf(last.sent) : {};
    const tags = all.filter(isDone).flatMap(({ sent }) => traitsOf(sent).tags as string[]);
    const missing = tags.filter((tag) => !organization?.tags.includes(tag));
    return [
      ...(missing.length > 0 ? [`organization ${externalId} lacks the tags ${missing.join()}`] : []),
      ...(last === null
        ? []
        : unlike(`organization ${externalId} after ${last.sent.messageId}`, [
            ["name", organization?.name, values.name],
            ["revenue", organization?.fields.get("revenue"), values.revenue],
          ])),
    ];
  });
}

/** Nobody leaves the organization of a group: whose call is done is a member (C-35, R-22). */
function strangers(past: Past, groups: readonly Asked[]): string[] {
  return groups.filter(isDone).flatMap(({ sent }) => {
    const { userId, groupId } = sent.payload;
    const isIn = isMember(past, userNamed(past, userId)?.id, organizationNamed(past, groupId)?.id);
    return isIn ? [] : [`user ${userId} is no member of ${groupId} after ${sent.messageId}`];
  });
}

/** Of a user and a company the last identify tells whether the one is in the other (C-21, C-22). */
function companiesThatDiffer(past: Past, memberships: readonly Asked[]): string[] {
  const pairs = grouped(memberships, (sent) => `${sent.payload.userId} ${companyOf(sent).id}`);
  return [...pairs.values()].flatMap((all) => {
    const last = lastWord(all);
    if (!last) return [];
    const { id: company, remove = false } = companyOf(last.sent);
    const { userId } = last.sent.payload;
    const isIn = isMember(past, userNamed(past, userId)?.id, organizationNamed(past, company)?.id);
    return unlike(`user ${userId} after ${last.sent.messageId}`, [[`member of ${company}`, isIn, !remove]]);
  });
}

/** A ticket is there once, with the values of its creation and of every update that is done, and nothing else was said in it. */
function ticketThatDiffers(past: Past, creation: Asked, allUpdates: readonly Asked[]): string[] {
  if (!isDone(creation)) return [];
  const { messageId, payload } = creation.sent;
  const properties = propertiesOf(creation.sent);
  const tickets = [...past.world.tickets.byId.values()].filter(({ externalId }) => externalId === messageId);
  const [ticket] = tickets;
  if (!ticket || tickets.length > 1) return [`there are ${tickets.length} tickets ${messageId}`];
  const updates = allUpdates.filter(({ sent }) => propertiesOf(sent).external_id === messageId);
  const last = lastWord([creation, ...updates]);
  const status = lastWord(updates);
  const said = ticket.audits.flatMap(({ comment }) => (comment ? [comment] : []));
  const expected = [creation, ...updates].map(({ sent }) => String(propertiesOf(sent).comment));
  const name = `ticket ${messageId}`;
  return [
    ...unlike(name, [
      ["subject", ticket.subject, properties.subject],
      ["requester", past.world.users.byId.get(ticket.requesterId)?.externalId, payload.userId],
      ["first comment", said[0]?.body, properties.comment],
      ["public comments", said.filter(({ isPublic }) => isPublic).length, 0],
      ["words of nobody", said.filter(({ body }) => !expected.includes(body)).length, 0],
      ["words said twice", said.length - new Set(said.map(({ body }) => body)).size, 0],
      ...(last ? [["priority", ticket.priority, propertiesOf(last.sent).priority] as const] : []),
      ...(status ? [["status", ticket.status, propertiesOf(status.sent).status] as const] : []),
    ]),
    ...updates.filter(isDone).flatMap((update) => updateThatIsMissing(ticket, update, name)),
    ...tagThatDiffers(ticket, updates, name),
  ];
}

/** A later call was done before: what it says of the tags of this one nobody can tell. */
const hasLeftTags = ({ delivery }: Asked) => delivery.notes.some((note) => note.includes("the tags"));

function updateThatIsMissing(ticket: Ticket, update: Asked, name: string): string[] {
  const { comment, tags } = propertiesOf(update.sent) as { comment: string; tags: string[] };
  const isSaid = ticket.audits.some((audit) => audit.comment?.body === comment);
  const hasTags = hasLeftTags(update) || tags.every((tag) => ticket.tags.includes(tag));
  return [
    ...(isSaid ? [] : [`${name} lacks the comment of ${update.sent.messageId}`]),
    ...(hasTags ? [] : [`${name} lacks the tags of ${update.sent.messageId}`]),
  ];
}

function tagThatDiffers(ticket: Ticket, updates: readonly Asked[], name: string): string[] {
  const removing = updates.filter(({ sent }) => propertiesOf(sent).remove_tags !== undefined);
  const isGone = removing.some((update) => isDone(update) && !hasLeftTags(update));
  const mayBeGone = removing.some((update) => !isDone(update) && !nothingWritten.includes(update.delivery.code ?? ""));
  if (mayBeGone && !isGone) return [];
  return unlike(name, [[`tag ${freshTag}`, ticket.tags.includes(freshTag), !isGone]]);
}

/** Each is filed once, under its user, with what belongs to it (C-8, C-28). */
function eventsThatDiffer(past: Past, tracks: readonly Asked[]): string[] {
  return tracks.filter(isDone).flatMap(({ sent }) => {
    const { messageId, payload } = sent;
    const events = past.zendesk.effects
      .of("customer_event.received")
      .filter((effect) => effect.messageId === messageId);
    const [event] = events;
    const owner = past.world.users.byId.get(String(event?.values.user_id));
    return unlike(`event ${messageId}`, [
      ["filed", events.length, 1],
      ["user", owner?.externalId, payload.userId],
      ["type", event?.values.type, payload.event],
      ["properties", event?.values.properties, { ...propertiesOf(sent), messageId }],
    ]);
  });
}

/** Of each field that is written back the last value stands; one that is overtaken is done without having been written. */
function fieldsThatDiffer({ world, deliveries, writtenBack }: Past): string[] {
  const state = new Map(deliveries.map(({ id, state }) => [id, state]));
  const last = new Map(writtenBack.map((one) => [`${one.organizationId} ${one.field}`, one]));
  return [...last.values()].flatMap(({ deliveryId, organizationId, field, value }) => {
    if (state.get(deliveryId) !== "done") return [];
    const is = world.organizations.byId.get(organizationId)?.fields.get(field) ?? null;
    return unlike(`organization ${organizationId}`, [[field, is === null ? null : String(is), value]]);
  });
}

/** Nobody leaves a company before a person has seen which tickets go with it, and none goes that they were not shown (C-23). */
function removalsWithoutAWord({ world, zendesk, approvals }: Past, memberships: readonly Asked[]): string[] {
  const found: string[] = [];
  const born = new Map<string, number>();
  const left = new Map<string, number>();
  const removing = memberships.filter(
    ({ sent, delivery }) => companyOf(sent).remove === true && ["done", "unknown"].includes(delivery.state),
  );
  const removals = grouped(removing, (sent) => `${sent.payload.userId} ${companyOf(sent).id}`);
  for (const [index, { kind, id, values, worldAt, by }] of zendesk.effects.entries.entries()) {
    if (kind === "ticket.created") born.set(id, index);
    if (kind === "membership.removed") {
      const user = world.users.byId.get(String(values.user_id))?.externalId ?? "";
      const company = world.organizations.byId.get(String(values.organization_id))?.externalId ?? "";
      left.set(user, index);
      const words = approvals.filter((one) => one.userId === user && one.company === company && one.at <= worldAt);
      if (words.length === 0) found.push(`user ${user} left ${company} before anybody's word`);
      if (!removals.has(`${user} ${company}`)) found.push(`user ${user} left ${company}, and no delivery says so`);
    }
    if (kind === "ticket.updated" && by === "job") {
      const requester = world.users.byId.get(world.tickets.byId.get(id)?.requesterId ?? "")?.externalId ?? "";
      const wasThere = (born.get(id) ?? 0) < (left.get(requester) ?? 0);
      const isShown = approvals.some(({ userId, tickets }) => userId === requester && tickets.includes(id));
      if (wasThere && !isShown) found.push(`ticket ${id} was unassigned, and nobody was shown it`);
    }
  }
  return found;
}

/** What comes before the identify of its user waits for it so long. */
const patience = 3_600_000;

/**
 * What nobody need replay: a call whose user or ticket was not there failed, and is taken up by what has made them since, where
 * it came after that or no more than an hour before.
 */
export function leftBehind(past: Past): string[] {
  const asked = askedIn(past);
  const user = { by: "upsert_user", isSame: (one: Sent, made: Sent) => one.payload.userId === made.payload.userId };
  const causes: Record<string, typeof user> = {
    user_not_found: user,
    missing_email: user,
    ticket_not_found: { by: "create_ticket", isSame: (one, made) => propertiesOf(one).external_id === made.messageId },
  };
  return asked.flatMap(({ sent, delivery }) => {
    const cause = delivery.state === "failed" ? causes[delivery.code ?? ""] : undefined;
    const maker = asked.find((one) => {
      if (one.delivery.action !== cause?.by || !isDone(one) || !cause.isSame(sent, one.sent)) return false;
      const since = one.delivery.updated_at.getTime() - patience;
      return BigInt(one.delivery.id) < BigInt(delivery.id) || delivery.created_at.getTime() >= since;
    });
    return maker ? [`${delivery.action} of ${sent.messageId} failed, and ${maker.sent.messageId} left it behind`] : [];
  });
}

/** In calm, what was not done has a cause in what was sent: a user or a ticket that nobody has made, a person's no, or a later word. */
export function withoutCause(past: Past): string[] {
  const asked = askedIn(past);
  // What names an e-mail makes its user in the RudderStack profile, but for what is only about a ticket that is there.
  const makesUser = ({ sent, delivery: { action } }: Asked) =>
    action === "upsert_user" || (past.profile === "rudderstack" && action !== "update_ticket" && namesEmail(sent));
  return asked.flatMap((one) => {
    const { sent, delivery } = one;
    const { state, code, action } = delivery;
    if (state === "done") return [];
    const isKnown = asked.some(
      (maker) => isDone(maker) && makesUser(maker) && maker.sent.payload.userId === sent.payload.userId,
    );
    const hasTicket = asked.some(
      (maker) =>
        isDone(maker) &&
        maker.delivery.action === "create_ticket" &&
        maker.sent.messageId === propertiesOf(sent)?.external_id,
    );
    const isExplained =
      (state === "failed" && code === "user_not_found" && !isKnown) ||
      (state === "failed" && code === "ticket_not_found" && !hasTicket) ||
      (state === "failed" && code === "discarded" && companyOf(sent).remove === true) ||
      (state === "held" && code === "overtaken");
    return isExplained
      ? []
      : [`${action} of ${sent.messageId} (delivery ${delivery.id}) is ${state} (${code}) in calm`];
  });
}
