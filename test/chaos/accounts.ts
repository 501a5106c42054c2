import type { ConnectionAuth } from "#lib/connections/shapes.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import { randomWorld } from "#test/support/zendesk/random-world.ts";
import { hashText } from "#test/support/zendesk/world/random.ts";
import type { WorldSettings } from "#test/support/zendesk/world/settings.ts";
import type { World } from "#test/support/zendesk/world/world.ts";

/** How an account is signed in to. `button`: authorization code, whose refresh tokens rotate. */
type SignIn = "client" | "token" | "button";

interface Plan {
  subdomain: string;
  workspace: number;
  signIn: SignIn;
  /** Seconds. */
  tokenLife: number;
  settings?: Partial<WorldSettings>;
}

/** Ids are equal in all of them: two accounts of one workspace, and two of another. */
const plans: readonly Plan[] = [
  { subdomain: "alpha", workspace: 0, signIn: "client", tokenLife: 1800, settings: { satisfaction: "legacy" } },
  { subdomain: "beta", workspace: 0, signIn: "token", tokenLife: 1800 },
  { subdomain: "gamma", workspace: 1, signIn: "button", tokenLife: 600, settings: { satisfaction: "legacy" } },
  { subdomain: "delta", workspace: 1, signIn: "client", tokenLife: 300, settings: { satisfaction: "survey" } },
];

/** The OAuth client of the installation, for the connect button. */
export const installation = { id: "bellwether_chaos", secret: "installation-secret-of-chaos" };

export interface ChaosAccount {
  subdomain: string;
  world: World;
  /** Which of the two workspaces, from 0. */
  workspace: number;
  signIn: SignIn;
  auth: ConnectionAuth | null;
  /** Begins every name and subject of the account. */
  mark: string;
  /** Set when it is connected. */
  scope: Scope;
}

export interface Size {
  tickets: number;
  days: number;
  accounts: number;
}

/** The accounts of a chaos run, all at one instant. */
export function chaosAccounts(seed: number, size: Size): ChaosAccount[] {
  return plans.slice(0, size.accounts).map((plan) => {
    const mark = `«${plan.subdomain}» `;
    const world = randomWorld(hashText(`${seed}:${plan.subdomain}`), {
      subdomain: plan.subdomain,
      tickets: size.tickets,
      organizations: 8,
      days: size.days,
      futureDays: 20,
      mark,
      settings: { ...plan.settings, exportPage: 15 },
    });
    world.access.accessTokenSeconds = plan.tokenLife;
    world.access.clients.set(installation.id, {
      identifier: installation.id,
      secret: installation.secret,
      redirectUris: ["*"],
    });
    const scope = { workspaceId: 0, connectionId: 0 };
    return { ...plan, world, mark, auth: authOf(plan, world), scope };
  });
}

function authOf({ signIn }: Plan, world: World): ConnectionAuth | null {
  const { email, token, clientId, clientSecret } = world.credentials;
  if (signIn === "token") return { type: "api_token", email, token };
  return signIn === "client" ? { type: "oauth_client_credentials", clientId, clientSecret } : null;
}
