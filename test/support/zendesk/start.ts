import { Faults } from "./faults.ts";
import { Control } from "./server/control.ts";
import { Deliveries } from "./server/deliveries.ts";
import { Effects } from "./server/effects.ts";
import { Journal } from "./server/journal.ts";
import { type LimitOptions, RateLimits } from "./server/limits.ts";
import { ZendeskServer } from "./server/server.ts";
import type { World } from "./world/world.ts";

export interface StartOptions {
  worlds: readonly World[];
  /** Default: none, and no header announces any. */
  limits?: LimitOptions;
  /** Opens `/_stand-in/…`, by which another process moves clocks and faults. Default off. */
  control?: boolean;
  /** Default: a free one. */
  port?: number;
}

export interface Zendesk {
  /** For `ZENDESK_URL`: `http://127.0.0.1:PORT/{subdomain}`. */
  url: string;
  /** `http://127.0.0.1:PORT`. */
  origin: string;
  /** The account at a subdomain; the only one when none is named. */
  world(subdomain?: string): World;
  /** Puts an account at its subdomain, in place of the one that is there. */
  serve(world: World): void;
  faults: Faults;
  /** Every request. */
  journal: Journal;
  /** What writes have done. */
  effects: Effects;
  limits: RateLimits | null;
  /** What the accounts tell their webhooks; `deliver()` sends what is due. */
  webhooks: Deliveries;
  close(): Promise<void>;
}

/** Starts a stand-in Zendesk on loopback that serves the given accounts. */
export async function startZendesk(options: StartOptions): Promise<Zendesk> {
  const worlds = new Map(options.worlds.map((world) => [world.subdomain, world]));
  const faults = new Faults();
  const journal = new Journal();
  const effects = new Effects();
  const limits = options.limits === undefined ? null : new RateLimits(options.limits);
  const control = options.control ? new Control(worlds, faults, journal, effects) : null;
  const server = new ZendeskServer({ worlds, faults, journal, effects, limits, control });
  const webhooks = new Deliveries(worlds);
  webhooks.start();
  const origin = await server.listen(options.port ?? 0);
  return {
    url: `${origin}/{subdomain}`,
    origin,
    world: (subdomain = options.worlds[0]?.subdomain ?? "") => {
      const world = worlds.get(subdomain);
      if (world === undefined) throw new Error(`No account ${subdomain}`);
      return world;
    },
    serve: (world) => void worlds.set(world.subdomain, world),
    faults,
    journal,
    effects,
    limits,
    webhooks,
    close: async () => {
      await Promise.all([server.close(), webhooks.stop()]);
    },
  };
}
