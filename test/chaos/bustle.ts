import { poison } from "#test/support/zendesk/poison.ts";
import { MINUTE, SECOND } from "#test/support/zendesk/world/clock.ts";
import { type Random, seededRandom } from "#test/support/zendesk/world/random.ts";
import type { Ticket } from "#test/support/zendesk/world/rows.ts";
import { priorities } from "#test/support/zendesk/world/settings.ts";
import type { ChaosAccount } from "./accounts.ts";

const kinds = [
  ["create", 5],
  ["update", 6],
  ["twice in one second", 4],
  ["late in its second", 3],
  ["again and again", 3],
  ["solve", 4],
  ["rate", 4],
  ["delete", 1],
  ["restore", 2],
  ["scrub", 0.5],
  ["merge tickets", 0.7],
  ["archive", 1],
  ["touch", 1],
  ["custom status", 1],
  ["localized status", 0.5],
  ["great id", 0.5],
  ["rename organization", 1],
  ["swap names", 0.5],
  ["merge organizations", 0.25],
  ["delete organization", 0.2],
  ["new organization", 0.7],
  ["move user", 1],
  ["leave organization", 0.5],
  ["merge users", 0.3],
  ["delete user", 0.3],
  ["suspend user", 0.5],
  ["group", 0.5],
  ["field", 0.7],
  ["join organization", 0.7],
  ["hide from export", 0.3],
  ["poison", 0.6],
  ["heal", 0.6],
] as const;
type Kind = (typeof kinds)[number][0];
type PoisonedKind = "ticket" | "user" | "organization" | "membership";

/** Life in one account while the product reads it: every kind of change that an account knows, each at its moment. */
export class Bustle {
  /** Rows that the API shows distorted: `ticket:7`. */
  readonly poisoned = new Map<string, { kind: PoisonedKind; id: string }>();
  /** Those and all that were healed since. */
  readonly everPoisoned = new Set<string>();
  private readonly random: Random;

  constructor(
    private readonly account: ChaosAccount,
    seed: number,
  ) {
    this.random = seededRandom(`${seed}:bustle:${account.subdomain}`);
    this.world.showLate({ probability: 0.02, minimum: 5 * MINUTE, maximum: 20 * MINUTE, seed });
  }

  /** What happens within a stretch of time, at about `perHour` changes an hour. */
  pass(milliseconds: number, perHour: number): void {
    const expected = (milliseconds / 3_600_000) * perHour;
    const count = Math.floor(expected) + (this.random.chance(expected % 1) ? 1 : 0);
    for (let n = 0; n < count; n++) this.happen();
  }

  happen(): void {
    const kind = this.random.weighted(kinds);
    try {
      this.does[kind]();
    } catch (error) {
      // What the account itself refuses (a closed ticket, a merged user) did not happen.
      if (!(error instanceof Error) || error instanceof TypeError) throw error;
    }
  }

  /** Nothing is distorted, hidden or late any more. */
  calm(): void {
    this.world.showLate(null);
    for (const key of [...this.poisoned.keys()]) this.heal(key);
    for (const ticket of this.world.tickets.byId.values()) this.world.tickets.hideFromExport(ticket.id, false);
  }

  private get world() {
    return this.account.world;
  }

