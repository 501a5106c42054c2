import { CellButton } from "#app/_ui/cell-button.tsx";
import { Sparkline } from "#app/_ui/chart/sparkline.tsx";
import type { DataColumn } from "#app/_ui/data-table/columns.tsx";
import { Delta } from "#app/_ui/delta.tsx";
import { Flash } from "#app/_ui/flash.tsx";
import { Link } from "#app/_ui/link.tsx";
import { Num } from "#app/_ui/num.tsx";
import { Percent } from "#app/_ui/percent.tsx";
import { Unknown } from "#app/_ui/unknown.tsx";
import { metricWords, windowWords } from "#app/(dashboard)/_tickets/metric-words.ts";
import type { AccountItem } from "#lib/accounts/shapes.ts";
import type { Csat, MetricKey } from "#lib/metrics/shapes.ts";

type Column = DataColumn<AccountItem>;
type CountKey = "ticketsTotal" | "ticketsUnsolved" | "topUnsolved" | "ticketsCreated" | "topCreated";

interface ColumnsOf {
  windowDays: number;
  /** Below this many ratings no percentage is shown. */
  minimumRatings: number;
  /** Attribute keys of the accounts in view: each can be a column. */
  attributes: readonly string[];
  /** Little room: the numbers come before owner and sparkline. */
  narrow: boolean;
  onOpenNumber: (account: AccountItem, metric: MetricKey) => void;
}

/** Every metric as a column, in the window chosen; the change against the window before stands beside it. */
export function accountColumns({ windowDays, minimumRatings, attributes, narrow, onOpenNumber }: ColumnsOf): Column[] {
  const span = windowWords(windowDays);
  const before = `the ${span} before`;

  const count = (metric: CountKey, width: number, description: string, hidden = false): Column => ({
    id: metric,
    header: metricWords[metric].label,
    description,
    width,
    hidden,
    align: "end",
    sortable: true,
    sortFirst: "desc",
    cell: (account) => {
      const value = account.metrics[metric];
      const top = value > 0 && (metric === "topUnsolved" || metric === "topCreated");
      return (
        <CellButton
          label={`${value} ${metricWords[metric].counts}, ${account.name}: show them`}
          className={top ? "text-top-priority" : undefined}
          onClick={() => onOpenNumber(account, metric)}
        >
          <Flash value={value} of={windowDays}>
            <Num value={value} />
          </Flash>
        </CellButton>
      );
    },
  });
  const change = (metric: "ticketsCreated" | "topCreated", hidden = false): Column => ({
    id: `${metric}Change`,
    header: "±",
    name: `${metricWords[metric].label}, change`,
    description: `${metricWords[metric].label}: change against ${before}`,
    width: 64,
    hidden,
    align: "end",
    cell: ({ metrics }) => (
      <Delta current={metrics[metric]} previous={metrics.previous[metric]} goodWhen="down" before={before} />
    ),
  });
  const score = (metric: "csat" | "topCsat", width: number): Column => ({
    id: metric,
    header: metricWords[metric].label,
    description: `Good ratings of all ratings received in ${span}${metric === "topCsat" ? ", top priority" : ""}`,
    width,
    align: "end",
    sortable: true,
    sortFirst: "asc",
    cell: (account) => {
      const csat = account.metrics[metric];
      return (
        <Percent
          score={csat.score}
          n={rated(csat)}
          minimum={minimumRatings}
          nouns={["rating", "ratings"]}
          reason={csat.reason}
          of={windowDays}
          pressLabel="show their tickets"
          onPress={() => onOpenNumber(account, metric)}
        />
      );
    },
  });
  const scoreChange: Column = {
    id: "csatChange",
    header: "± CSAT",
    name: "CSAT, change",
    description: `CSAT: change against ${before}`,
    width: 84,
    hidden: true,
    align: "end",
    cell: ({ metrics }) => {
      const enough = rated(metrics.csat) >= minimumRatings && rated(metrics.previous.csat) >= minimumRatings;
      return (
        <Delta
          current={enough ? metrics.csat.score : null}
          previous={enough ? metrics.previous.csat.score : null}
          goodWhen="up"
          unit="pts"
          before={before}
          reason={`Fewer than ${minimumRatings} ratings in one of the two windows`}
        />
      );
    },
  };

  const whose: Column[] = [
    {
      id: "owner",
      header: "Owner",
      width: 92,
      cell: ({ owner }) =>
        owner ? (
          <span title={owner.email}>{owner.name ?? owner.email.split("@")[0]}</span>
        ) : (
          <Unknown reason="Nobody owns this account" />
        ),
    },
    {
      id: "trend",
      header: "12 weeks",
      description: "Tickets created in each of the last 12 weeks",
      width: 72,
      cell: ({ trend }) => <Sparkline values={trend} label={`Tickets created a week: ${trend.join(", ")}`} />,
    },
  ];

  return [
    {
      id: "name",
      header: "Account",
      width: 168,
      sortable: true,
      sortFirst: "asc",
      cell: (account) => (
        <Link quiet href={`/accounts/${account.id}`} title={account.name}>
          {account.name}
        </Link>
      ),
    },
    ...(narrow ? [] : whose),
    count("ticketsUnsolved", 68, "Tickets unsolved now"),
    count("topUnsolved", 72, "Unsolved now with top priority, whatever the creation date"),
    count("ticketsCreated", 80, `Tickets created in ${span}`),
    change("ticketsCreated"),
    count("topCreated", 84, `Created in ${span} with top priority`),
    change("topCreated"),
    score("csat", 96),
    score("topCsat", 96),
    ...(narrow ? whose : []),
    scoreChange,
    count("ticketsTotal", 96, "Every ticket stored now", true),
    {
      id: "organizations",
      header: "Organizations",
      description: "Zendesk organizations matched to the account",
      width: 112,
      hidden: true,
      align: "end",
      cell: ({ organizations }) => <Num value={organizations} />,
    },
    { id: "externalId", header: "External id", width: 120, hidden: true, cell: ({ externalId }) => externalId },
    ...attributes.map(
      (key): Column => ({
        id: `attributes.${key}`,
        header: key,
        width: 120,
        hidden: true,
        cell: (account) => account.attributes[key] || <Unknown reason="This account has no such attribute" />,
      }),
    ),
  ];
}

/** n of a score. */
export const rated = ({ good, neutral, bad }: Csat) => good + neutral + bad;
