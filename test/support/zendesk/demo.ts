import { readFileSync } from "node:fs";
import { type DemoAccount, demoMatchKeys, owners } from "./company/accounts.ts";
import { foundCompany } from "./company/company.ts";
import { csvMappings, worldFromCsv } from "./csv.ts";
import { startZendesk, type Zendesk } from "./start.ts";
import { liveClock } from "./world/clock.ts";
import type { World } from "./world/world.ts";

export type DemoSize = keyof typeof sizes;

const sizes = {
  full: { lively: true },
  small: { accounts: 60, tickets: 1500, days: 200 },
} as const;

export interface DemoOptions {
  /** Default: a free one. */
  port?: number;
  seed?: number;
  subdomain?: string;
  /** A small company is founded and read in a moment, and quiet: for tests. Default: full. */
  size?: DemoSize;
  /** The day from which the stories count; keep it, and a demo that starts again is the same company. Default: now. */
  foundedAt?: Date;
  /** Two CSV files in place of the made-up company. */
  files?: { accounts: string; tickets: string; mapping?: string };
  /** Opens `/_stand-in`. */
  control?: boolean;
}

export interface Demo {
  zendesk: Zendesk;
  world: World;
  /** The accounts that the product should know, for `POST /api/v1/accounts/bulk`. */
  accounts: DemoAccount[];
  /** The fields by which organizations and accounts know each other; none for accounts from files. */
  matchKeys?: typeof demoMatchKeys;
  /** The customer success team; none for accounts from files. */
  owners?: typeof owners;
}

/** Limits a hundred times the documented ones: the client paces itself by what is announced, and loses no time. */
const demoLimits = { multiplier: 100 };

/** Starts the stand-in of the demo: one account, living on the wall clock. */
export async function startDemo(options: DemoOptions = {}): Promise<Demo> {
  const { world, ...known } = options.files === undefined ? madeUp(options) : fromFiles(options.files, options);
  const { port, control } = options;
  const zendesk = await startZendesk({
    worlds: [world],
    limits: demoLimits,
    ...(port !== undefined && { port }),
    ...(control !== undefined && { control }),
  });
  return { zendesk, world, ...known };
}

function madeUp({ seed, subdomain, foundedAt, size = "full" }: DemoOptions) {
  const company = foundCompany({
    clock: liveClock(),
    ...sizes[size],
    ...(seed !== undefined && { seed }),
    ...(subdomain !== undefined && { subdomain }),
    ...(foundedAt !== undefined && { foundedAt }),
  });
  return { ...company, matchKeys: demoMatchKeys, owners };
}

function fromFiles(files: NonNullable<DemoOptions["files"]>, { subdomain }: DemoOptions) {
  const mapping = files.mapping === undefined ? undefined : csvMappings[files.mapping];
  if (files.mapping !== undefined && mapping === undefined) {
    throw new Error(`Unknown mapping ${files.mapping}; known: ${Object.keys(csvMappings).join(", ")}`);
  }
  return worldFromCsv({
    accounts: readFileSync(files.accounts),
    tickets: readFileSync(files.tickets),
    clock: liveClock(),
    ...(mapping !== undefined && { mapping }),
    ...(subdomain !== undefined && { subdomain }),
  });
}