  private readonly does: Record<Kind, () => void> = {
    create: () => {
      this.create();
    },
    update: () => this.update(this.anyTicket()),
    "twice in one second": () => {
      const ticket = this.anyTicket();
      this.update(ticket);
      this.update(ticket);
    },
    "late in its second": () => this.lateInItsSecond(this.anyTicket()),
    "again and again": () => this.againAndAgain(this.anyTicket()),
    solve: () => void this.world.tickets.solve(this.anyTicket().id),
    rate: () => this.rate(),
    delete: () => void this.world.tickets.delete(this.anyTicket().id),
    restore: () =>
      void this.world.tickets.restore(this.pick(this.tickets(({ deleted, scrubbed }) => deleted && !scrubbed)).id),
    scrub: () => void this.world.tickets.scrub(this.pick(this.tickets(({ deleted }) => deleted)).id),
    "merge tickets": () => void this.world.tickets.merge(this.anyTicket().id, [this.anyTicket().id]),
    archive: () =>
      void this.world.tickets.archive(
        this.pick(this.tickets(({ status, deleted }) => status === "closed" && !deleted)).id,
      ),
    touch: () => void this.world.tickets.systemTouch(this.anyTicket().id),
    "custom status": () => this.customStatus(),
    "localized status": () => void this.world.tickets.update(this.anyTicket().id, { status: "Løst" }),
    "great id": () => void this.create((2n ** 53n + BigInt(this.random.between(1, 1_000_000))).toString()),
    "rename organization": () => {
      const { id } = this.anyOrganization();
      const name = this.name("Renamed");
      this.world.organizations.update(id, { name, fields: { account_number: name, renamed_at: this.world.now() } });
    },
    "swap names": () => this.world.organizations.swapNames(this.anyOrganization().id, this.anyOrganization().id),
    "merge organizations": () => this.world.organizations.merge(this.spareOrganization().id, this.anyOrganization().id),
    "delete organization": () => this.world.organizations.delete(this.spareOrganization().id),
    "new organization": () =>
      void this.world.organizations.create({
        name: this.name("Newcomer"),
        externalId: `ext-${this.random.between(1, 12)}`,
      }),
    "move user": () => void this.world.users.update(this.anyUser().id, { organizationId: this.anyOrganization().id }),
    "leave organization": () => {
      const user = this.anyUser();
      if (user.organizationId !== null) this.world.users.leave(user.id, user.organizationId);
    },
    "merge users": () => this.world.users.merge(this.anyUser().id, this.anyUser().id),
    "delete user": () => void this.world.users.delete(this.anyUser().id),
    field: () => this.field(),
    "join organization": () => void this.world.users.join(this.anyUser().id, this.anyOrganization().id),
    "suspend user": () => {
      const { id } = this.anyUser();
      const suspended = this.random.chance(0.5);
      this.world.users.update(id, { suspended, externalId: suspended ? `suspended ${id}` : null });
    },
    group: () => this.group(),
    "hide from export": () => void this.world.tickets.hideFromExport(this.create().id),
    poison: () => this.poison(),
    heal: () => {
      if (this.poisoned.size > 0) this.heal(this.pick([...this.poisoned.keys()]));
    },
  };

  private create(id?: string): Ticket {
    const user = this.anyUser();
    return this.world.tickets.create({
      ...(id ? { id } : {}),
      subject: this.name("Question"),
      priority: this.random.pick(priorities),
      requesterId: user.id,
      type: this.random.pick(["problem", "question", null]),
      tags: this.random.chance(0.3) ? ["vip"] : [],
    });
  }

  private update(ticket: Ticket): void {
    const { random, world } = this;
    const change = random.pick([
      { priority: random.pick(priorities) },
      { subject: this.name("Question") },
      { status: random.pick(["open", "pending", "hold"]) },
      { organizationId: random.chance(0.8) ? this.anyOrganization().id : null },
      taggedAs(random.between(1, 9)),
    ]);
    world.tickets.update(ticket.id, change);
  }

  /** A change that carries the second of the version before it and shows only now, when that one has been read. */
  private lateInItsSecond(ticket: Ticket): void {
    const { world } = this;
    if (world.now() - ticket.generatedTimestamp * SECOND > 15 * MINUTE) world.tickets.systemTouch(ticket.id);
    const second = ticket.generatedTimestamp * SECOND;
    world.schedule.plan(world.now() + this.random.between(2, 12) * MINUTE, () => {
      if (ticket.generatedTimestamp * SECOND !== second || ticket.deleted || ticket.status === "closed") return;
      const now = world.now();
      world.at(second, () => this.update(ticket));
      ticket.visibleFrom = now;
      for (const audit of ticket.audits.filter(({ at }) => at === second)) audit.visibleFrom = now;
    });
  }

  /** For some minutes no version of it grows so old that the export shows it. */
  private againAndAgain(ticket: Ticket): void {
    const { random, world } = this;
    const times = random.between(4, 16);
    for (let n = 0, at = world.now(); n < times; n++, at += random.between(15, 55) * SECOND) {
      world.schedule.plan(at, () => {
        if (!ticket.deleted && ticket.status !== "closed") this.update(ticket);
      });
    }
  }

