import { context } from "#lib/context.ts";
import { callOperation, everyGet, type OwnedIds } from "#test/support/every-route.ts";

/*
 * A process of its own, in whatever zone its environment names: prints every answer of the API about one workspace at one
 * instant.
 */

const { ANSWER_KEY: key = "", ANSWER_IDS = "{}", ANSWER_NOW = "" } = process.env;
const ids = JSON.parse(ANSWER_IDS) as OwnedIds;
const instant = Date.parse(ANSWER_NOW);
const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...given: unknown[]) {
    super(...((given.length === 0 ? [instant] : given) as [number]));
  }
  static override now = () => instant;
} as DateConstructor;

const queries: Record<string, string[]> = {
  listAccounts: ["", "?format=csv"],
  listAccountTickets: ["", "?metric=ticketsCreated&windowDays=7&asOf=2026-03-08", "?format=csv"],
  getAccountMetrics: ["", "?asOf=2026-03-08"],
};

console.log(
  JSON.stringify({
    zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    offset: new RealDate(instant).getTimezoneOffset(),
  }),
);
for (const operation of everyGet) {
  for (const query of queries[operation.id] ?? [""]) {
    const answer = await callOperation(operation, ids, { key, query });
    console.log(`${operation.id}${query} ${answer.status}\n${await answer.text()}`);
  }
}
await context().db.destroy();
// A pipe takes more than its buffer holds only while this process lives.
process.stdout.write("", () => process.exit(0));
