import type { AccountItem } from "#lib/accounts/shapes.ts";
import type { Csat } from "#lib/metrics/shapes.ts";
import type { Cell } from "#lib/reports/csv.ts";

/** What one column of the screen becomes in the file; a score brings its n. */
interface CsvColumn {
  header: string[];
  cells: (account: AccountItem) => Cell[];
}

const rated = ({ good, neutral, bad }: Csat) => good + neutral + bad;
const minus = (now: number | null, before: number | null) => (now === null || before === null ? null : now - before);
const points = (now: number | null, before: number | null) =>
  now === null || before === null ? null : Math.round((now - before) * 10) / 10;

const one = (header: string, cell: (account: AccountItem) => Cell): CsvColumn => ({
  header: [header],
  cells: (account) => [cell(account)],
});

/** By the ids that the portfolio's table gives its columns. */
const byId: Record<string, CsvColumn> = {
  name: one("name", ({ name }) => name),
  owner: one("owner_email", ({ owner }) => owner?.email ?? null),
  trend: one("created_12_weeks", ({ trend }) => trend.join(" ")),
  ticketsTotal: one("tickets_total", ({ metrics }) => metrics.ticketsTotal),
  ticketsUnsolved: one("tickets_unsolved", ({ metrics }) => metrics.ticketsUnsolved),
  topUnsolved: one("top_unsolved", ({ metrics }) => metrics.topUnsolved),
  ticketsCreated: one("tickets_created", ({ metrics }) => metrics.ticketsCreated),
  ticketsCreatedChange: one("tickets_created_change", ({ metrics }) =>
    minus(metrics.ticketsCreated, metrics.previous.ticketsCreated),
  ),
  topCreated: one("top_created", ({ metrics }) => metrics.topCreated),
  topCreatedChange: one("top_created_change", ({ metrics }) => minus(metrics.topCreated, metrics.previous.topCreated)),
  csat: { header: ["csat_score", "csat_n"], cells: ({ metrics }) => [metrics.csat.score, rated(metrics.csat)] },
  topCsat: {
    header: ["top_csat_score", "top_csat_n"],
    cells: ({ metrics }) => [metrics.topCsat.score, rated(metrics.topCsat)],
  },
  csatChange: one("csat_change", ({ metrics }) => points(metrics.csat.score, metrics.previous.csat.score)),
  organizations: one("organizations", ({ organizations }) => organizations),
  externalId: one("external_id", ({ externalId }) => externalId),
};

/** The columns that were asked for, in their order; unknown ids are left out. `ids` is comma separated, as in the query. */
export function chosenColumns(ids: string): CsvColumn {
  const columns = ids.split(",").flatMap((id) => {
    const attribute = id.startsWith("attributes.") ? id.slice("attributes.".length) : null;
    if (attribute !== null) return [one(attribute, ({ attributes }) => attributes[attribute] ?? null)];
    const column = Object.hasOwn(byId, id) ? byId[id] : undefined;
    return column ? [column] : [];
  });
  return {
    header: columns.flatMap(({ header }) => header),
    cells: (account) => columns.flatMap(({ cells }) => cells(account)),
  };
}

/** Everything there is: the file of a program that names no columns. */
export const everyColumn: CsvColumn = {
  header: [
    ...["account_id", "external_id", "name", "owner_email", "organizations", "window_days", "as_of"],
    ...["tickets_total", "tickets_unsolved", "top_unsolved", "tickets_created", "top_created"],
    ...["csat_good", "csat_neutral", "csat_bad", "csat_score"],
    ...["top_csat_good", "top_csat_neutral", "top_csat_bad", "top_csat_score"],
    ...["previous_tickets_created", "previous_top_created", "previous_csat_score", "previous_top_csat_score"],
  ],
  cells: ({ id, externalId, name, owner, organizations, metrics }) => {
    const { csat, topCsat, previous } = metrics;
    return [
      ...[id, externalId, name, owner?.email ?? null, organizations, metrics.windowDays, metrics.asOf],
      ...[metrics.ticketsTotal, metrics.ticketsUnsolved, metrics.topUnsolved],
      ...[metrics.ticketsCreated, metrics.topCreated],
      ...[csat.good, csat.neutral, csat.bad, csat.score],
      ...[topCsat.good, topCsat.neutral, topCsat.bad, topCsat.score],
      ...[previous.ticketsCreated, previous.topCreated, previous.csat.score, previous.topCsat.score],
    ];
  },
};
