import * as fault from "#test/support/zendesk/fault-kinds.ts";
import type { ActiveFault } from "#test/support/zendesk/faults.ts";
import { randomWorld } from "#test/support/zendesk/random-world.ts";
import type { Zendesk } from "#test/support/zendesk/start.ts";
import { HOUR, MINUTE } from "#test/support/zendesk/world/clock.ts";
import { type Random, seededRandom } from "#test/support/zendesk/world/random.ts";
import type { ChaosAccount } from "./accounts.ts";

/** Something that is wrong with one account for a while. */
export interface Spell {
  kind: SpellKind;
  account: ChaosAccount;
  from: number;
  until: number;
}

export const spellKinds = [
  "role downgraded",
  "a stream refused",
  "checks refused",
  "ratings off the plan",
  "another account answers",
  "rate limited for hours",
  "not reachable",
  "rows not found by id",
  "heavy pages",
  "a hungry neighbour",
  "emptied lists",
  "empty pages",
  "sessions ended",
] as const;
export type SpellKind = (typeof spellKinds)[number];

/** What the streams are read from: of some, one list of several. */
const streams = [
  "/api/v2/incremental/tickets",
  "/api/v2/incremental/ticket_events",
  "/api/v2/incremental/users",
  "/api/v2/incremental/organizations",
  "/api/v2/groups",
  "/api/v2/satisfaction_ratings",
  "/api/v2/guide/survey_responses",
  "/api/v2/ticket_fields",
  "/api/v2/organization_fields",
  "/api/v2/custom_statuses",
];
/** What is asked beside the streams. */
const checks = [
  "/api/v2/organization_memberships",
  /^\/api\/v2\/tickets\/(show_many|-?\d+)$/,
  /^\/api\/v2\/organizations\/(show_many|-?\d+)$/,
];

/** Begins and ends spells as the seed says. */
export class Spells {
  readonly past: Spell[] = [];
  private readonly present = new Map<ChaosAccount, { spell: Spell; end: () => void }>();
  private readonly random: Random;
  private begun: number | null = null;

  constructor(
    private readonly zendesk: Zendesk,
    private readonly accounts: readonly ChaosAccount[],
    seed: number,
    private readonly isIdle: (account: ChaosAccount) => boolean,
    private readonly endSession: () => Promise<void>,
    private readonly kinds: readonly SpellKind[] = spellKinds,
  ) {
    this.random = seededRandom(`${seed}:spells`);
  }

  /** Called once a step; an account has one spell at most. Gives those that began. */
  step(now: number, stepLength: number, perDay: number): Spell[] {
    this.begun ??= now;
    const begun: Spell[] = [];
    for (const [account, { spell, end }] of this.present) {
      if (spell.until > now) continue;
      end();
      this.present.delete(account);
    }
    for (const account of this.accounts) {
      if (this.present.has(account) || !this.random.chance((perDay * stepLength) / (24 * HOUR))) continue;
      const kind = this.random.pick(this.kinds);
      // Whoever took over an address with working logins did so between two runs; in the middle of one nobody could tell.
      if (kind === "another account answers" && !this.isIdle(account)) continue;
      // At its first reading an account whose lists are empty looks like one that has nothing.
      if (kind === "emptied lists" && now - this.begun < HOUR) continue;
      const spell = { kind, account, from: now, until: now + this.random.between(20, 150) * MINUTE };
      this.present.set(account, { spell, end: this.begin(kind, account) });
      this.past.push(spell);
      begun.push(spell);
    }
    return begun;
  }

  /** Every spell is over. */
  calm(now: number): void {
    for (const { spell, end } of this.present.values()) {
      spell.until = now;
      end();
    }
    this.present.clear();
  }

  /** Whether an account was under a spell of these kinds at any time since. */
  since(account: ChaosAccount, instant: number, of: readonly SpellKind[] = spellKinds): boolean {
    return this.past.some((spell) => spell.account === account && of.includes(spell.kind) && spell.until >= instant);
  }

