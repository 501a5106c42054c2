import type { MetricDefinition, MetricKey } from "#lib/metrics/shapes.ts";

/**
 * The metric dictionary: what every screen, answer, export and test means by a number. Changing a meaning raises its
 * version. Pure.
 */
const whichCount =
  "Tickets count for the account that their current organization is matched to; deleted ones never count, merged ones unless the workspace leaves them out.";
const window =
  "The window of x days is the x calendar days of the workspace's time zone that end with the as-of day, that day included.";
const score =
  "score = good ÷ (good + neutral + bad) as a percentage rounded half up to one decimal, null when nothing was rated. One rating a ticket, the latest answer given, dated by that answer; legacy ratings and survey responses make one series.";

export const metricDefinitions: readonly MetricDefinition[] = [
  {
    key: "ticketsTotal",
    version: 1,
    name: "Tickets",
    definition: `Tickets stored now, every priority and status. ${whichCount}`,
    unit: "tickets",
    windowed: false,
  },
  {
    key: "ticketsUnsolved",
    version: 1,
    name: "Unsolved",
    definition: `Of all tickets, those whose status category is new, open, pending or hold now; a custom status counts by its category. ${whichCount}`,
    unit: "tickets",
    windowed: false,
  },
  {
    key: "ticketsCreated",
    version: 1,
    name: "Created",
    definition: `Tickets created in the window, every priority and status. ${window} ${whichCount}`,
    unit: "tickets",
    windowed: true,
  },
  {
    key: "topUnsolved",
    version: 1,
    name: "Top priority unsolved",
    definition: `Unsolved tickets of top priority now, whatever their creation date. Top priority is the workspace's set, high and urgent unless changed. ${whichCount}`,
    unit: "tickets",
    windowed: false,
  },
  {
    key: "topCreated",
    version: 1,
    name: "Top priority created",
    definition: `Tickets created in the window whose priority is top now, any status. ${window} ${whichCount}`,
    unit: "tickets",
    windowed: true,
  },
  {
    key: "csat",
    version: 1,
    name: "CSAT",
    definition: `Ratings received in the window, every priority. ${score} ${window} ${whichCount}`,
    unit: "percent",
    windowed: true,
  },
  {
    key: "topCsat",
    version: 1,
    name: "Top priority CSAT",
    definition: `Ratings received in the window for tickets whose priority is top now. ${score} ${window} ${whichCount}`,
    unit: "percent",
    windowed: true,
  },
];

export function isWindowed(key: MetricKey): boolean {
  return metricDefinitions.some((metric) => metric.key === key && metric.windowed);
}
