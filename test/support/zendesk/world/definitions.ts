import type { Id } from "./ids.ts";
import type { CustomStatus, FieldDefinition, Group, Status } from "./rows.ts";
import type { World } from "./world.ts";

export type FieldOwner = "ticket" | "user" | "organization";

const systemTicketFields: readonly (readonly [string, string, readonly string[]])[] = [
  ["subject", "Subject", []],
  ["description", "Description", []],
  ["status", "Status", ["new", "open", "pending", "hold", "solved"]],
  ["tickettype", "Type", ["question", "incident", "problem", "task"]],
  ["priority", "Priority", ["low", "normal", "high", "urgent"]],
  ["group", "Group", []],
  ["assignee", "Assignee", []],
];

const systemStatuses: readonly (readonly [CustomStatus["category"], string])[] = [
  ["new", "New"],
  ["open", "Open"],
  ["pending", "Pending"],
  ["hold", "On-hold"],
  ["solved", "Solved"],
];

/** Groups, field definitions and custom statuses of an account. */
export class Definitions {
  readonly groups = new Map<Id, Group>();
  readonly fields: Record<FieldOwner, Map<Id, FieldDefinition>> = {
    ticket: new Map(),
    user: new Map(),
    organization: new Map(),
  };
  /** Keys of fields that were deleted: nobody can have them again. */
  readonly formerKeys: Record<FieldOwner, Set<string>> = {
    ticket: new Set(),
    user: new Set(),
    organization: new Set(),
  };
  readonly customStatuses = new Map<Id, CustomStatus>();

  constructor(private readonly world: World) {
    this.createGroup({ name: "Support", isDefault: true });
    for (const [type, title, values] of systemTicketFields) {
      const options = values.map((value) => ({ id: this.world.ids.next(), name: value, value }));
      this.createField("ticket", { key: type, title, type, system: true, options });
    }
    for (const [category, agentLabel] of systemStatuses) {
      this.createCustomStatus({ category, agentLabel, isDefault: true });
    }
  }

  createGroup(input: Partial<Group> & { name: string }): Group {
    const now = this.world.now();
    const group: Group = {
      id: this.world.ids.next(),
      description: "",
      isDefault: false,
      deleted: false,
      createdAt: now,
      updatedAt: now,
      ...input,
    };
    this.groups.set(group.id, group);
    return group;
  }

  updateGroup(id: Id, changes: Partial<Pick<Group, "name" | "description" | "deleted">>): Group {
    const group = this.groups.get(id);
    if (group === undefined) throw new Error(`No group ${id}`);
    return Object.assign(group, changes, { updatedAt: this.world.now() });
  }

  createField(owner: FieldOwner, input: Partial<FieldDefinition> & { key: string }): FieldDefinition {
    const now = this.world.now();
    const field: FieldDefinition = {
      id: this.world.ids.next(),
      type: "text",
      title: input.key,
      description: "",
      active: true,
      system: false,
      options: [],
      createdAt: now,
      updatedAt: now,
      ...input,
    };
    this.fields[owner].set(field.id, field);
    return field;
  }

  updateField(owner: FieldOwner, id: Id, changes: Partial<FieldDefinition>): FieldDefinition {
    const field = this.fields[owner].get(id);
    if (field === undefined) throw new Error(`No ${owner} field ${id}`);
    return Object.assign(field, changes, { updatedAt: this.world.now() });
  }

  deleteField(owner: FieldOwner, id: Id): void {
    const field = this.fields[owner].get(id);
    if (field !== undefined) this.formerKeys[owner].add(field.key);
    this.fields[owner].delete(id);
  }

  createCustomStatus(input: Partial<CustomStatus> & Pick<CustomStatus, "category" | "agentLabel">): CustomStatus {
    const now = this.world.now();
    const status: CustomStatus = {
      id: this.world.ids.next(),
      endUserLabel: input.agentLabel,
      isDefault: false,
      active: true,
      createdAt: now,
      updatedAt: now,
      ...input,
    };
    this.customStatuses.set(status.id, status);
    return status;
  }

  get defaultGroupId(): Id {
    for (const group of this.groups.values()) if (group.isDefault) return group.id;
    throw new Error("An account has a default group");
  }

  /** The custom status that a plain status stands for; closed tickets keep that of solved. */
  defaultStatusId(status: Status): Id | null {
    const category = status === "closed" ? "solved" : status;
    for (const candidate of this.customStatuses.values()) {
      if (candidate.isDefault && candidate.category === category) return candidate.id;
    }
    return null;
  }
}
