import { ChangeIndex } from "./change-index.ts";
import { plainEvent, userEvents } from "./event-types.ts";
import type { Identity } from "./identities.ts";
import { compareIds, type Id } from "./ids.ts";
import type { Membership, Role, Status, Ticket, User } from "./rows.ts";
import type { World } from "./world.ts";

export interface UserInput {
  id?: Id;
  name: string;
  email?: string | null;
  role?: Role;
  customRoleId?: Id | null;
  organizationId?: Id | null;
  externalId?: string | null;
  phone?: string | null;
  tags?: string[];
  /** `user_fields`, by key. */
  fields?: Record<string, unknown>;
  suspended?: boolean;
  verified?: boolean;
  shared?: boolean;
  alias?: string | null;
  details?: string | null;
  notes?: string | null;
  timeZone?: string;
  searchableFrom?: number;
  defaultGroupId?: Id | null;
}

/** Users of an account with their memberships, deleted and merged ones included. */
export class Users {
  readonly byId = new Map<Id, User>();
  readonly index = new ChangeIndex<User>((row) => Math.floor(row.updatedAt / 1000));
  readonly memberships = new Map<Id, Membership>();
  private readonly ofUser = new Map<Id, Set<Membership>>();
  /** In lower case; those that others have by now are still here. */
  private readonly externalIds = new Map<string, Id>();
  private reporter: User | null = null;

  constructor(private readonly world: World) {}

  create(input: UserInput): User {
    const now = this.world.now();
    const user: User = {
      id: input.id ?? this.world.ids.next(),
      name: input.name,
      email: input.email ?? null,
      role: input.role ?? "end-user",
      customRoleId: input.customRoleId ?? null,
      organizationId: input.organizationId ?? null,
      externalId: input.externalId ?? null,
      phone: input.phone ?? null,
      tags: input.tags ?? [],
      fields: new Map(Object.entries(input.fields ?? {})),
      active: true,
      suspended: input.suspended ?? false,
      verified: input.verified ?? true,
      shared: input.shared ?? false,
      alias: input.alias ?? null,
      details: input.details ?? null,
      notes: input.notes ?? null,
      timeZone: input.timeZone ?? "UTC",
      defaultGroupId: input.defaultGroupId ?? null,
      createdAt: now,
      updatedAt: now,
      lastLoginAt: null,
      mergedInto: null,
      permanentlyDeleted: false,
      searchableFrom: input.searchableFrom ?? 0,
    };
    this.byId.set(user.id, user);
    this.world.identities.follow(user, null);
    if (user.externalId !== null) this.externalIds.set(user.externalId.toLowerCase(), user.id);
    this.index.add(user);
    if (user.organizationId !== null) this.addMembership(user.id, user.organizationId, true);
    this.announce(user, "created");
    return user;
  }

  /** Changes attributes. Writing `organizationId` replaces all memberships with that one, null clears them. */
  update(id: Id, changes: Partial<Omit<UserInput, "id">>): User {
    const user = this.existing(id);
    const { fields, organizationId, ...columns } = changes;
    const { email } = user;
    Object.assign(user, columns);
    this.world.identities.follow(user, email);
    if (user.externalId !== null) this.externalIds.set(user.externalId.toLowerCase(), user.id);
    for (const [key, value] of Object.entries(fields ?? {})) user.fields.set(key, value);
    if (organizationId !== undefined) this.replaceMemberships(user, organizationId);
    this.touch(user);
    this.world.webhooks.announce("user", id, userEvents(changes));
    return user;
  }

  changeRole(id: Id, role: Role): User {
    return this.update(id, { role });
  }

  /** A new version without a change, as Zendesk's own jobs make them; of merged and deleted users too. */
  systemTouch(id: Id): void {
    const user = this.byId.get(id);
    if (user === undefined) throw new Error(`No user ${id}`);
    this.touch(user);
  }

