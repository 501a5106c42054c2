import type { MetricKey } from "#lib/metrics/shapes.ts";

/** What the screens call a metric, and the sentence that says what is counted. The definition itself is the dictionary's. */
export const metricWords: Record<MetricKey, { label: string; counts: string; windowed: boolean }> = {
  ticketsTotal: { label: "All tickets", counts: "every ticket stored now", windowed: false },
  ticketsUnsolved: { label: "Open", counts: "tickets unsolved now", windowed: false },
  topUnsolved: { label: "Top open", counts: "tickets of top priority unsolved now", windowed: false },
  ticketsCreated: { label: "Created", counts: "tickets created", windowed: true },
  topCreated: { label: "Top created", counts: "tickets of top priority created", windowed: true },
  csat: { label: "CSAT", counts: "tickets rated", windowed: true },
  topCsat: { label: "CSAT top", counts: "tickets of top priority rated", windowed: true },
};

/** "30 days" */
export const windowWords = (days: number) => (days === 1 ? "1 day" : `${days} days`);
