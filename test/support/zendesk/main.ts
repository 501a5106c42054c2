import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { stringify } from "csv-stringify/sync";
import type { DemoAccount } from "./company/accounts.ts";
import { type DemoOptions, type DemoSize, startDemo } from "./demo.ts";

const usage = `A stand-in Zendesk on loopback.

  npm run demo -- [--port 4010] [--seed 1] [--subdomain NAME] [--founded ISO] [--size small|full]
                  [--control] [--json]
                  [--accounts FILE --tickets FILE [--mapping plain|ravenstack]] [--accounts-out FILE]

  --founded       the day from which the stories of the made-up company count; the same day gives the same company
  --size          small: 60 accounts and some 1,500 tickets
  --accounts, --tickets   fill the account from two CSV files instead
  --accounts-out  write the accounts that belong to it as CSV, for the product's import
  --control       open /_stand-in/ for moving the clock, rows and faults from outside
  --json          print one line of JSON when ready
`;

function readArguments(): { options: DemoOptions; json: boolean; accountsOut: string | undefined } | null {
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: "4010" },
      seed: { type: "string" },
      subdomain: { type: "string" },
      founded: { type: "string" },
      size: { type: "string" },
      accounts: { type: "string" },
      tickets: { type: "string" },
      mapping: { type: "string" },
      "accounts-out": { type: "string" },
      control: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return null;
  const { accounts, tickets, mapping, subdomain, founded, size } = values;
  if ((accounts === undefined) !== (tickets === undefined)) throw new Error("--accounts and --tickets go together");
  return {
    json: values.json,
    accountsOut: values["accounts-out"],
    options: {
      port: wholeNumber("--port", values.port),
      control: values.control,
      ...(values.seed !== undefined && { seed: wholeNumber("--seed", values.seed) }),
      ...(subdomain !== undefined && { subdomain }),
      ...(founded !== undefined && { foundedAt: instant("--founded", founded) }),
      ...(size !== undefined && { size: oneSize(size) }),
      ...(accounts !== undefined &&
        tickets !== undefined && { files: { accounts, tickets, ...(mapping !== undefined && { mapping }) } }),
    },
  };
}

function oneSize(text: string): DemoSize {
  if (text !== "small" && text !== "full") throw new Error(`--size is small or full, not ${text}`);
  return text;
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new Error(`${name} is a whole number, not ${text}`);
  return value;
}

function instant(name: string, text: string): Date {
  const value = new Date(text);
  if (Number.isNaN(value.getTime())) throw new Error(`${name} is an ISO date, not ${text}`);
  return value;
}

function accountsAsCsv(accounts: readonly DemoAccount[]): string {
  const rows = accounts.map(({ externalId, name, ownerEmail, attributes }) => ({
    external_id: externalId,
    name,
    owner_email: ownerEmail,
    ...attributes,
  }));
  return stringify(rows, { header: true });
}

async function main(): Promise<void> {
  const input = readArguments();
  if (input === null) return console.log(usage);
  const { zendesk, world, accounts, matchKeys, owners } = await startDemo(input.options);
  if (input.accountsOut !== undefined) writeFileSync(input.accountsOut, accountsAsCsv(accounts));
  const { subdomain, credentials } = world;
  if (input.json) {
    console.log(JSON.stringify({ url: zendesk.url, subdomain, credentials, matchKeys, owners }));
  } else {
    console.log(`Stand-in Zendesk at ${zendesk.origin}/${subdomain} (${world.tickets.byId.size} tickets)

  ZENDESK_URL     ${zendesk.url}
  subdomain       ${subdomain}
  OAuth client    ${credentials.clientId}  ${credentials.clientSecret}
  API token       ${credentials.email}  ${credentials.token}
`);
  }
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void zendesk.close().then(() => process.exit(0)));
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
