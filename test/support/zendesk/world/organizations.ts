import { ChangeIndex } from "./change-index.ts";
import { organizationEvents, plainEvent } from "./event-types.ts";
import { compareIds, type Id } from "./ids.ts";
import type { Organization } from "./rows.ts";
import type { World } from "./world.ts";

export interface OrganizationInput {
  id?: Id;
  name: string;
  externalId?: string | null;
  domainNames?: string[];
  details?: string | null;
  notes?: string | null;
  groupId?: Id | null;
  tags?: string[];
  /** `organization_fields`, by key. */
  fields?: Record<string, unknown>;
}

/** Organizations of an account, deleted and merged ones included. */
export class Organizations {
  readonly byId = new Map<Id, Organization>();
  readonly index = new ChangeIndex<Organization>((row) => Math.floor(row.updatedAt / 1000));
  private ordered: Organization[] | null = null;
  private readonly names = new Map<string, Id>();
  private readonly externalIds = new Map<string, Id>();

  constructor(private readonly world: World) {}

  create(input: OrganizationInput): Organization {
    this.refuseDuplicates(input);
    const now = this.world.now();
    const organization: Organization = {
      id: input.id ?? this.world.ids.next(),
      name: input.name,
      externalId: input.externalId ?? null,
      domainNames: input.domainNames ?? [],
      details: input.details ?? null,
      notes: input.notes ?? null,
      groupId: input.groupId ?? null,
      tags: input.tags ?? [],
      fields: new Map(Object.entries(input.fields ?? {})),
      createdAt: now,
      updatedAt: now,
      deletedAt: null,
      mergedInto: null,
    };
    this.byId.set(organization.id, organization);
    this.index.add(organization);
    this.claim(organization);
    this.ordered = null;
    this.world.webhooks.announce("organization", organization.id, plainEvent("organization.created"));
    return organization;
  }

  /** Changes attributes; `domainNames` and `tags` are replaced whole, `fields` by key. */
  update(id: Id, changes: Partial<Omit<OrganizationInput, "id">>): Organization {
    const organization = this.living(id);
    this.refuseDuplicates(changes, id);
    const { fields, ...columns } = changes;
    this.release(organization);
    Object.assign(organization, columns);
    this.claim(organization);
    for (const [key, value] of Object.entries(fields ?? {})) organization.fields.set(key, value);
    this.touch(organization);
    this.world.webhooks.announce("organization", id, organizationEvents(changes));
    return organization;
  }

  /** A new version without a change, as Zendesk's own jobs make them; of deleted organizations too. */
  systemTouch(id: Id): void {
    const organization = this.byId.get(id);
    if (organization === undefined) throw new Error(`No organization ${id}`);
    this.touch(organization);
  }

  /** Two organizations exchange their names in one second. */
  swapNames(left: Id, right: Id): void {
    const a = this.living(left);
    const b = this.living(right);
    [a.name, b.name] = [b.name, a.name];
    this.claim(a);
    this.claim(b);
    this.touch(a);
    this.touch(b);
    for (const { id, name } of [a, b]) this.world.webhooks.announce("organization", id, organizationEvents({ name }));
  }

  /** Users lose the organization; working tickets too, unless the account is set to keep them. Closed ones are untouched. */
  delete(id: Id): void {
    const organization = this.living(id);
    this.release(organization);
    organization.deletedAt = this.world.now();
    this.touch(organization);
    this.world.webhooks.announce("organization", id, plainEvent("organization.deleted"));
    this.world.users.leaveOrganization(id);
    if (this.world.settings.deletedOrganizationTickets === "keep") return;
    for (const ticket of this.world.tickets.ofOrganization(id)) {
      if (ticket.status !== "closed" && !ticket.deleted) {
        this.world.tickets.update(ticket.id, { organizationId: null }, { channel: "system" });
      }
    }
  }

  /** Users, tickets and domain names move to the winner and the loser vanishes. There is no way back. */
  merge(loserId: Id, winnerId: Id, options: { leaveClosed?: boolean } = {}): void {
    const loser = this.living(loserId);
    const winner = this.living(winnerId);
    if (loser === winner) throw new Error("An organization cannot be merged into itself");
    winner.domainNames = [...new Set([...winner.domainNames, ...loser.domainNames])];
    this.world.users.moveOrganization(loserId, winnerId);
    for (const ticket of this.world.tickets.ofOrganization(loserId)) {
      if (ticket.deleted) continue;
      if (ticket.status !== "closed") {
        this.world.tickets.update(ticket.id, { organizationId: winnerId }, { channel: "system" });
      } else if (!options.leaveClosed) {
        this.world.tickets.reassignSilently(ticket.id, { organizationId: winnerId });
      }
    }
    this.release(loser);
    loser.deletedAt = this.world.now();
    loser.mergedInto = winnerId;
    this.touch(loser);
    this.touch(winner);
  }

  /** Living organizations by id: what lists show. */
  list(): readonly Organization[] {
    this.ordered ??= [...this.byId.values()]
      .filter((row) => row.deletedAt === null)
      .sort((a, b) => compareIds(a.id, b.id));
    return this.ordered;
  }

  living(id: Id): Organization {
    const organization = this.byId.get(id);
    if (organization === undefined || organization.deletedAt !== null) throw new Error(`No organization ${id}`);
    return organization;
  }

  private touch(organization: Organization): void {
    organization.updatedAt = this.world.now();
    this.index.moved();
    this.ordered = null;
  }

  /** Names and external ids are unique without regard to case. */
  private refuseDuplicates(input: { name?: string; externalId?: string | null }, self?: Id): void {
    const named = this.names.get(input.name?.toLowerCase() ?? "");
    if (input.name !== undefined && named !== undefined && named !== self) {
      throw new Error(`Name: ${input.name} has already been taken`);
    }
    const external = this.externalIds.get(input.externalId?.toLowerCase() ?? "");
    if (input.externalId && external !== undefined && external !== self) {
      throw new Error(`External: ${input.externalId} has already been taken`);
    }
  }

  private claim(organization: Organization): void {
    this.names.set(organization.name.toLowerCase(), organization.id);
    if (organization.externalId !== null) {
      this.externalIds.set(organization.externalId.toLowerCase(), organization.id);
    }
  }

  private release(organization: Organization): void {
    this.names.delete(organization.name.toLowerCase());
    if (organization.externalId !== null) this.externalIds.delete(organization.externalId.toLowerCase());
  }
}