  private begin(kind: SpellKind, account: ChaosAccount): () => void {
    const { world, subdomain } = account;
    const { random, zendesk } = this;
    const strike =
      (...faults: ActiveFault[]) =>
      () => {
        for (const one of faults) one.remove();
      };
    switch (kind) {
      case "role downgraded": {
        world.users.changeRole(world.adminId, "agent");
        world.settings.agentSees = random.chance(0.3) ? "forbidden" : random.pick([0.1, 0.6, 0.95]);
        return () => {
          world.users.changeRole(world.adminId, "admin");
          world.settings.agentSees = "forbidden";
        };
      }
      case "a stream refused":
      case "checks refused": {
        const envelope = random.pick(["scope", "titled", "listed", "html"] as const);
        const path = random.pick<string | RegExp>(kind === "checks refused" ? checks : streams);
        return strike(zendesk.faults.add({ subdomain, path }, fault.forbidden(envelope)));
      }
      case "ratings off the plan": {
        const code = random.pick([403, 404] as const);
        Object.assign(world.settings, { legacyEndpoint: code, surveyEndpoint: code });
        return () => void Object.assign(world.settings, { legacyEndpoint: "auto", surveyEndpoint: "auto" });
      }
      case "another account answers": {
        const other = randomWorld(random.between(1, 1e9), {
          subdomain,
          tickets: 20,
          days: 20,
          now: new Date(world.now()),
          mark: "«stranger» ",
        });
        // The stranger's clock is ours, its people are not.
        Object.assign(other.users.byId.get(other.adminId) ?? {}, { email: "somebody@stranger.example" });
        if (random.chance(0.5)) other.access.apiTokens.clear();
        zendesk.serve(other);
        return () => zendesk.serve(world);
      }
      case "rate limited for hours":
        return strike(zendesk.faults.add({ subdomain, path: "/api/v2/" }, fault.tooManyRequests({ retryAfter: "60" })));
      case "not reachable":
        return strike(zendesk.faults.add({ subdomain }, random.pick([fault.html(503), fault.reset("accept")])));
      case "rows not found by id":
        return this.unfindable(account);
      case "heavy pages":
        return strike(zendesk.faults.add({ subdomain, path: "/api/v2/incremental/" }, fault.tooHeavy(25)));
      case "a hungry neighbour": {
        const eat = () => {
          zendesk.limits?.neighbour(subdomain, "incremental", random.between(3, 7));
          zendesk.limits?.neighbour(subdomain, "usersCursor", random.between(3, 14));
        };
        let minute = 0;
        return strike(
          zendesk.faults.before({ subdomain }, () => {
            const current = Math.floor(world.now() / MINUTE);
            if (current !== minute) eat();
            minute = current;
          }),
        );
      }
      case "emptied lists":
        return strike(
          zendesk.faults.add(
            { subdomain, path: /^\/api\/v2\/(groups|organizations|ticket_fields|custom_statuses)$/ },
            fault.changesRows("nothing", () => []),
          ),
        );
      case "empty pages": {
        const when = () => random.chance(0.3);
        return strike(zendesk.faults.add({ subdomain, path: "/api/v2/incremental/", when }, fault.emptyPage()));
      }
      case "sessions ended": {
        const when = () => random.chance(0.15);
        return strike(zendesk.faults.before({ subdomain, path: "/api/v2/incremental/", when }, this.endSession));
      }
    }
  }

  /** A tenth of all rows is found neither by id nor in the export of tickets, though the account has them. */
  private unfindable({ subdomain, world }: ChaosAccount): () => void {
    const gone = (id: unknown) => seededRandom(`${subdomain}:${id}`).chance(0.1);
    const one = /^\/api\/v2\/(tickets|organizations)\/(-?\d+)$/;
    const missing = fault.answers("404 by id", {
      status: 404,
      json: { error: "RecordNotFound", description: "Not found" },
    });
    const left = fault.changesRows("some left out", (rows) => rows.filter((row) => !gone(row.id)));
    const hidden = [...world.tickets.byId.keys()].filter(gone);
    for (const id of hidden) world.tickets.hideFromExport(id);
    const faults = [
      this.zendesk.faults.add({ subdomain, when: ({ path }) => one.test(path) && gone(one.exec(path)?.[2]) }, missing),
      this.zendesk.faults.add({ subdomain, path: /show_many$/ }, left),
    ];
    return () => {
      for (const active of faults) active.remove();
      for (const id of hidden) world.tickets.hideFromExport(id, false);
    };
  }
}