  private rate(): void {
    const ticket = this.pick(this.tickets(({ status, deleted }) => status === "solved" && !deleted));
    if (!this.world.ratings.canRate(ticket.id)) return;
    this.world.ratings.rate(ticket.id, this.random.pick(["good", "good", "bad"]), {
      comment: this.random.chance(0.5) ? this.name("Words") : null,
    });
  }

  private customStatus(): void {
    const { definitions, tickets } = this.world;
    const category = this.random.pick(["open", "pending", "hold"] as const);
    const own = [...definitions.customStatuses.values()].filter(({ isDefault }) => !isDefault);
    const status = this.random.chance(0.3)
      ? definitions.createCustomStatus({ category, agentLabel: this.name("Status") })
      : Object.assign(this.pick(own), {
          agentLabel: `${this.account.mark}Status of ${this.world.now()}`,
          updatedAt: this.world.now(),
        });
    tickets.update(this.anyTicket().id, { customStatusId: status.id });
  }

  private group(): void {
    const { definitions } = this.world;
    const group = this.pick([...definitions.groups.values()].filter(({ isDefault }) => !isDefault));
    if (this.random.chance(0.5)) definitions.createGroup({ name: this.name("Group") });
    else definitions.updateGroup(group.id, this.random.chance(0.3) ? { deleted: true } : { name: this.name("Group") });
  }

  private field(): void {
    const { definitions } = this.world;
    const owner = this.random.pick(["ticket", "user", "organization"] as const);
    const own = [...definitions.fields[owner].values()].filter(({ system }) => !system);
    const title = this.name("Field");
    if (own.length > 0 && this.random.chance(0.6)) definitions.updateField(owner, this.pick(own).id, { title });
    else definitions.createField(owner, { key: `field_${this.random.between(1, 1_000_000)}`, title });
  }

  private poison(): void {
    const { random, world } = this;
    const kind = random.pick(["ticket", "ticket", "user", "organization", "membership"] as const);
    const { id } = {
      ticket: () => this.anyTicket(),
      user: () => this.anyUser(),
      organization: () => this.anyOrganization(),
      membership: () => this.pick([...world.users.memberships.values()]),
    }[kind]();
    const field = kind === "ticket" ? "subject" : kind === "membership" ? "user_id" : "name";
    const distortion = random.pick([
      poison.nul(field),
      poison.loneSurrogate(field),
      poison.wrongType(field),
      poison.oddDate(),
    ]);
    world.distort(kind, id, distortion);
    this.poisoned.set(`${kind}:${id}`, { kind, id });
    this.everPoisoned.add(`${kind}:${id}`);
    this.touch(kind, id);
  }

  private heal(key: string): void {
    const row = this.poisoned.get(key);
    this.poisoned.delete(key);
    if (!row) return;
    this.world.distortions.delete(key);
    this.touch(row.kind, row.id);
  }

  /** Whether a row is shown distorted is a version of it: also of one that was merged or deleted meanwhile. */
  private touch(kind: PoisonedKind, id: string): void {
    // The list shows it each night, whatever its version.
    if (kind === "membership") return;
    const { tickets, users, organizations } = this.world;
    ({ ticket: tickets, user: users, organization: organizations })[kind].systemTouch(id);
  }

  private name(what: string): string {
    return `${this.account.mark}${what} ${this.random.between(1, 1_000_000)}`;
  }

  private tickets(fits: (ticket: Ticket) => boolean): Ticket[] {
    return [...this.world.tickets.byId.values()].filter(fits);
  }

  private anyTicket(): Ticket {
    return this.pick(this.tickets(({ deleted, status }) => !deleted && status !== "closed"));
  }

  private anyOrganization() {
    return this.pick(this.world.organizations.list());
  }

  /** One that may go: some are always left. */
  private spareOrganization() {
    const living = this.world.organizations.list();
    return this.pick(living.length > 4 ? living : []);
  }

  private anyUser() {
    const { byId } = this.world.users;
    return this.pick(
      [...byId.values()].filter((user) => user.role === "end-user" && user.active && user.mergedInto === null),
    );
  }

  private pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new Error("Nothing of the kind is there.");
    return this.random.pick(items);
  }
}

function taggedAs(n: number) {
  return { tags: [`tag_${n}`], externalId: n > 6 ? null : `T-${n}` };
}
