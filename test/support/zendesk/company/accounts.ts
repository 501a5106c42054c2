import { DAY, isoSeconds } from "../world/clock.ts";
import type { Random } from "../world/random.ts";
import { companyName, domainOf, emailOf } from "./names.ts";

/** An account as the product takes it: every attribute is text. */
export interface DemoAccount {
  externalId: string;
  name: string;
  ownerEmail: string;
  attributes: Record<string, string>;
}

/** How the organization of an account can be recognised. */
export type Recognition = "external_id" | "field" | "domain" | "ambiguous";

/** An organization to be founded, and the account that it belongs to, if any. */
export interface OrganizationPlan {
  name: string;
  externalId: string | null;
  domainNames: string[];
  fields: Record<string, string>;
  tags: string[];
  account: DemoAccount | null;
  /** Share of the everyday tickets. */
  weight: number;
}

/** The customer success team. */
export const owners = [
  "Mira Halloran",
  "Teo Lindgren",
  "Asha Pillai",
  "Jonah Mercer",
  "Greta Osei",
  "Luca Ferreira",
].map((name) => ({ name, email: emailOf(name, "tarnwick.example") }));

/** Which fields of organizations and accounts meet, in order. */
export const demoMatchKeys = [
  { organizationField: "external_id", accountField: "externalId", normalize: "exact" },
  { organizationField: "organization_fields.crm_id", accountField: "externalId", normalize: "case_insensitive" },
  { organizationField: "domain_names", accountField: "attributes.domain", normalize: "domain" },
] as const;

const segments = [
  { name: "Enterprise", plan: "Enterprise", arr: [90_000, 240_000] },
  { name: "Mid-Market", plan: "Business", arr: [24_000, 80_000] },
  { name: "SMB", plan: "Team", arr: [4_000, 20_000] },
] as const;

const strangers = [
  ["Tarnwick internal", "tarnwick.example"],
  ["Tarnwick QA sandbox", "qa.tarnwick.example"],
  ["Partner: Millrace Consulting", "millrace-consulting.example"],
  ["Partner: Payroll bridge", "payroll-bridge.example"],
] as const;

/** Accounts by size, the largest first. Names in `reserved` are taken by the stories and come first. */
export function inventAccounts(random: Random, count: number, now: number, reserved: readonly string[]): DemoAccount[] {
  const taken = new Set<string>(reserved);
  return Array.from({ length: count }, (_, rank) => {
    const name = reserved[rank] ?? companyName(random, taken);
    const segment = segments[rank < count * 0.1 ? 0 : rank < count * 0.4 ? 1 : 2];
    const owner = random.pick(owners);
    const renewal = isoSeconds(now + random.between(-20, 345) * DAY).slice(0, 10);
    const arr = Math.round(random.between(segment.arr[0], segment.arr[1]) / 100) * 100;
    return {
      externalId: `ACC-${1001 + rank}`,
      name,
      ownerEmail: owner.email,
      attributes: {
        plan: segment.plan,
        segment: segment.name,
        region: random.weighted([
          ["EMEA", 5],
          ["AMER", 4],
          ["APAC", 2],
        ] as const),
        renewal,
        arr: String(arr),
        domain: domainOf(name),
      },
    };
  });
}

/** An organization for nearly every account, subsidiaries for some, and organizations that are nobody's. */
export function planOrganizations(
  random: Random,
  accounts: readonly DemoAccount[],
  reserved: number,
): OrganizationPlan[] {
  const plans: OrganizationPlan[] = [];
  for (const [rank, account] of accounts.entries()) {
    const weight = 1 / (rank + 4) ** 0.75;
    if (rank < reserved) {
      plans.push(planFor(account, "external_id", 0));
      continue;
    }
    if (rank >= accounts.length - 10) continue;
    const recognition = random.weighted([
      ["external_id", 80],
      ["field", 11],
      ["domain", 9],
    ] as const);
    plans.push(planFor(account, recognition, weight));
    if (random.chance(0.06)) {
      const subsidiary = planFor(account, "field", weight * 0.4);
      plans.push({ ...subsidiary, name: `${account.name} Nordic`, domainNames: [] });
    }
  }
  plans.push(...ambiguousPlans(accounts), ...strangerPlans(random));
  return plans;
}

function planFor(account: DemoAccount, recognition: Recognition, weight: number): OrganizationPlan {
  const { domain = "" } = account.attributes;
  return {
    name: account.name,
    externalId: recognition === "external_id" ? account.externalId : null,
    domainNames: [domain],
    fields: recognition === "field" ? { crm_id: account.externalId } : {},
    tags: [],
    account,
    weight,
  };
}

/** Pairs of accounts that share a domain, with an organization that nothing but the domain describes. */
function ambiguousPlans(accounts: readonly DemoAccount[]): OrganizationPlan[] {
  const plans: OrganizationPlan[] = [];
  for (let pair = 0; pair < 5; pair++) {
    const [one, other] = accounts.slice(accounts.length - 10 + pair * 2);
    if (one === undefined || other === undefined) break;
    const domain = domainOf(`${one.name} group`);
    one.attributes.domain = domain;
    other.attributes.domain = domain;
    plans.push({
      ...planFor(one, "ambiguous", 0.02),
      name: `${one.name} Holding`,
      domainNames: [domain],
      account: null,
    });
  }
  return plans;
}

function strangerPlans(random: Random): OrganizationPlan[] {
  const taken = new Set<string>();
  const expired = Array.from({ length: 18 }, () => {
    const name = companyName(random, taken);
    return { name: `${name} (expired trial)`, domain: domainOf(`${name} trial`), tags: ["expired"] };
  });
  const internal = strangers.map(([name, domain]) => ({ name, domain, tags: ["internal"] }));
  return [...expired, ...internal].map(({ name, domain, tags }) => ({
    name,
    externalId: null,
    domainNames: [domain],
    fields: {},
    tags,
    account: null,
    weight: 0.015,
  }));
}