  /** Soft deletion: the row stays, inactive and without its e-mail address. */
  delete(id: Id): User {
    const user = this.existing(id);
    user.active = false;
    user.email = null;
    this.world.identities.dropAll(user);
    this.touch(user);
    this.announce(user, "deleted");
    return user;
  }

  /** Removal for good, after which only a nameless row is left. */
  permanentlyDelete(id: Id): User {
    const user = this.delete(id);
    user.permanentlyDeleted = true;
    Object.assign(user, { name: "Permanently Deleted User", phone: null, externalId: null, tags: [] });
    user.fields.clear();
    return user;
  }

  /** The loser's tickets get the winner as requester and the loser disappears. End users only. */
  merge(loserId: Id, winnerId: Id): void {
    const loser = this.existing(loserId);
    const winner = this.existing(winnerId);
    if (loser === winner) throw new Error("A user cannot be merged into itself");
    if (loser.role !== "end-user" || winner.role !== "end-user") throw new Error("Only end users can be merged");
    for (const ticket of this.world.tickets.byId.values()) {
      if (ticket.requesterId !== loserId || ticket.deleted) continue;
      if (ticket.status === "closed") this.world.tickets.reassignSilently(ticket.id, { requesterId: winnerId });
      else this.world.tickets.update(ticket.id, { requesterId: winnerId }, { channel: "system" });
    }
    loser.active = false;
    loser.email = null;
    loser.mergedInto = winnerId;
    this.world.identities.move(loser, winner);
    this.touch(loser);
    this.touch(winner);
    this.announce(loser, "merged");
    this.announce(winner, "merged");
  }

  /** Adds an organization beside those that the user has; the first one is the default. */
  join(userId: Id, organizationId: Id): Membership {
    const user = this.existing(userId);
    if (this.membershipsOf(userId).some((row) => row.organizationId === organizationId)) {
      throw new Error("User is already a member of this organization");
    }
    const membership = this.addMembership(userId, organizationId, user.organizationId === null);
    if (membership.isDefault) user.organizationId = organizationId;
    this.touch(user);
    this.announce(user, "organization_membership_created");
    return membership;
  }

  makeDefault(userId: Id, organizationId: Id): void {
    const user = this.existing(userId);
    for (const membership of this.membershipsOf(userId)) {
      membership.isDefault = membership.organizationId === organizationId;
      membership.updatedAt = this.world.now();
    }
    user.organizationId = organizationId;
    this.touch(user);
  }

  /** A further address of a user. The primary one stays, and so does `email`, unless there was none. */
  addEmail(id: Id, email: string, options: { verified: boolean; searchableFrom: number }): Identity {
    const user = this.existing(id);
    const identity = this.world.identities.add(user, email, options);
    user.email ??= email;
    this.touch(user);
    this.announce(user, "identity_created");
    return identity;
  }

  makePrimary(id: Id, email: string): User {
    const user = this.existing(id);
    user.email = email;
    this.touch(user);
    this.announce(user, "identity_changed");
    return user;
  }

  /** Ends a membership and does at once what Zendesk leaves to a job. */
  leave(userId: Id, organizationId: Id): void {
    this.endMembership(userId, organizationId);
    this.unassignTickets(userId, organizationId);
  }

  /** Ends a membership; the tickets stay as they are. */
  endMembership(userId: Id, organizationId: Id): void {
    const user = this.existing(userId);
    for (const membership of this.membershipsOf(userId)) {
      if (membership.organizationId === organizationId) this.drop(membership);
    }
    if (user.organizationId === organizationId) {
      const next = this.membershipsOf(userId)[0];
      if (next !== undefined) next.isDefault = true;
      user.organizationId = next?.organizationId ?? null;
    }
    this.touch(user);
    this.announce(user, "organization_membership_deleted");
  }

  /** Working tickets of a user who left get no organization, or the new default one, as set. Answers those changed. */
  unassignTickets(userId: Id, organizationId: Id): Ticket[] {
    const { organizationId: next } = this.existing(userId);
    const target = this.world.settings.leaverTickets === "default" ? next : null;
    return this.world.tickets
      .ofOrganization(organizationId)
      .filter(({ requesterId, deleted, status }) => requesterId === userId && !deleted && isWorking(status))
      .map((ticket) => this.world.tickets.update(ticket.id, { organizationId: target }, { channel: "system" }));
  }

  /** All members of a vanished organization lose it; their tickets are its business. */
  leaveOrganization(organizationId: Id): void {
    for (const membership of [...this.memberships.values()]) {
      if (membership.organizationId === organizationId) this.drop(membership);
    }
    for (const user of this.byId.values()) {
      if (user.organizationId !== organizationId) continue;
      const next = this.membershipsOf(user.id)[0];
      if (next !== undefined) next.isDefault = true;
      user.organizationId = next?.organizationId ?? null;
      this.touch(user);
    }
  }

  /** All members of one organization become members of another. */
  moveOrganization(fromId: Id, toId: Id): void {
    for (const membership of this.memberships.values()) {
      if (membership.organizationId === fromId) membership.organizationId = toId;
    }
    for (const user of this.byId.values()) {
      if (user.organizationId !== fromId) continue;
      user.organizationId = toId;
      this.touch(user);
    }
  }

  membershipsOf(userId: Id): Membership[] {
    return [...(this.ofUser.get(userId) ?? [])];
  }

  /** The requester of tickets that name none. */
  defaultRequester(): User {
    this.reporter ??= this.create({ name: "Rita Reporter", email: "rita@customer.example" });
    return this.reporter;
  }

  /** The active user with this address, in whatever case. */
  findByEmail(email: string): User | undefined {
    const wanted = email.toLowerCase();
    for (const user of this.byId.values()) if (user.active && user.email?.toLowerCase() === wanted) return user;
    return undefined;
  }

  /** The active user with this external id, in whatever case. */
  findByExternalId(externalId: string): User | undefined {
    const wanted = externalId.toLowerCase();
    const has = (user: User | undefined) => user?.active && user.externalId?.toLowerCase() === wanted;
    const id = this.externalIds.get(wanted);
    if (id === undefined) return undefined;
    const user = this.byId.get(id);
    return has(user) ? user : [...this.byId.values()].find(has);
  }

  /** Users that lists show, by id. */
  list(wanted: (user: User) => boolean = () => true): User[] {
    return [...this.byId.values()].filter((row) => row.active && wanted(row)).sort((a, b) => compareIds(a.id, b.id));
  }

  existing(id: Id): User {
    const user = this.byId.get(id);
    if (user === undefined || user.mergedInto !== null) throw new Error(`No user ${id}`);
    return user;
  }

  private replaceMemberships(user: User, organizationId: Id | null): void {
    for (const membership of this.membershipsOf(user.id)) this.drop(membership);
    user.organizationId = organizationId;
    if (organizationId !== null) this.addMembership(user.id, organizationId, true);
  }

  private addMembership(userId: Id, organizationId: Id, isDefault: boolean): Membership {
    const now = this.world.now();
    const membership: Membership = {
      id: this.world.ids.next(),
      userId,
      organizationId,
      isDefault,
      createdAt: now,
      updatedAt: now,
    };
    this.memberships.set(membership.id, membership);
    this.ofUser.set(userId, (this.ofUser.get(userId) ?? new Set()).add(membership));
    return membership;
  }

  private drop(membership: Membership): void {
    this.memberships.delete(membership.id);
    this.ofUser.get(membership.userId)?.delete(membership);
  }

  private announce(user: User, type: string): void {
    this.world.webhooks.announce("user", user.id, plainEvent(`user.${type}`));
  }

  private touch(user: User): void {
    user.updatedAt = this.world.now();
    this.index.moved();
  }
}

function isWorking(status: Status): boolean {
  return status !== "solved" && status !== "closed";
}
